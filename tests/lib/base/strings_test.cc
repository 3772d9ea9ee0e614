#include "lib/base/strings.h"

#include <bit>
#include <cmath>
#include <limits>
#include <random>

#include <gtest/gtest.h>

namespace base {
namespace {

TEST(Strings, TrimsWhiteSpaceOnly) {
  EXPECT_EQ(TrimSpace("  a b\t\r\n"), "a b");
  EXPECT_EQ(TrimSpace(" \n "), "");
  EXPECT_EQ(TrimSpace(""), "");
}

TEST(Strings, SplitKeepsEmptyParts) {
  EXPECT_EQ(Split("a,,b", ','), (std::vector<std::string_view>{"a", "", "b"}));
  EXPECT_EQ(Split("", ','), (std::vector<std::string_view>{""}));
  EXPECT_EQ(Split(",", ','), (std::vector<std::string_view>{"", ""}));
}

TEST(Strings, ReplaceAllDoesNotRescan) {
  EXPECT_EQ(ReplaceAll("aaa", "a", "aa"), "aaaaaa");
  EXPECT_EQ(ReplaceAll("abc", "", "x"), "abc");
  EXPECT_EQ(ReplaceAll("a.b.c", ".", "_"), "a_b_c");
}

TEST(Strings, ParsesWholeNumbersOnly) {
  EXPECT_EQ(ParseInt("-42"), -42);
  EXPECT_EQ(ParseInt("9223372036854775807"), std::numeric_limits<int64_t>::max());
  for (const char* text :
       {"", " 1", "1 ", "+1", "1.0", "9223372036854775808", "0x1", "1e3", "--1"}) {
    EXPECT_FALSE(ParseInt(text).has_value()) << text;
  }
  EXPECT_EQ(ParseUint("18446744073709551615"), std::numeric_limits<uint64_t>::max());
  EXPECT_FALSE(ParseUint("-1").has_value());
}

TEST(Strings, ParsesDoubles) {
  const auto check = [](std::string_view text, double expected) {
    const auto parsed = ParseDouble(text);
    ASSERT_TRUE(parsed.has_value()) << text;
    EXPECT_EQ(*parsed, expected) << text;
  };
  check("0", 0);
  check("-1.5", -1.5);
  check("+2", 2);
  check("1e3", 1000);
  check(".5", 0.5);
  check("5.", 5);
  check("inf", std::numeric_limits<double>::infinity());
  check("+Inf", std::numeric_limits<double>::infinity());
  check("-Infinity", -std::numeric_limits<double>::infinity());
  check("1e309", std::numeric_limits<double>::infinity());
  check("-1e309", -std::numeric_limits<double>::infinity());
  check("1e-400", 0);
  check("4.9e-324", std::numeric_limits<double>::denorm_min());
  EXPECT_TRUE(std::isnan(ParseDouble("NaN").value()));
}

TEST(Strings, RefusesWhatIsNoDouble) {
  for (const char* text : {"", " ", "1 ", " 1", "+", "+-1", "++1", "-", "1e", "0x1p3", "1_000",
                           "1,5", "abc", "nanx", "1e5 "}) {
    EXPECT_FALSE(ParseDouble(text).has_value()) << text;
  }
}

TEST(Strings, FormatsTheShortestDouble) {
  const auto check = [](double value, std::string_view expected) {
    EXPECT_EQ(FormatDouble(value), expected);
  };
  check(0, "0");
  check(-0.0, "-0");
  check(1, "1");
  check(-17, "-17");
  check(0.1, "0.1");
  check(0.1 + 0.2, "0.30000000000000004");
  check(1e6, "1000000");
  check(9007199254740993.0, "9007199254740992");
  check(1e20, "100000000000000000000");
  check(1e21, "1e+21");
  check(1.5e300, "1.5e+300");
  check(0.0001, "0.0001");
  check(0.00001, "1e-05");
  check(std::numeric_limits<double>::quiet_NaN(), "NaN");
  check(std::numeric_limits<double>::infinity(), "+Inf");
  check(-std::numeric_limits<double>::infinity(), "-Inf");
}

TEST(Strings, EveryFormattedDoubleReadsBackAsItself) {
  std::mt19937_64 random(7);
  for (int i = 0; i < 200'000; ++i) {
    const double value = std::bit_cast<double>(random());
    if (std::isfinite(value)) {
      ASSERT_EQ(ParseDouble(FormatDouble(value)), value) << FormatDouble(value);
    }
  }
}

TEST(Strings, KnowsUtf8) {
  for (const char* text :
       {"", "a", "\xC2\x80", "\xE2\x82\xAC", "\xF0\x9F\x90\x92", "\xF4\x8F\xBF\xBF"}) {
    EXPECT_TRUE(IsValidUtf8(text)) << text;
  }
  for (const char* text : {"\x80", "\xC0\x80", "\xC2", "\xE2\x82", "\xED\xA0\x80",
                           "\xF4\x90\x80\x80", "\xF5\x80\x80\x80", "\xff"}) {
    EXPECT_FALSE(IsValidUtf8(text));
  }
}

TEST(Strings, FindsTheNearestName) {
  const std::vector<std::string> names = {"web.listen-address", "web.config.file", "log.level"};
  EXPECT_EQ(NearestName("web.listen-adress", names), "web.listen-address");
  EXPECT_EQ(NearestName("loglevel", names), "log.level");
  EXPECT_EQ(NearestName("pgbouncer", names), std::nullopt);
}

TEST(Strings, ReadsTruthInAnySpelling) {
  EXPECT_EQ(ParseBool("TRUE"), true);
  EXPECT_EQ(ParseBool("off"), false);
  EXPECT_EQ(ParseBool("0"), false);
  EXPECT_EQ(ParseBool("maybe"), std::nullopt);
  EXPECT_EQ(ParseBool(""), std::nullopt);
}

}  // namespace
}  // namespace base
