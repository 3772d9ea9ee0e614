// The process_* families that every Prometheus client library exports about its own process.
#pragma once

#include <string>
#include <vector>

#include "lib/model/metric_family.h"

namespace exposition {

// Read from `proc`, sorted by name. What cannot be read is left out.
std::vector<model::MetricFamily> CollectProcessMetrics(const std::string& proc = "/proc");

}  // namespace exposition
