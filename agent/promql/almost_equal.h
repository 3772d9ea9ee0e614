// Equality of values that were computed along different paths.
#pragma once

#include <algorithm>
#include <cmath>
#include <limits>

#include "lib/model/sample.h"

namespace promql {

// The difference is below `tolerance` of the sum of the magnitudes. NaN equals NaN, the stale
// marker only itself. Next to zero, where nothing is relative, the tolerance is that of the
// smallest normal number.
inline bool AlmostEqual(double a, double b, double tolerance) {
  if (model::IsStale(a) || model::IsStale(b)) {
    return model::IsStale(a) && model::IsStale(b);
  }
  if (a == b || (std::isnan(a) && std::isnan(b))) {
    return true;
  }
  constexpr double kMinNormal = std::numeric_limits<double>::min();
  const double sum = std::fabs(a) + std::fabs(b);
  const double difference = std::fabs(a - b);
  if (a == 0 || b == 0 || sum < kMinNormal) {
    return difference < tolerance * kMinNormal;
  }
  return difference / std::min(sum, std::numeric_limits<double>::max()) < tolerance;
}

}  // namespace promql
