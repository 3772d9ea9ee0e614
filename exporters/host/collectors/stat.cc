// Totals of /proc/stat: interrupts, context switches, forks, boot time, processes by state.
#include "exporters/host/context.h"
#include "exporters/host/parsers.h"
#include "exporters/host/text.h"

namespace exporters::host {
namespace {

using model::MetricDesc;
using model::MetricType;

constexpr MetricDesc kInterrupts{.name = "node_intr_total",
                                 .help = "Interrupts serviced since boot.",
                                 .type = MetricType::kCounter};
constexpr MetricDesc kContextSwitches{.name = "node_context_switches_total",
                                      .help = "Context switches since boot, over all CPUs.",
                                      .type = MetricType::kCounter};
constexpr MetricDesc kForks{.name = "node_forks_total",
                            .help = "Processes and threads created since boot.",
                            .type = MetricType::kCounter};
constexpr MetricDesc kBootTime{.name = "node_boot_time_seconds",
                               .help = "When the machine booted, as seconds since 1970."};
constexpr MetricDesc kRunning{.name = "node_procs_running",
                              .help = "Tasks running or ready to run."};
constexpr MetricDesc kBlocked{.name = "node_procs_blocked",
                              .help = "Tasks blocked in wait for I/O."};
constexpr MetricDesc kSoftirqs{.name = "node_softirqs_total",
                               .help = "Softirqs serviced since boot, by vector.",
                               .type = MetricType::kCounter,
                               .labels = {"vector"}};

// In the order of the kernel's enumeration.
constexpr std::string_view kVectors[] = {"hi",           "timer",   "net_tx", "net_rx",  "block",
                                         "block_iopoll", "tasklet", "sched",  "hrtimer", "rcu"};

void EmitIf(const MetricDesc& desc, const std::optional<uint64_t>& value, Scrape& scrape) {
  if (value) {
    scrape.Emit(desc, static_cast<double>(*value));
  }
}

base::Result<void> CollectStat(Context& host, Scrape& scrape) {
  const base::Result<std::string>& stat = host.Stat();
  if (!stat.ok()) {
    return stat.error();
  }
  const StatTotals totals = ParseStatTotals(*stat);
  EmitIf(kInterrupts, totals.interrupts, scrape);
  EmitIf(kContextSwitches, totals.context_switches, scrape);
  EmitIf(kForks, totals.forks, scrape);
  EmitIf(kBootTime, totals.boot_time, scrape);
  EmitIf(kRunning, totals.running, scrape);
  EmitIf(kBlocked, totals.blocked, scrape);
  for (size_t i = 0; host.options.stat_softirq && i < std::size(kVectors); ++i) {
    if (i < totals.softirqs.size()) {
      scrape.Emit(kSoftirqs, static_cast<double>(totals.softirqs[i]), {kVectors[i]});
    }
  }
  return {};
}

}  // namespace

StatTotals ParseStatTotals(std::string_view stat) {
  StatTotals totals;
  const std::pair<std::string_view, std::optional<uint64_t>*> numbers[] = {
      {"intr", &totals.interrupts},       {"ctxt", &totals.context_switches},
      {"btime", &totals.boot_time},       {"processes", &totals.forks},
      {"procs_running", &totals.running}, {"procs_blocked", &totals.blocked}};
  while (!stat.empty()) {
    std::string_view line = NextLine(&stat);
    const std::string_view name = NextField(&line);
    for (const auto& [key, value] : numbers) {
      if (name == key) {
        *value = ParseNumber(NextField(&line));
      }
    }
    if (name == "softirq") {
      NextField(&line);  // The sum.
      std::array<uint64_t, std::size(kVectors)> counts{};
      const size_t count = ParseNumbers(line, &counts);
      totals.softirqs.assign(counts.begin(), counts.begin() + static_cast<std::ptrdiff_t>(count));
    }
  }
  return totals;
}

extern constexpr HostCollector kStatCollector{
    .name = "stat",
    .help = "Boot time, forks, interrupts, context switches, tasks running and blocked.",
    .collect = CollectStat};

}  // namespace exporters::host
