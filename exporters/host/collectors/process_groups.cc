// Groups of processes, under process-exporter's names.
#include <unistd.h>

#include "exporters/host/context.h"
#include "exporters/host/parsers.h"

namespace exporters::host {
namespace {

using model::MetricDesc;

constexpr auto kCounter = model::MetricType::kCounter;

constexpr MetricDesc kProcesses{.name = "namedprocess_namegroup_num_procs",
                                .help = "Processes in the group.",
                                .labels = {"groupname"}};
constexpr MetricDesc kThreads{.name = "namedprocess_namegroup_num_threads",
                              .help = "Threads of the group.",
                              .labels = {"groupname"}};
constexpr MetricDesc kCpu{.name = "namedprocess_namegroup_cpu_seconds_total",
                          .help = "CPU time used since the group is watched.",
                          .type = kCounter,
                          .labels = {"groupname", "mode"}};
constexpr MetricDesc kReadBytes{.name = "namedprocess_namegroup_read_bytes_total",
                                .help = "Bytes read from disks.",
                                .type = kCounter,
                                .labels = {"groupname"}};
constexpr MetricDesc kWrittenBytes{.name = "namedprocess_namegroup_write_bytes_total",
                                   .help = "Bytes written to disks.",
                                   .type = kCounter,
                                   .labels = {"groupname"}};
constexpr MetricDesc kMajorFaults{.name = "namedprocess_namegroup_major_page_faults_total",
                                  .help = "Page faults that had to read from a disk.",
                                  .type = kCounter,
                                  .labels = {"groupname"}};
constexpr MetricDesc kMinorFaults{.name = "namedprocess_namegroup_minor_page_faults_total",
                                  .help = "Page faults that needed no disk.",
                                  .type = kCounter,
                                  .labels = {"groupname"}};
constexpr MetricDesc kSwitches{.name = "namedprocess_namegroup_context_switches_total",
                               .help = "Context switches of the main threads.",
                               .type = kCounter,
                               .labels = {"ctxswitchtype", "groupname"}};
constexpr MetricDesc kMemory{.name = "namedprocess_namegroup_memory_bytes",
                             .help = "Memory of the group; shared pages count in each process.",
                             .labels = {"groupname", "memtype"}};
constexpr MetricDesc kOpenFiles{.name = "namedprocess_namegroup_open_filedesc",
                                .help = "File descriptors that are open.",
                                .labels = {"groupname"}};
constexpr MetricDesc kWorstFileRatio{
    .name = "namedprocess_namegroup_worst_fd_ratio",
    .help = "Open file descriptors by their limit, of the process nearest to it.",
    .labels = {"groupname"}};
constexpr MetricDesc kOldestStart{.name = "namedprocess_namegroup_oldest_start_time_seconds",
                                  .help = "When the oldest process started, as a Unix time.",
                                  .labels = {"groupname"}};
constexpr MetricDesc kStates{.name = "namedprocess_namegroup_states",
                             .help = "Processes by what they do.",
                             .labels = {"groupname", "state"}};
constexpr MetricDesc kReadErrors{.name = "namedprocess_scrape_procread_errors",
                                 .help =
                                     "Processes that ended while they were looked at, or could "
                                     "not be read.",
                                 .type = kCounter};

double Of(const ProcessGroup& group, ProcessCounter counter) {
  return static_cast<double>(group.counters[static_cast<size_t>(counter)]);
}

void EmitCounters(const std::string& name, const ProcessGroup& group, Scrape& scrape) {
  const auto ticks = static_cast<double>(sysconf(_SC_CLK_TCK));
  scrape.Emit(kCpu, Of(group, ProcessCounter::kUser) / ticks, {name, "user"});
  scrape.Emit(kCpu, Of(group, ProcessCounter::kSystem) / ticks, {name, "system"});
  scrape.Emit(kMajorFaults, Of(group, ProcessCounter::kMajorFaults), {name});
  scrape.Emit(kMinorFaults, Of(group, ProcessCounter::kMinorFaults), {name});
  scrape.Emit(kSwitches, Of(group, ProcessCounter::kVoluntarySwitches), {"voluntary", name});
  scrape.Emit(kSwitches, Of(group, ProcessCounter::kInvoluntarySwitches), {"nonvoluntary", name});
  if (group.has_io) {  // Without the right to read it there is no 0.
    scrape.Emit(kReadBytes, Of(group, ProcessCounter::kReadBytes), {name});
    scrape.Emit(kWrittenBytes, Of(group, ProcessCounter::kWrittenBytes), {name});
  }
}

void EmitGroup(Context& host, const std::string& name, const ProcessGroup& group, Scrape& scrape) {
  scrape.Emit(kProcesses, static_cast<double>(group.processes), {name});
  scrape.Emit(kThreads, static_cast<double>(group.threads), {name});
  scrape.Emit(kMemory, static_cast<double>(group.resident_bytes), {name, "resident"});
  scrape.Emit(kMemory, static_cast<double>(group.virtual_bytes), {name, "virtual"});
  scrape.Emit(kMemory, static_cast<double>(group.swapped_bytes), {name, "swapped"});
  if (group.has_files) {
    scrape.Emit(kOpenFiles, static_cast<double>(group.open_files), {name});
    scrape.Emit(kWorstFileRatio, group.worst_file_ratio, {name});
  }
  const auto& stat = host.Stat();
  const auto boot = stat.ok() ? ParseStatTotals(*stat).boot_time : std::nullopt;
  if (group.oldest_start_ticks && boot) {
    scrape.Emit(kOldestStart,
                static_cast<double>(*boot) + static_cast<double>(*group.oldest_start_ticks) /
                                                 static_cast<double>(sysconf(_SC_CLK_TCK)),
                {name});
  }
  for (size_t i = 0; i < group.states.size(); ++i) {
    scrape.Emit(kStates, static_cast<double>(group.states[i]), {name, kProcessStates[i]});
  }
  EmitCounters(name, group, scrape);
}

base::Result<void> CollectProcessGroups(Context& host, Scrape& scrape) {
  for (const auto& [name, group] : host.process_groups.Update(host.proc, scrape.deadline())) {
    EmitGroup(host, name, group, scrape);
  }
  scrape.Emit(kReadErrors, static_cast<double>(host.process_groups.read_errors()));
  return {};
}

}  // namespace

extern constexpr HostCollector kProcessGroupsCollector{
    .name = "process_groups",
    .help = "Processes by name, unit or control group, under process-exporter's names.",
    .enabled_by_default = false,
    .collect = CollectProcessGroups};

}  // namespace exporters::host
