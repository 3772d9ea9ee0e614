#include "agent/template/format.h"

#include <limits>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace tmpl {
namespace {

constexpr double kInf = std::numeric_limits<double>::infinity();
constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

Value Int(int64_t number) { return Value(number); }

void Check(const std::string& format, const std::vector<Value>& args, const std::string& want) {
  const auto got = Sprintf(format, args);
  ASSERT_TRUE(got.ok()) << format << ": " << got.error().message();
  EXPECT_EQ(*got, want) << format;
}

// Expected texts are what Go 1.23 prints.
TEST(Sprintf, WritesFloats) {
  Check("%v", {Value(1000000.0)}, "1e+06");
  Check("%v", {Value(100000.0)}, "100000");
  Check("%v", {Value(123456789.0)}, "1.23456789e+08");
  Check("%v", {Value(123456.789)}, "123456.789");
  Check("%v", {Value(0.0001)}, "0.0001");
  Check("%v", {Value(0.00001)}, "1e-05");
  Check("%v", {Value(0.0)}, "0");
  Check("%v|%v|%v", {Value(kInf), Value(-kInf), Value(kNaN)}, "+Inf|-Inf|NaN");
  Check("%g", {Value(123456.789)}, "123456.789");
  Check("%.3g", {Value(123456.789)}, "1.23e+05");
  Check("%G", {Value(1e6)}, "1E+06");
  Check("%e", {Value(123456.789)}, "1.234568e+05");
  Check("%E", {Value(123456.789)}, "1.234568E+05");
  Check("%f", {Value(123456.789)}, "123456.789000");
  Check("%.0f", {Value(123456.789)}, "123457");
  Check("%8.2f|%-8.2f|%08.2f", {Value(3.14159), Value(3.14159), Value(-3.14159)},
        "    3.14|3.14    |-0003.14");
  Check("%+.1f|% .1f", {Value(2.0), Value(2.0)}, "+2.0| 2.0");
  Check("%6.2f%%", {Value(12.345)}, " 12.35%");
  Check("%x", {Value(1e6)}, "0x1.e848p+19");
  Check("%x", {Value(1.0)}, "0x1p+00");
  Check("%08f", {Value(kInf)}, "    +Inf");
}

TEST(Sprintf, WritesIntegers) {
  Check("%d|%5d|%-5d|%05d|%+d|% d", {Int(42), Int(42), Int(42), Int(42), Int(42), Int(42)},
        "42|   42|42   |00042|+42| 42");
  Check("%x|%X|%#x|%o|%#o|%O|%b|%08b",
        {Int(255), Int(255), Int(255), Int(8), Int(8), Int(8), Int(5), Int(5)},
        "ff|FF|0xff|10|010|0o10|101|00000101");
  Check("%q|%c|%3c|%U", {Int(65), Int(65), Int(65), Int(0x20ac)}, "'A'|A|  A|U+20AC");
  Check("%*d|%-*d|", {Int(6), Int(42), Int(4), Int(7)}, "    42|7   |");
  Check("%.4d|%8.3d|%08.3d", {Int(42), Int(42), Int(-7)}, "0042|     042|    -007");
  Check("%d", {Int(std::numeric_limits<int64_t>::min())}, "-9223372036854775808");
}

TEST(Sprintf, WritesTextAndTruth) {
  const Value abc("abc");
  Check("%5s|%-5s|%.2s|%v", {abc, abc, abc, abc}, "  abc|abc  |ab|abc");
  Check("%q|%+q|%#q", {Value("a\"b\n\t\x01"), Value("é"), Value("raw")},
        "\"a\\\"b\\n\\t\\x01\"|\"\\u00e9\"|`raw`");
  Check("%x|%X|% x|%#x", {Value("hi"), Value("hi"), Value("hi"), Value("hi")},
        "6869|6869|68 69|0x6869");
  Check("%5.1s|", {Value("éa")}, "    é|");
  Check("%t|%v|%6t", {Value(true), Value(false), Value(true)}, "true|false|  true");
  Check("%T %T %T %T", {Value(1.5), Int(1), abc, Value(true)}, "float64 int string bool");
}

TEST(Sprintf, WritesMistakesIntoTheTextAsGoDoes) {
  Check("%d", {Value(1e6)}, "%!d(float64=1e+06)");
  Check("%s", {Value(1e6)}, "%!s(float64=1e+06)");
  Check("%d", {Value("str")}, "%!d(string=str)");
  Check("%s %f %t", {Int(42), Int(42), Int(42)}, "%!s(int=42) %!f(int=42) %!t(int=42)");
  Check("%d", {Value(true)}, "%!d(bool=true)");
  Check("%d", {}, "%!d(MISSING)");
  Check("x", {Int(1)}, "x%!(EXTRA int=1)");
  Check("%z", {Value("zz")}, "%!z(string=zz)");
  Check("%", {}, "%!(NOVERB)");
  Check("%[2]d %[1]d", {Int(1), Int(2)}, "2 1");
  Check("%[3]d", {Int(1)}, "%!d(BADINDEX)");
  Check("%v %d", {Value(), Value()}, "<nil> %!d(<nil>)");
}

TEST(Sprintf, RefusesWidthsBeyondTheLimit) {
  EXPECT_TRUE(Sprintf("%1000d", std::vector<Value>{Int(1)}).ok());
  EXPECT_FALSE(Sprintf("%1001d", std::vector<Value>{Int(1)}).ok());
  EXPECT_FALSE(Sprintf("%.99999999999f", std::vector<Value>{Value(1.0)}).ok());
  EXPECT_FALSE(Sprintf("%*d", std::vector<Value>{Int(5000), Int(1)}).ok());
}

TEST(Sprintf, RefusesOutputBeyondTheLimit) {
  const Value large(std::string(kMaxOutputBytes / 2, 'x'));
  EXPECT_TRUE(Sprintf("%s%s", std::vector<Value>{large, large}).ok());
  const auto got = Sprintf("%s%s%s", std::vector<Value>{large, large, large});
  ASSERT_FALSE(got.ok());
  EXPECT_EQ(got.error().kind(), base::ErrorKind::kResourceExhausted);
}

TEST(FormatGoDuration, MatchesGo) {
  const auto check = [](int64_t ns, const std::string& want) {
    EXPECT_EQ(FormatGoDuration(std::chrono::nanoseconds(ns)), want);
  };
  check(0, "0s");
  check(1, "1ns");
  check(1500, "1.5µs");
  check(2'000'000, "2ms");
  check(1'500'000'000, "1.5s");
  check(90'000'000'000, "1m30s");
  check(3'600'000'000'000, "1h0m0s");
  check(-90'500'000'000, "-1m30.5s");
}

}  // namespace
}  // namespace tmpl
