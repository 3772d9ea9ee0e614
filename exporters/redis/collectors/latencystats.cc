// INFO's Latencystats section: percentiles of the time that calls took, by command.
//   latency_percentiles_usec_set:p50=0.001,p99=3.007,p99.9=6.015
// Count and sum come from the command's line in Commandstats. The quantile labels are percents, not
// fractions, as redis_exporter writes them and dashboards select them.
#include <cmath>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "exporters/redis/context.h"

namespace exporters::redis {
namespace {

constexpr model::MetricDesc kPercentiles{
    .name = "redis_latency_percentiles_usec",
    .help = "Percentiles of the time that calls took by command, in microseconds.",
    .type = model::MetricType::kSummary,
    .labels = {"cmd"}};

std::unique_ptr<model::Summary> MakeSummary(const InfoPairs& percentiles, const InfoPairs& totals) {
  const auto calls = totals.Number("calls");
  const auto microseconds = totals.Number("usec");
  if (!calls.has_value() || !microseconds.has_value()) {
    return nullptr;
  }
  auto summary = std::make_unique<model::Summary>();
  summary->count = *calls;
  summary->sum = *microseconds;
  for (const InfoPairs::Pair& pair : percentiles.pairs()) {
    const auto name = AfterPrefix(pair.name, "p");
    const auto percent = name.has_value() ? ParseInfoValue(*name) : std::nullopt;
    const auto value = ParseInfoValue(pair.value);
    if (percent.has_value() && value.has_value()) {
      summary->quantiles.push_back({.quantile = *percent, .value = *value});
    }
  }
  return summary;
}

base::Result<void> CollectLatencystats(const Snapshot& snapshot, Scrape& scrape) {
  for (const InfoField& field : snapshot.info.fields()) {
    const auto command = AfterPrefix(field.name, "latency_percentiles_usec_");
    if (!command.has_value()) {
      continue;
    }
    const InfoPairs totals(snapshot.info.Get("cmdstat_" + std::string(*command)));
    if (auto summary = MakeSummary(InfoPairs(field.value), totals); summary != nullptr) {
      scrape.Emit(kPercentiles, model::Metric{.labels = {*command}, .summary = std::move(summary)});
    }
  }
  return {};
}

}  // namespace

extern constexpr RedisCollector kLatencystats{
    .name = "latencystats",
    .help = "Percentiles of the time that calls took, by command.",
    .collect = CollectLatencystats};

}  // namespace exporters::redis
