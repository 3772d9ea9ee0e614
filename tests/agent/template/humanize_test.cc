#include "agent/template/humanize.h"

#include <limits>

#include <gtest/gtest.h>

namespace tmpl {
namespace {

constexpr double kInf = std::numeric_limits<double>::infinity();

TEST(Humanize, PicksADecimalPrefix) {
  EXPECT_EQ(Humanize(0), "0");
  EXPECT_EQ(Humanize(1), "1");
  EXPECT_EQ(Humanize(1234567), "1.235M");
  EXPECT_EQ(Humanize(1048576), "1.049M");
  EXPECT_EQ(Humanize(999.9), "999.9");
  EXPECT_EQ(Humanize(0.00012), "120u");
  EXPECT_EQ(Humanize(-2500), "-2.5k");
  EXPECT_EQ(Humanize(1e30), "1e+06Y");
  EXPECT_EQ(Humanize(kInf), "+Inf");
}

TEST(Humanize1024, PicksABinaryPrefix) {
  EXPECT_EQ(Humanize1024(0), "0");
  EXPECT_EQ(Humanize1024(1), "1");
  EXPECT_EQ(Humanize1024(1048576), "1Mi");
  EXPECT_EQ(Humanize1024(1536), "1.5ki");
  EXPECT_EQ(Humanize1024(-1536), "-1.5ki");
}

TEST(HumanizeDuration, DropsLeadingZeroUnits) {
  EXPECT_EQ(HumanizeDuration(0), "0s");
  EXPECT_EQ(HumanizeDuration(1), "1s");
  EXPECT_EQ(HumanizeDuration(12.34567), "12.35s");
  EXPECT_EQ(HumanizeDuration(60), "1m 0s");
  EXPECT_EQ(HumanizeDuration(135.3563), "2m 15s");
  EXPECT_EQ(HumanizeDuration(3600), "1h 0m 0s");
  EXPECT_EQ(HumanizeDuration(86400), "1d 0h 0m 0s");
  EXPECT_EQ(HumanizeDuration(899.99), "14m 59s");
  EXPECT_EQ(HumanizeDuration(0.1), "100ms");
  EXPECT_EQ(HumanizeDuration(0.0001), "100us");
  EXPECT_EQ(HumanizeDuration(-135), "-2m 15s");
  EXPECT_EQ(HumanizeDuration(kInf), "+Inf");
}

TEST(HumanizePercentage, MultipliesByAHundred) {
  EXPECT_EQ(HumanizePercentage(0.959), "95.9%");
  EXPECT_EQ(HumanizePercentage(1.23456), "123.5%");
  EXPECT_EQ(HumanizePercentage(-0.5), "-50%");
}

TEST(HumanizeTimestamp, IsUtcToTheMillisecond) {
  EXPECT_EQ(*HumanizeTimestamp(1643114203), "2022-01-25 12:36:43 +0000 UTC");
  EXPECT_EQ(*HumanizeTimestamp(1435065584.128), "2015-06-23 13:19:44.128 +0000 UTC");
  EXPECT_EQ(*HumanizeTimestamp(kInf), "+Inf");
  EXPECT_FALSE(HumanizeTimestamp(1e20).ok());
}

}  // namespace
}  // namespace tmpl
