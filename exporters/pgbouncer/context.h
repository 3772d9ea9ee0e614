// What the collectors of this exporter see.
#pragma once

#include <span>
#include <string_view>

#include "exporters/pgbouncer/shows.h"
#include "exporters/toolkit/collector_set.h"
#include "exporters/toolkit/scrape.h"
#include "lib/base/result.h"
#include "lib/model/metric_family.h"

namespace exporters::pgbouncer {

using PgBouncerCollector = Collector<const Snapshot>;

// One line of SHOW LISTS or SHOW CONFIG, which are rows of a name and a value, and its metric.
struct NamedValue {
  std::string_view name;
  model::MetricDesc desc;
};

// Emits the rows whose name is in the answer with a number. The first column is the name, the
// second the value; both are in that place in every version.
base::Result<void> EmitNamedValues(std::span<const NamedValue> table, const TextRows& rows,
                                   Scrape& scrape);

}  // namespace exporters::pgbouncer
