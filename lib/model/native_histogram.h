// Native histograms: many buckets in one sample. Counts are doubles, as PromQL computes with them;
// the counts of integer histograms are exact up to 2^53.
//
// With an exponential schema n from -4 to 8, bucket i of the positive side is
// (base^(i-1), base^i] with base = 2^(2^-n), the negative side mirrors it, and the zero bucket is
// [-zero_threshold, zero_threshold]. With custom bounds there is the positive side only: bucket i
// ends at custom_bounds[i], the one after the last bound at +Inf.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace model {

// What is known about a reset between the sample before and this one.
enum class CounterReset : uint8_t { kUnknown, kReset, kNotReset, kGauge };

struct NativeHistogram {
  static constexpr int32_t kMinSchema = -4;
  static constexpr int32_t kMaxSchema = 8;
  static constexpr int32_t kCustomSchema = -53;

  struct Bucket {
    int32_t index = 0;
    double count = 0;
  };
  using Buckets = std::vector<Bucket>;  // By index; none twice.

  int32_t schema = 0;
  CounterReset reset = CounterReset::kUnknown;
  double zero_threshold = 0;
  double zero_count = 0;
  double count = 0;  // Of all observations, those of NaN among them, which are in no bucket.
  double sum = 0;
  Buckets positive;
  Buckets negative;
  std::vector<double> custom_bounds;  // Ascending, without +Inf.

  bool has_custom_bounds() const { return schema == kCustomSchema; }
};

struct HistogramSample {
  int64_t timestamp_ms = 0;
  std::shared_ptr<const NativeHistogram> histogram;
};

// The sum is the stale marker: the series has ended.
bool IsStale(const NativeHistogram& histogram);

// A bucket with its bounds.
struct BoundedBucket {
  double lower = 0;
  double upper = 0;
  double count = 0;
  bool lower_inclusive = false;
  bool upper_inclusive = false;
};
// From the lowest bound up, the zero bucket in its place; empty buckets are left out.
std::vector<BoundedBucket> BoundedBuckets(const NativeHistogram& histogram);

// Why two histograms cannot be combined.
enum class HistogramMismatch : uint8_t { kNone, kSchema, kBounds };

// `into` ± `other`, at the lower of the two resolutions and with the wider zero bucket. On a
// mismatch `into` stays as it was.
HistogramMismatch Add(const NativeHistogram& other, NativeHistogram* into);
HistogramMismatch Subtract(const NativeHistogram& other, NativeHistogram* into);
void Multiply(double factor, NativeHistogram* histogram);
void Divide(double divisor, NativeHistogram* histogram);
// Merges buckets until `schema` fits; it must be exponential and at most that of the histogram.
void ReduceResolution(int32_t schema, NativeHistogram* histogram);
// Drops empty buckets.
void Compact(NativeHistogram* histogram);

// Whether a counter must have been reset between the two: by the hint if that says so, else because
// some count went down or a bucket was split.
bool IsReset(const NativeHistogram& previous, const NativeHistogram& current);
// What a store knows about `current` after `previous` (null: nothing): gauges and explicit resets
// stay what they are, others are decided by their counts.
CounterReset ResetAfter(const NativeHistogram* previous, const NativeHistogram& current);

// The same observations, bit for bit; hints and empty buckets do not count.
bool SameObservations(const NativeHistogram& a, const NativeHistogram& b);

// {count:3, sum:4.5, [-0.001,0.001]:1, (0.5,1]:2}
std::string ToString(const NativeHistogram& histogram);

}  // namespace model
