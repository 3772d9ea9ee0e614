// What the collectors of this exporter see, and the table form most of them have.
#pragma once

#include <span>
#include <string_view>

#include "exporters/redis/info.h"
#include "exporters/redis/requests.h"
#include "exporters/redis/session.h"
#include "exporters/toolkit/collector_set.h"
#include "exporters/toolkit/scrape.h"
#include "lib/base/result.h"
#include "lib/model/metric_family.h"

namespace exporters::redis {

using RedisCollector = Collector<const Snapshot>;

// One INFO field and the metric it becomes. Names and types are the ones redis_exporter has, a few
// of them odd (counters typed as gauges), because dashboards and OpenMetrics readers depend on
// them.
struct InfoMetric {
  std::string_view field;
  model::MetricDesc desc;
  double divisor = 1;  // From the field's unit to the metric's; dividing keeps 5 us at 5e-06 s.
};

// Emits the rows whose field is there and holds a value.
void EmitInfo(std::span<const InfoMetric> table, const Info& info, Scrape& scrape);

}  // namespace exporters::redis
