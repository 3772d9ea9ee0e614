// What programs measure about themselves with prometheus-cpp (counters, gauges, histograms in a
// Registry), as our families.
#pragma once

#include <vector>

#include "lib/model/metric_family.h"

namespace prometheus {
class Collectable;
}

namespace exposition {

// Families sorted by name. Metrics of one family may differ in label names: a label that one lacks
// is empty. A metric that would bring its family above model::LabelNames::kMax label names is left
// out.
std::vector<model::MetricFamily> CollectFrom(const prometheus::Collectable& collectable);

}  // namespace exposition
