// Time tasks ran and waited on each CPU. A line of /proc/schedstat is "cpu0 0 0 … running waiting
// timeslices", the last three of nine numbers, times in nanoseconds.
#include "exporters/host/context.h"
#include "exporters/host/parsers.h"
#include "exporters/host/text.h"

namespace exporters::host {
namespace {

constexpr model::MetricDesc Counter(std::string_view name, std::string_view help) {
  return {.name = name, .help = help, .type = model::MetricType::kCounter, .labels = {"cpu"}};
}
constexpr model::MetricDesc kRunning =
    Counter("node_schedstat_running_seconds_total", "Time tasks ran on the CPU.");
constexpr model::MetricDesc kWaiting =
    Counter("node_schedstat_waiting_seconds_total", "Time tasks waited for the CPU.");
constexpr model::MetricDesc kTimeslices =
    Counter("node_schedstat_timeslices_total", "How often a task got the CPU.");

constexpr double kNanoseconds = 1e9;
constexpr size_t kNumbers = 9;

base::Result<void> CollectSchedstat(Context& host, Scrape& scrape) {
  ASSIGN_OR_RETURN(const std::string text, host.proc.Read("schedstat"));
  for (const ScheduledCpu& cpu : ParseSchedstat(text)) {
    scrape.Emit(kRunning, static_cast<double>(cpu.running_ns) / kNanoseconds, {cpu.cpu});
    scrape.Emit(kWaiting, static_cast<double>(cpu.waiting_ns) / kNanoseconds, {cpu.cpu});
    scrape.Emit(kTimeslices, static_cast<double>(cpu.timeslices), {cpu.cpu});
  }
  return {};
}

}  // namespace

std::vector<ScheduledCpu> ParseSchedstat(std::string_view text) {
  std::vector<ScheduledCpu> cpus;
  while (!text.empty()) {
    std::string_view line = NextLine(&text);
    const std::string_view name = NextField(&line);
    std::array<uint64_t, kNumbers> numbers{};
    if (name.substr(0, 3) == "cpu" && ParseNumbers(line, &numbers) == kNumbers) {
      cpus.push_back({.cpu = name.substr(3),
                      .running_ns = numbers[6],
                      .waiting_ns = numbers[7],
                      .timeslices = numbers[8]});
    }
  }
  return cpus;
}

extern constexpr HostCollector kSchedstatCollector{.name = "schedstat",
                                                   .help = "Time tasks ran and waited on each CPU.",
                                                   .collect = CollectSchedstat};

}  // namespace exporters::host
