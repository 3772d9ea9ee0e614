// {{schema:1 sum:15 count:10 buckets:[3 2 5]}}, as test scripts write native histograms.
#pragma once

#include <string_view>

#include "lib/base/result.h"
#include "lib/model/native_histogram.h"

namespace promql {

struct HistogramLiteral {
  model::NativeHistogram histogram;
  bool says_reset = false;  // Has a counter_reset_hint.
};

inline constexpr size_t kMaxLiteralBuckets = 10'000;  // And custom bounds.

// Errors: kInvalidArgument.
base::Result<HistogramLiteral> ParseHistogramLiteral(std::string_view text);

}  // namespace promql
