#include "agent/promql/native_quantile.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>
#include <vector>

#include "agent/promql/kahan.h"

namespace promql {
namespace {

using model::BoundedBucket;
using model::NativeHistogram;

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

// Where interpolation starts and ends: at 0 in a zero bucket next to buckets of one side only, and
// in the first custom bucket.
BoundedBucket Tightened(BoundedBucket bucket, const NativeHistogram& histogram) {
  if (histogram.has_custom_bounds()) {
    if (bucket.lower == -kInfinity && bucket.upper > 0) {
      bucket.lower = 0;
    }
  } else if (bucket.lower <= 0 && bucket.upper >= 0) {
    const bool negative = !histogram.negative.empty();
    const bool positive = !histogram.positive.empty();
    bucket.lower = positive && !negative ? 0 : bucket.lower;
    bucket.upper = negative && !positive ? 0 : bucket.upper;
  }
  return bucket;
}

bool IsLinear(const BoundedBucket& bucket, const NativeHistogram& histogram) {
  return histogram.has_custom_bounds() || (bucket.lower <= 0 && bucket.upper >= 0);
}

// The value at `fraction` of the bucket's observations.
double ValueAt(double fraction, const BoundedBucket& bucket, const NativeHistogram& histogram) {
  if (IsLinear(bucket, histogram)) {
    return bucket.lower + (bucket.upper - bucket.lower) * fraction;
  }
  const double lower = std::log2(std::fabs(bucket.lower));
  const double upper = std::log2(std::fabs(bucket.upper));
  return bucket.lower > 0 ? std::exp2(lower + (upper - lower) * fraction)
                          : -std::exp2(upper + (lower - upper) * (1 - fraction));
}

// How much of the bucket's observations are below `value`, which is inside.
double FractionAt(double value, const BoundedBucket& bucket, const NativeHistogram& histogram) {
  if (IsLinear(bucket, histogram)) {
    return std::isinf(bucket.lower) || std::isinf(bucket.upper)
               ? 0
               : (value - bucket.lower) / (bucket.upper - bucket.lower);
  }
  const double lower = std::log2(std::fabs(bucket.lower));
  const double upper = std::log2(std::fabs(bucket.upper));
  const double at = std::log2(std::fabs(value));
  return value > 0 ? (at - lower) / (upper - lower) : 1 - (at - upper) / (lower - upper);
}

double CountOf(const std::vector<BoundedBucket>& buckets) {
  double count = 0;
  for (const BoundedBucket& bucket : buckets) {
    count += bucket.count;
  }
  return count;
}

// The bucket that holds a rank, and what the buckets up to and with it count. From below or from
// above, whichever is nearer, so that rounding hurts less.
struct Found {
  BoundedBucket bucket;
  double count = 0;
};
template <typename Iterator>
Found Find(double rank, Iterator begin, Iterator end) {
  Found found;
  for (Iterator at = begin; at != end; ++at) {
    found.bucket = *at;
    found.count += at->count;
    if (found.count >= rank) {
      break;
    }
  }
  return found;
}

// How many observations are below `value`.
double RankOf(double value, const std::vector<BoundedBucket>& buckets,
              const NativeHistogram& histogram, double total) {
  double rank = 0;
  for (const BoundedBucket& whole : buckets) {
    const BoundedBucket bucket = Tightened(whole, histogram);
    if (bucket.lower >= value) {
      return std::min(rank, total);
    }
    if (bucket.upper > value) {
      return std::min(rank + bucket.count * FractionAt(value, bucket, histogram), total);
    }
    rank += bucket.count;
  }
  return total;
}

}  // namespace

NativeQuantileResult NativeQuantile(double q, const NativeHistogram& histogram) {
  if (q < 0 || q > 1) {
    return {q < 0 ? -kInfinity : kInfinity};
  }
  if (histogram.count == 0 || std::isnan(q)) {
    return {kNaN};
  }
  const std::vector<BoundedBucket> buckets = model::BoundedBuckets(histogram);
  const bool has_nan = std::isnan(histogram.sum) && histogram.count > CountOf(buckets);
  const bool forward = std::isnan(histogram.sum) || q < 0.5;
  const double rank = (forward ? q : 1 - q) * histogram.count;
  Found found = forward ? Find(rank, buckets.begin(), buckets.end())
                        : Find(rank, buckets.rbegin(), buckets.rend());
  if (has_nan && found.count < rank) {
    return {kNaN, NanEffect::kResult};
  }
  const NanEffect effect = has_nan ? NanEffect::kSkewed : NanEffect::kNone;
  const BoundedBucket bucket = Tightened(found.bucket, histogram);
  if (histogram.has_custom_bounds()) {
    if (bucket.lower == -kInfinity) {
      return {bucket.upper, effect};
    }
    if (bucket.upper == kInfinity) {
      return {bucket.lower, effect};
    }
  }
  if (found.count < rank) {
    return {bucket.upper, effect};
  }
  found.count = std::min(found.count, histogram.count);
  const double inside = forward ? rank - (found.count - bucket.count) : found.count - rank;
  return {ValueAt(inside / bucket.count, bucket, histogram), effect};
}

double NativeFraction(double lower, double upper, const NativeHistogram& histogram) {
  if (histogram.count == 0 || std::isnan(lower) || std::isnan(upper)) {
    return kNaN;
  }
  if (lower >= upper) {
    return 0;
  }
  const std::vector<BoundedBucket> buckets = model::BoundedBuckets(histogram);
  const double total = std::isnan(histogram.sum) ? CountOf(buckets) : histogram.count;
  return (RankOf(upper, buckets, histogram, total) - RankOf(lower, buckets, histogram, total)) /
         histogram.count;
}

double NativeVariance(const NativeHistogram& histogram) {
  const double mean = histogram.sum / histogram.count;
  KahanSum squares;
  for (const BoundedBucket& bucket : model::BoundedBuckets(histogram)) {
    double middle = 0;  // Of the zero bucket.
    if (histogram.has_custom_bounds()) {
      middle = (bucket.upper + bucket.lower) / 2;
    } else if (bucket.lower > 0 || bucket.upper < 0) {
      middle = std::copysign(std::sqrt(bucket.upper * bucket.lower), bucket.upper);
    }
    squares.Add(bucket.count * (middle - mean) * (middle - mean));
  }
  return squares.Total() / histogram.count;
}

}  // namespace promql
