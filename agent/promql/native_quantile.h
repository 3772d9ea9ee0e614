// Estimates from the buckets of native histograms: linear within custom buckets and the zero
// bucket, exponential within all others.
#pragma once

#include "lib/model/native_histogram.h"

namespace promql {

// Observations of NaN are in no bucket; they count as the greatest.
enum class NanEffect { kNone, kSkewed, kResult };
struct NativeQuantileResult {
  double value = 0;
  NanEffect nan = NanEffect::kNone;
};
NativeQuantileResult NativeQuantile(double q, const model::NativeHistogram& histogram);

// The share of the observations between `lower` and `upper`.
double NativeFraction(double lower, double upper, const model::NativeHistogram& histogram);

// Population variance, with every observation in the middle of its bucket.
double NativeVariance(const model::NativeHistogram& histogram);

}  // namespace promql
