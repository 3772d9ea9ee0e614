// Classic histograms as native ones with custom bounds.
#pragma once

#include <map>
#include <optional>

#include "lib/model/native_histogram.h"

namespace promql {

// The samples of one classic histogram at one time.
struct ClassicHistogram {
  std::map<double, double> buckets;  // Cumulative counts by upper bound.
  std::optional<double> count;
  double sum = 0;
};

// Without a count, the highest bucket's stands for it.
model::NativeHistogram ToNative(const ClassicHistogram& classic);

}  // namespace promql
