#include "lib/base/duration.h"

#include <gtest/gtest.h>

namespace base {
namespace {

using std::chrono::milliseconds;

TEST(Duration, ParsesWhatPrometheusParses) {
  const auto check = [](std::string_view text, int64_t expected_ms) {
    const auto parsed = ParseDuration(text);
    ASSERT_TRUE(parsed.ok()) << text << ": " << parsed.error().message();
    EXPECT_EQ(parsed->count(), expected_ms) << text;
  };
  check("0", 0);
  check("0s", 0);
  check("1ms", 1);
  check("15s", 15'000);
  check("1m", 60'000);
  check("90m", 5'400'000);
  check("1h30m", 5'400'000);
  check("1d", 86'400'000);
  check("1w", 604'800'000);
  check("1y", 31'536'000'000);
  check("1y2w3d4h5m6s7ms",
        31'536'000'000 + 2 * 604'800'000LL + 3 * 86'400'000LL + 4 * 3'600'000 + 5 * 60'000 + 6'007);
  check("292y", 292 * 31'536'000'000);
}

TEST(Duration, RefusesWhatPrometheusRefuses) {
  for (const char* text :
       {"", " ", "1", "s", "1x", "-1s", "+1s", "1.5s", "1s1m", "1m1m", "1m 30s", " 1m", "1m ", "1S",
        "1ms1s", "9223372036854775808s", "300000000000y", "1h30", "0x10s"}) {
    const auto parsed = ParseDuration(text);
    ASSERT_FALSE(parsed.ok()) << text;
    EXPECT_EQ(parsed.error().kind(), ErrorKind::kInvalidArgument) << text;
  }
}

TEST(Duration, FormatsTheShortestExactForm) {
  const auto check = [](int64_t ms, std::string_view expected) {
    EXPECT_EQ(FormatDuration(milliseconds(ms)), expected);
    if (ms > 0) {
      EXPECT_EQ(ParseDuration(expected)->count(), ms);
    }
  };
  check(0, "0s");
  check(1, "1ms");
  check(1'000, "1s");
  check(90'000, "1m30s");
  check(3'600'000, "1h");
  check(86'400'000, "1d");
  check(7 * 86'400'000LL, "1w");
  check(8 * 86'400'000LL, "8d");
  check(365 * 86'400'000LL, "1y");
  check(-1'500, "-1s500ms");
}

}  // namespace
}  // namespace base
