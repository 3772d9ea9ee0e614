// INFO's CPU section: "used_cpu_user:1.500000", seconds with six decimals. Dragonfly leaves out the
// zeros in front of the microseconds, so that 1.000005 s reads "1.5"; for it the digits after the
// point are counted, not their place.
#include <algorithm>
#include <optional>
#include <string_view>

#include "exporters/redis/context.h"
#include "lib/base/strings.h"

namespace exporters::redis {
namespace {

constexpr auto kCounter = model::MetricType::kCounter;

constexpr InfoMetric kMetrics[] = {
    {"used_cpu_sys",
     {.name = "redis_cpu_sys_seconds_total",
      .help = "Processor time the server has used in the kernel, in seconds.",
      .type = kCounter}},
    {"used_cpu_user",
     {.name = "redis_cpu_user_seconds_total",
      .help = "Processor time the server has used outside the kernel, in seconds.",
      .type = kCounter}},
    {"used_cpu_sys_children",
     {.name = "redis_cpu_sys_children_seconds_total",
      .help = "Processor time the server's child processes have used in the kernel, in seconds.",
      .type = kCounter}},
    {"used_cpu_user_children",
     {.name = "redis_cpu_user_children_seconds_total",
      .help = "Processor time the server's child processes have used outside the kernel, in "
              "seconds.",
      .type = kCounter}},
    {"used_cpu_sys_main_thread",
     {.name = "redis_cpu_sys_main_thread_seconds_total",
      .help = "Processor time the server's main thread has used in the kernel, in seconds.",
      .type = kCounter}},
    {"used_cpu_user_main_thread",
     {.name = "redis_cpu_user_main_thread_seconds_total",
      .help = "Processor time the server's main thread has used outside the kernel, in seconds.",
      .type = kCounter}},
};

// Seconds and, after the point, a count of microseconds.
std::optional<double> ParseUnpaddedSeconds(std::string_view text) {
  const size_t point = std::min(text.find('.'), text.size());
  const auto seconds = base::ParseUint(text.substr(0, point));
  const auto microseconds =
      point == text.size() ? std::optional<uint64_t>(0) : base::ParseUint(text.substr(point + 1));
  if (!seconds.has_value() || !microseconds.has_value()) {
    return std::nullopt;
  }
  return static_cast<double>(*seconds) + static_cast<double>(*microseconds) / 1e6;
}

base::Result<void> CollectCpu(const Snapshot& snapshot, Scrape& scrape) {
  if (!snapshot.info.Find("dragonfly_version").has_value()) {
    EmitInfo(kMetrics, snapshot.info, scrape);
    return {};
  }
  for (const InfoMetric& row : kMetrics) {
    if (const auto value = ParseUnpaddedSeconds(snapshot.info.Get(row.field)); value.has_value()) {
      scrape.Emit(row.desc, *value);
    }
  }
  return {};
}

}  // namespace

extern constexpr RedisCollector kCpu{
    .name = "cpu", .help = "Processor time of the server.", .collect = CollectCpu};

}  // namespace exporters::redis
