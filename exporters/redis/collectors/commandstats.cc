// INFO's Commandstats section: calls, time and failures by command.
//   cmdstat_config|get:calls=1,usec=204,usec_per_call=204.00,rejected_calls=0,failed_calls=0
// Rejected and failed calls are there since Redis 6.2.
#include <optional>

#include "exporters/redis/context.h"

namespace exporters::redis {
namespace {

struct CommandMetric {
  std::string_view pair;
  model::MetricDesc desc;
  double divisor = 1;
};

constexpr CommandMetric kMetrics[] = {
    {"calls",
     {.name = "redis_commands_total",
      .help = "Calls by command.",
      .type = model::MetricType::kCounter,
      .labels = {"cmd"}}},
    {"usec",
     {.name = "redis_commands_duration_seconds_total",
      .help = "Time spent on calls by command, in seconds.",
      .type = model::MetricType::kCounter,
      .labels = {"cmd"}},
     1e6},
    // redis_exporter has the help texts of these two the wrong way round.
    {"rejected_calls",
     {.name = "redis_commands_rejected_calls_total",
      .help = "Calls by command that were rejected before the command ran.",
      .type = model::MetricType::kCounter,
      .labels = {"cmd"}}},
    {"failed_calls",
     {.name = "redis_commands_failed_calls_total",
      .help = "Calls by command that failed while the command ran.",
      .type = model::MetricType::kCounter,
      .labels = {"cmd"}}},
};

base::Result<void> CollectCommandstats(const Snapshot& snapshot, Scrape& scrape) {
  for (const InfoField& field : snapshot.info.fields()) {
    const auto command = AfterPrefix(field.name, "cmdstat_");
    if (!command.has_value()) {
      continue;
    }
    const InfoPairs pairs(field.value);
    for (const CommandMetric& metric : kMetrics) {
      if (const auto value = pairs.Number(metric.pair); value.has_value()) {
        scrape.Emit(metric.desc, *value / metric.divisor, {*command});
      }
    }
  }
  return {};
}

}  // namespace

extern constexpr RedisCollector kCommandstats{.name = "commandstats",
                                              .help = "Calls, time and failures by command.",
                                              .collect = CollectCommandstats};

}  // namespace exporters::redis
