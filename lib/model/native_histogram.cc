#include "lib/model/native_histogram.h"

#include <algorithm>
#include <bit>
#include <charconv>
#include <cmath>
#include <limits>
#include <utility>

#include "lib/model/sample.h"

namespace model {
namespace {

using Buckets = NativeHistogram::Buckets;

constexpr double kInfinity = std::numeric_limits<double>::infinity();

// The upper bound of bucket `index`. The bucket of the greatest finite numbers ends at the greatest
// one, the next holds the infinities.
double ExponentialBound(int32_t index, int32_t schema) {
  constexpr int kMaxExponent = 1024;
  int exponent = 0;
  double fraction = 1;
  if (schema <= 0) {
    exponent = static_cast<int>(std::min<int64_t>(int64_t{index} << -schema, kMaxExponent + 1));
  } else {
    const int32_t whole = index >> schema;  // Rounded down.
    exponent = whole;
    fraction = std::exp2(std::ldexp(static_cast<double>(index - (whole << schema)), -schema));
  }
  if (exponent == kMaxExponent && fraction == 1) {
    return std::numeric_limits<double>::max();
  }
  return std::ldexp(fraction, exponent);
}

double CustomBound(int64_t index, const std::vector<double>& bounds) {
  if (index < 0) {
    return -kInfinity;
  }
  if (index >= static_cast<int64_t>(bounds.size())) {
    return kInfinity;
  }
  return bounds[static_cast<size_t>(index)];
}

// The bounds of a bucket's absolute values.
std::pair<double, double> AbsoluteBounds(const NativeHistogram& histogram, int32_t index) {
  return {ExponentialBound(index - 1, histogram.schema), ExponentialBound(index, histogram.schema)};
}

int32_t IndexAt(int32_t index, int32_t from_schema, int32_t to_schema) {
  return ((index - 1) >> (from_schema - to_schema)) + 1;
}

void ReduceBuckets(int32_t from_schema, int32_t to_schema, Buckets* buckets) {
  Buckets reduced;
  for (const NativeHistogram::Bucket& bucket : *buckets) {
    const int32_t index = IndexAt(bucket.index, from_schema, to_schema);
    if (!reduced.empty() && reduced.back().index == index) {
      reduced.back().count += bucket.count;
    } else {
      reduced.push_back({index, bucket.count});
    }
  }
  *buckets = std::move(reduced);
}

void AddBuckets(const Buckets& other, double sign, Buckets* into) {
  Buckets sum;
  sum.reserve(into->size() + other.size());
  auto a = into->begin();
  for (const NativeHistogram::Bucket& b : other) {
    for (; a != into->end() && a->index < b.index; ++a) {
      sum.push_back(*a);
    }
    if (a != into->end() && a->index == b.index) {
      sum.push_back({b.index, a->count + sign * b.count});
      ++a;
    } else {
      sum.push_back({b.index, sign * b.count});
    }
  }
  sum.insert(sum.end(), a, into->end());
  *into = std::move(sum);
}

void EraseEmpty(Buckets* buckets) {
  std::erase_if(*buckets, [](const NativeHistogram::Bucket& bucket) { return bucket.count == 0; });
}

// The count that a zero bucket of `threshold` would have, and the threshold that is possible: it
// may not end within a bucket that is not empty.
struct ZeroBucket {
  double threshold = 0;
  double count = 0;
};
ZeroBucket WidenedZero(const NativeHistogram& histogram, double threshold) {
  for (;;) {
    ZeroBucket zero{threshold, histogram.zero_count};
    for (const Buckets* side : {&histogram.positive, &histogram.negative}) {
      for (const NativeHistogram::Bucket& bucket : *side) {
        const auto [lower, upper] = AbsoluteBounds(histogram, bucket.index);
        if (lower >= zero.threshold) {
          break;
        }
        zero.count += bucket.count;
        if (upper > zero.threshold && bucket.count != 0) {
          zero.threshold = upper;
        }
      }
    }
    if (zero.threshold == threshold) {
      return zero;
    }
    threshold = zero.threshold;  // Once more: the other side may have more for it.
  }
}

void EraseBelow(double threshold, int32_t schema, Buckets* buckets) {
  std::erase_if(*buckets, [=](const NativeHistogram::Bucket& bucket) {
    return ExponentialBound(bucket.index, schema) <= threshold;
  });
}

void WidenZero(double threshold, NativeHistogram* histogram) {
  if (threshold <= histogram->zero_threshold) {
    return;
  }
  const ZeroBucket zero = WidenedZero(*histogram, threshold);
  histogram->zero_threshold = zero.threshold;
  histogram->zero_count = zero.count;
  EraseBelow(zero.threshold, histogram->schema, &histogram->positive);
  EraseBelow(zero.threshold, histogram->schema, &histogram->negative);
}

HistogramMismatch Mismatch(const NativeHistogram& a, const NativeHistogram& b) {
  if (a.has_custom_bounds() != b.has_custom_bounds()) {
    return HistogramMismatch::kSchema;
  }
  return a.custom_bounds == b.custom_bounds ? HistogramMismatch::kNone : HistogramMismatch::kBounds;
}

CounterReset CombinedReset(CounterReset a, CounterReset b) {
  if (a == CounterReset::kGauge || b == CounterReset::kGauge) {
    return CounterReset::kGauge;
  }
  return a == b ? a : CounterReset::kUnknown;
}

HistogramMismatch Combine(NativeHistogram other, double sign, NativeHistogram* into) {
  if (const HistogramMismatch mismatch = Mismatch(*into, other);
      mismatch != HistogramMismatch::kNone) {
    return mismatch;
  }
  into->reset = CombinedReset(into->reset, other.reset);
  if (!into->has_custom_bounds()) {
    while (into->zero_threshold != other.zero_threshold) {
      WidenZero(into->zero_threshold, &other);
      WidenZero(other.zero_threshold, into);
    }
    const int32_t schema = std::min(into->schema, other.schema);
    ReduceResolution(schema, into);
    ReduceResolution(schema, &other);
  }
  into->zero_count += sign * other.zero_count;
  into->count += sign * other.count;
  into->sum += sign * other.sum;
  AddBuckets(other.positive, sign, &into->positive);
  AddBuckets(other.negative, sign, &into->negative);
  return HistogramMismatch::kNone;
}

template <typename Change>
void ChangeCounts(NativeHistogram* histogram, const Change& change) {
  change(&histogram->zero_count);
  change(&histogram->count);
  change(&histogram->sum);
  for (Buckets* side : {&histogram->positive, &histogram->negative}) {
    for (NativeHistogram::Bucket& bucket : *side) {
      change(&bucket.count);
    }
  }
}

// Some bucket of `previous` has more than it has in `current`.
bool AnyDecrease(const Buckets& previous, const Buckets& current) {
  auto now = current.begin();
  for (const NativeHistogram::Bucket& before : previous) {
    while (now != current.end() && now->index < before.index) {
      ++now;
    }
    const double count = now != current.end() && now->index == before.index ? now->count : 0;
    if (count < before.count) {
      return true;
    }
  }
  return false;
}

// By the observations alone.
bool WentDown(NativeHistogram previous, const NativeHistogram& current) {
  if (current.count < previous.count || Mismatch(previous, current) != HistogramMismatch::kNone) {
    return true;
  }
  if (!current.has_custom_bounds()) {
    if (current.schema > previous.schema || current.zero_threshold < previous.zero_threshold) {
      return true;
    }
    WidenZero(current.zero_threshold, &previous);
    if (previous.zero_threshold != current.zero_threshold) {
      return true;
    }
    ReduceResolution(current.schema, &previous);
    EraseBelow(current.zero_threshold, current.schema, &previous.positive);
    EraseBelow(current.zero_threshold, current.schema, &previous.negative);
  }
  return current.zero_count < previous.zero_count ||
         AnyDecrease(previous.positive, current.positive) ||
         AnyDecrease(previous.negative, current.negative);
}

// As Go's %g prints: the shortest digits, with an exponent below 1e-4 and from 1e6 on.
std::string FormatShort(double value) {
  if (std::isnan(value)) {
    return "NaN";
  }
  if (std::isinf(value)) {
    return value > 0 ? "+Inf" : "-Inf";
  }
  char buffer[400];
  const auto scientific =
      std::to_chars(buffer, buffer + sizeof(buffer), value, std::chars_format::scientific);
  std::string text(buffer, scientific.ptr);
  const int exponent = std::stoi(text.substr(text.find('e') + 1));
  constexpr int kMaxFixed = 6;
  if (exponent < -4 || exponent >= kMaxFixed) {
    return text;
  }
  return std::string(
      buffer, std::to_chars(buffer, buffer + sizeof(buffer), value, std::chars_format::fixed).ptr);
}

bool SameBits(double a, double b) {
  return std::bit_cast<uint64_t>(a) == std::bit_cast<uint64_t>(b);
}

bool SameBuckets(Buckets a, Buckets b) {
  EraseEmpty(&a);
  EraseEmpty(&b);
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const auto& x, const auto& y) {
    return x.index == y.index && SameBits(x.count, y.count);
  });
}

}  // namespace

bool IsStale(const NativeHistogram& histogram) { return IsStale(histogram.sum); }

std::vector<BoundedBucket> BoundedBuckets(const NativeHistogram& histogram) {
  std::vector<BoundedBucket> buckets;
  buckets.reserve(histogram.negative.size() + histogram.positive.size() + 1);
  for (auto at = histogram.negative.rbegin(); at != histogram.negative.rend(); ++at) {
    const auto [near, far] = AbsoluteBounds(histogram, at->index);
    buckets.push_back({-far, -std::max(near, histogram.zero_threshold), at->count, true, false});
  }
  buckets.push_back(
      {-histogram.zero_threshold, histogram.zero_threshold, histogram.zero_count, true, true});
  for (const NativeHistogram::Bucket& bucket : histogram.positive) {
    if (histogram.has_custom_bounds()) {
      buckets.push_back({CustomBound(int64_t{bucket.index} - 1, histogram.custom_bounds),
                         CustomBound(bucket.index, histogram.custom_bounds), bucket.count,
                         bucket.index == 0, true});
    } else {
      const auto [near, far] = AbsoluteBounds(histogram, bucket.index);
      buckets.push_back({std::max(near, histogram.zero_threshold), far, bucket.count, false, true});
    }
  }
  std::erase_if(buckets, [](const BoundedBucket& bucket) { return bucket.count == 0; });
  return buckets;
}

HistogramMismatch Add(const NativeHistogram& other, NativeHistogram* into) {
  return Combine(other, 1, into);
}

HistogramMismatch Subtract(const NativeHistogram& other, NativeHistogram* into) {
  return Combine(other, -1, into);
}

void Multiply(double factor, NativeHistogram* histogram) {
  ChangeCounts(histogram, [factor](double* count) { *count *= factor; });
  if (factor < 0) {
    histogram->reset = CounterReset::kGauge;
  }
}

void Divide(double divisor, NativeHistogram* histogram) {
  ChangeCounts(histogram, [divisor](double* count) { *count /= divisor; });
  if (divisor == 0) {  // Counts of NaN and infinity are in no bucket.
    histogram->positive.clear();
    histogram->negative.clear();
  }
  if (divisor < 0) {
    histogram->reset = CounterReset::kGauge;
  }
}

void ReduceResolution(int32_t schema, NativeHistogram* histogram) {
  if (schema >= histogram->schema) {
    return;
  }
  ReduceBuckets(histogram->schema, schema, &histogram->positive);
  ReduceBuckets(histogram->schema, schema, &histogram->negative);
  histogram->schema = schema;
}

void Compact(NativeHistogram* histogram) {
  EraseEmpty(&histogram->positive);
  EraseEmpty(&histogram->negative);
}

bool IsReset(const NativeHistogram& previous, const NativeHistogram& current) {
  switch (current.reset) {
    case CounterReset::kReset:
      return true;
    case CounterReset::kNotReset:
      return false;
    case CounterReset::kUnknown:
    case CounterReset::kGauge:
      break;
  }
  return WentDown(previous, current);
}

CounterReset ResetAfter(const NativeHistogram* previous, const NativeHistogram& current) {
  if (current.reset == CounterReset::kGauge || current.reset == CounterReset::kReset) {
    return current.reset;
  }
  if (previous == nullptr || previous->reset == CounterReset::kGauge || IsStale(*previous) ||
      previous->schema != current.schema || previous->zero_threshold != current.zero_threshold ||
      previous->custom_bounds != current.custom_bounds) {
    return CounterReset::kUnknown;
  }
  return WentDown(*previous, current) ? CounterReset::kReset : CounterReset::kNotReset;
}

bool SameObservations(const NativeHistogram& a, const NativeHistogram& b) {
  return a.schema == b.schema && SameBits(a.count, b.count) && SameBits(a.sum, b.sum) &&
         a.zero_threshold == b.zero_threshold && SameBits(a.zero_count, b.zero_count) &&
         a.custom_bounds == b.custom_bounds && SameBuckets(a.positive, b.positive) &&
         SameBuckets(a.negative, b.negative);
}

std::string ToString(const NativeHistogram& histogram) {
  std::string text =
      "{count:" + FormatShort(histogram.count) + ", sum:" + FormatShort(histogram.sum);
  for (const BoundedBucket& bucket : BoundedBuckets(histogram)) {
    text += bucket.lower_inclusive ? ", [" : ", (";
    text += FormatShort(bucket.lower) + "," + FormatShort(bucket.upper);
    text += bucket.upper_inclusive ? "]:" : "):";
    text += FormatShort(bucket.count);
  }
  return text + "}";
}

}  // namespace model
