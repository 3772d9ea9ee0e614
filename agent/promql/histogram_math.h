// Sums and averages of native histograms, one after the other.
#pragma once

#include <cstddef>

#include "lib/model/native_histogram.h"

namespace promql {

// Takes the n-th histogram (from 2) into what there is of the ones before.
using HistogramFold = model::HistogramMismatch (*)(size_t n, const model::NativeHistogram& next,
                                                   model::NativeHistogram* so_far);

inline model::HistogramMismatch FoldSum(size_t /*n*/, const model::NativeHistogram& next,
                                        model::NativeHistogram* so_far) {
  return model::Add(next, so_far);
}

// The mean moves by (next - mean) / n, so that no sum can overflow.
inline model::HistogramMismatch FoldMean(size_t n, const model::NativeHistogram& next,
                                         model::NativeHistogram* so_far) {
  const auto count = static_cast<double>(n);
  model::NativeHistogram change = next;
  model::NativeHistogram share = *so_far;
  model::Divide(count, &change);
  model::Divide(count, &share);
  const model::HistogramMismatch mismatch = model::Subtract(share, &change);
  return mismatch == model::HistogramMismatch::kNone ? model::Add(change, so_far) : mismatch;
}

}  // namespace promql
