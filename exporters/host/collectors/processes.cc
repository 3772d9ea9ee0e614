// How many processes and threads there are, and what they do.
#include <fmt/format.h>

#include "exporters/host/context.h"
#include "exporters/host/text.h"

namespace exporters::host {
namespace {

constexpr model::MetricDesc kThreads{.name = "node_processes_threads",
                                     .help = "Threads that exist."};
constexpr model::MetricDesc kMaxThreads{.name = "node_processes_max_threads",
                                        .help = "How many threads there may be."};
constexpr model::MetricDesc kPids{.name = "node_processes_pids", .help = "Processes that exist."};
constexpr model::MetricDesc kMaxPids{.name = "node_processes_max_processes",
                                     .help = "How many process IDs there are."};
constexpr model::MetricDesc kState{.name = "node_processes_state",
                                   .help = "Processes by state, as ps shows it.",
                                   .labels = {"state"}};

// The running threads are not told apart: that would need a look at each thread.
base::Result<void> CollectProcesses(Context& host, Scrape& scrape) {
  ASSIGN_OR_RETURN(const std::vector<std::string> names, host.proc.List(""));
  std::map<std::string, uint64_t> states;
  uint64_t processes = 0;
  uint64_t threads = 0;
  for (const std::string& name : names) {
    if (name.find_first_not_of("0123456789") != std::string::npos) {
      continue;
    }
    if (std::chrono::steady_clock::now() >= scrape.deadline()) {
      return base::Error("processes: the scrape's deadline passed while they were read",
                         base::ErrorKind::kDeadlineExceeded);
    }
    const auto text = host.proc.ReadRarely(name + "/stat");
    const auto stat = text.ok() ? ParseProcessStat(*text) : std::nullopt;
    if (stat) {  // Else it has ended meanwhile.
      ++processes;
      threads += stat->threads;
      ++states[std::string(1, stat->state)];
    }
  }
  scrape.Emit(kPids, static_cast<double>(processes));
  scrape.Emit(kThreads, static_cast<double>(threads));
  for (const auto& [state, count] : states) {
    scrape.Emit(kState, static_cast<double>(count), {state});
  }
  if (const auto limit = host.proc.ReadInt("sys/kernel/threads-max")) {
    scrape.Emit(kMaxThreads, static_cast<double>(*limit));
  }
  if (const auto limit = host.proc.ReadInt("sys/kernel/pid_max")) {
    scrape.Emit(kMaxPids, static_cast<double>(*limit));
  }
  return {};
}

}  // namespace

extern constexpr HostCollector kProcessesCollector{
    .name = "processes",
    .help = "How many processes and threads there are, by state.",
    .enabled_by_default = false,
    .collect = CollectProcesses};

}  // namespace exporters::host
