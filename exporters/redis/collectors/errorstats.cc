// INFO's Errorstats section: error replies by their first word, "errorstat_ERR:count=2". Dragonfly
// leaves the prefix out.
#include "exporters/redis/context.h"

namespace exporters::redis {
namespace {

constexpr model::MetricDesc kErrors{.name = "redis_errors_total",
                                    .help = "Error replies by their first word.",
                                    .type = model::MetricType::kCounter,
                                    .labels = {"err"}};

base::Result<void> CollectErrorstats(const Snapshot& snapshot, Scrape& scrape) {
  for (const InfoField& field : snapshot.info.fields()) {
    const auto after = AfterPrefix(field.name, "errorstat_");
    if (!after.has_value() && field.section != "Errorstats") {
      continue;
    }
    if (const auto count = InfoPairs(field.value).Number("count"); count.has_value()) {
      scrape.Emit(kErrors, *count, {after.value_or(field.name)});
    }
  }
  return {};
}

}  // namespace

extern constexpr RedisCollector kErrorstats{
    .name = "errorstats", .help = "Error replies by kind.", .collect = CollectErrorstats};

}  // namespace exporters::redis
