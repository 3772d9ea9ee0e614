// The process_* families that every Prometheus client library exports about its own process, and of
// another process the same.
#pragma once

#include <string>
#include <vector>

#include "lib/model/metric_family.h"

namespace exposition {

// Read from `proc`, sorted by name. What cannot be read is left out. `process` is "self" or a
// process ID.
std::vector<model::MetricFamily> CollectProcessMetrics(const std::string& proc = "/proc",
                                                       const std::string& process = "self");

}  // namespace exposition
