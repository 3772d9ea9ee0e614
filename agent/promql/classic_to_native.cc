#include "agent/promql/classic_to_native.h"

#include <cmath>

namespace promql {

model::NativeHistogram ToNative(const ClassicHistogram& classic) {
  model::NativeHistogram native{.schema = model::NativeHistogram::kCustomSchema};
  native.sum = classic.sum;
  double below = 0;
  int32_t index = 0;
  const auto add = [&](double cumulative) {
    if (cumulative != below) {
      native.positive.push_back({index, cumulative - below});
    }
    below = cumulative;
    ++index;
  };
  for (const auto& [bound, count] : classic.buckets) {
    if (!std::isinf(bound)) {
      native.custom_bounds.push_back(bound);
      add(count);
    }
  }
  const double highest = classic.buckets.empty() ? 0 : classic.buckets.rbegin()->second;
  native.count = classic.count.value_or(highest);
  add(native.count);
  return native;
}

}  // namespace promql
