#include "lib/exposition/number.h"

#include <bit>
#include <cmath>
#include <limits>
#include <random>
#include <string>

#include <gtest/gtest.h>

#include "lib/base/strings.h"
#include "lib/model/sample.h"

namespace exposition {
namespace {

TEST(ParseValue, ReadsBackEveryDoubleThatWasWritten) {
  std::mt19937_64 random(42);
  for (int i = 0; i < 100000; ++i) {
    const auto value = std::bit_cast<double>(random());
    const std::optional<double> back = ParseValue(base::FormatDouble(value));
    ASSERT_TRUE(back.has_value()) << value;
    const double expected = std::isnan(value) ? model::kNormalNaN : value;
    ASSERT_EQ(std::bit_cast<uint64_t>(*back), std::bit_cast<uint64_t>(expected)) << value;
  }
}

TEST(ParseValue, AcceptsGoNumbers) {
  const auto check = [](std::string_view text, double expected) {
    const std::optional<double> value = ParseValue(text);
    ASSERT_TRUE(value.has_value()) << text;
    EXPECT_EQ(*value, expected) << text;
  };
  check("0", 0);
  check("-0", 0);
  check("007", 7);
  check("999999999999999", 999999999999999);
  check("9999999999999999", 1e16);
  check("+1", 1);
  check("-1.5", -1.5);
  check("1.", 1);
  check(".5", 0.5);
  check("1E-3", 0.001);
  check("1e-400", 0);
  check("1.7976931348623157e308", std::numeric_limits<double>::max());
  check("inf", std::numeric_limits<double>::infinity());
  check("+INFINITY", std::numeric_limits<double>::infinity());
  check("-Inf", -std::numeric_limits<double>::infinity());
}

TEST(ParseValue, RefusesEverythingElse) {
  for (const char* const text :
       {"",     " ",    "+",      "-",    ".",    "e",     "1e",    "1e+",   "e1",
        "--1",  "+-1",  "1 ",     " 1",   "0x10", "0x1p4", "1_0",   "1e309", "-1e309",
        "-nan", "+nan", "nan(1)", "infi", "in",   "1,5",   "1.5.5", "1f",    "٣"}) {
    EXPECT_FALSE(ParseValue(text).has_value()) << text;
  }
}

TEST(ParseSeconds, RoundsToMillisecondsAndClamps) {
  const auto check = [](std::string_view text, std::optional<int64_t> expected) {
    EXPECT_EQ(ParseSeconds(text), expected) << text;
  };
  check("0", 0);
  check("1.001", 1001);
  check("-1.001", -1001);
  check("1e-9", 0);
  check("1e300", std::numeric_limits<int64_t>::max());
  check("-1e300", std::numeric_limits<int64_t>::min());
  check("9223372036854775.807", std::numeric_limits<int64_t>::max());
  check("nan", std::nullopt);
  check("inf", std::nullopt);
  check("-Inf", std::nullopt);
  check("", std::nullopt);
  check("1s", std::nullopt);
}

}  // namespace
}  // namespace exposition
