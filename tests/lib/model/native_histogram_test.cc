#include "lib/model/native_histogram.h"

#include <cmath>
#include <limits>

#include <gtest/gtest.h>

namespace model {
namespace {

NativeHistogram Make(int32_t schema, NativeHistogram::Buckets positive) {
  NativeHistogram histogram{.schema = schema, .positive = std::move(positive)};
  for (const NativeHistogram::Bucket& bucket : histogram.positive) {
    histogram.count += bucket.count;
  }
  return histogram;
}

TEST(NativeHistogram, BoundsGrowByTheSchemasBase) {
  const auto upper = [](int32_t schema, int32_t index) {
    return BoundedBuckets(Make(schema, {{index, 1}})).front().upper;
  };
  EXPECT_EQ(upper(0, 0), 1);
  EXPECT_EQ(upper(0, 1), 2);
  EXPECT_EQ(upper(0, -2), 0.25);
  EXPECT_EQ(upper(1, 1), std::sqrt(2.0));
  EXPECT_EQ(upper(1, -1), std::sqrt(0.5));
  EXPECT_EQ(upper(3, -7), 0.5452538663326288);
  EXPECT_EQ(upper(8, 256), 2);
  EXPECT_EQ(upper(-4, 1), 65536);
  EXPECT_EQ(upper(-1, 2), 16);
  EXPECT_EQ(upper(0, 1024), std::numeric_limits<double>::max());
  EXPECT_EQ(upper(0, 1025), std::numeric_limits<double>::infinity());
  EXPECT_EQ(upper(2, 4096), std::numeric_limits<double>::max());
  EXPECT_EQ(upper(-4, 65), std::numeric_limits<double>::infinity());
}

TEST(NativeHistogram, BucketsDoNotReachIntoTheZeroBucket) {
  NativeHistogram histogram = Make(0, {{1, 2}});
  histogram.negative = {{1, 3}};
  histogram.zero_threshold = 1.5;
  histogram.zero_count = 1;
  const auto buckets = BoundedBuckets(histogram);
  ASSERT_EQ(buckets.size(), 3U);
  EXPECT_EQ(buckets[0].lower, -2);
  EXPECT_EQ(buckets[0].upper, -1.5);
  EXPECT_EQ(buckets[1].lower, -1.5);
  EXPECT_EQ(buckets[1].upper, 1.5);
  EXPECT_EQ(buckets[2].lower, 1.5);
}

TEST(NativeHistogram, AddsAtTheLowerResolution) {
  NativeHistogram sum = Make(1, {{-1, 1}, {0, 2}, {1, 3}, {2, 4}});
  ASSERT_EQ(Add(Make(0, {{1, 5}}), &sum), HistogramMismatch::kNone);
  EXPECT_EQ(ToString(sum), "{count:15, sum:0, (0.5,1]:3, (1,2]:12}");
}

TEST(NativeHistogram, WidensTheZeroBucketUntilNothingStraddlesIt) {
  NativeHistogram sum = Make(0, {{0, 1}, {1, 2}, {2, 3}});
  NativeHistogram other{.zero_threshold = 1.5, .zero_count = 10, .count = 10};
  ASSERT_EQ(Add(other, &sum), HistogramMismatch::kNone);
  EXPECT_EQ(ToString(sum), "{count:16, sum:0, [-2,2]:13, (2,4]:3}");
}

TEST(NativeHistogram, DoesNotCombineWhatDoesNotFit) {
  NativeHistogram custom = Make(NativeHistogram::kCustomSchema, {{0, 1}});
  custom.custom_bounds = {1, 2};
  NativeHistogram other = custom;
  other.custom_bounds = {1, 3};
  NativeHistogram into = Make(0, {{0, 1}});
  EXPECT_EQ(Add(custom, &into), HistogramMismatch::kSchema);
  EXPECT_EQ(Subtract(other, &custom), HistogramMismatch::kBounds);
  EXPECT_EQ(into.count, 1);
  EXPECT_EQ(custom.count, 1);
}

TEST(NativeHistogram, KnowsAReset) {
  const auto reset = [](NativeHistogram previous, NativeHistogram current) {
    return IsReset(previous, current);
  };
  EXPECT_FALSE(reset(Make(0, {{0, 1}}), Make(0, {{0, 1}})));
  EXPECT_FALSE(reset(Make(0, {{0, 1}}), Make(0, {{0, 2}, {1, 1}})));
  EXPECT_TRUE(reset(Make(0, {{0, 2}}), Make(0, {{0, 1}})));
  EXPECT_TRUE(reset(Make(0, {{0, 2}}), Make(0, {{0, 1}, {1, 5}})));  // A bucket went down.
  EXPECT_TRUE(reset(Make(0, {{0, 2}}), Make(0, {{1, 5}})));          // A bucket vanished.
  EXPECT_TRUE(reset(Make(0, {{0, 2}}), Make(1, {{0, 5}})));          // Resolution cannot grow.
  EXPECT_FALSE(reset(Make(1, {{0, 2}}), Make(0, {{0, 5}})));
  NativeHistogram said = Make(0, {{0, 5}});
  said.reset = CounterReset::kReset;
  EXPECT_TRUE(reset(Make(0, {{0, 2}}), said));
  said.reset = CounterReset::kNotReset;
  EXPECT_FALSE(reset(Make(0, {{0, 9}}), said));
}

TEST(NativeHistogram, TheStoreDecidesAboutResets) {
  NativeHistogram current = Make(0, {{0, 2}});
  const NativeHistogram less = Make(0, {{0, 1}});
  const NativeHistogram more = Make(0, {{0, 3}});
  EXPECT_EQ(ResetAfter(nullptr, current), CounterReset::kUnknown);
  EXPECT_EQ(ResetAfter(&less, current), CounterReset::kNotReset);
  EXPECT_EQ(ResetAfter(&more, current), CounterReset::kReset);
  current.reset = CounterReset::kGauge;
  EXPECT_EQ(ResetAfter(&more, current), CounterReset::kGauge);
  current.reset = CounterReset::kNotReset;  // Is not believed.
  EXPECT_EQ(ResetAfter(&more, current), CounterReset::kReset);
}

TEST(NativeHistogram, DividedByZeroHasNoBuckets) {
  NativeHistogram histogram = Make(0, {{0, 2}});
  Divide(0, &histogram);
  EXPECT_TRUE(std::isinf(histogram.count));
  EXPECT_TRUE(histogram.positive.empty());
}

TEST(NativeHistogram, ComparesObservationsOnly) {
  NativeHistogram a = Make(0, {{0, 2}, {1, 0}});
  NativeHistogram b = Make(0, {{0, 2}});
  b.reset = CounterReset::kGauge;
  EXPECT_TRUE(SameObservations(a, b));
  b.sum = 1;
  EXPECT_FALSE(SameObservations(a, b));
}

TEST(NativeHistogram, PrintsNumbersAsGoDoes) {
  NativeHistogram histogram = Make(-4, {{2, 1234567}});
  histogram.sum = 0.00001;
  EXPECT_EQ(ToString(histogram),
            "{count:1.234567e+06, sum:1e-05, (65536,4.294967296e+09]:1.234567e+06}");
}

}  // namespace
}  // namespace model
