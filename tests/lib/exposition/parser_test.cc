#include "lib/exposition/parser.h"

#include <bit>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "lib/base/strings.h"
#include "lib/model/sample.h"

namespace exposition {
namespace {

// "series value @time; …" of every sample of the page.
base::Result<std::string> Samples(std::string_view page, Format format) {
  Parser parser(page, format, ParseMode::kScraping);
  std::string samples;
  for (;;) {
    ASSIGN_OR_RETURN(const Entry entry, parser.Next());
    if (entry == Entry::kEnd) {
      return samples;
    }
    if (entry != Entry::kSeries) {
      continue;
    }
    model::LabelsBuilder builder;
    parser.BuildLabels(&builder);
    samples += samples.empty() ? "" : "; ";
    samples += builder.Build().ToString() + " " + base::FormatDouble(parser.value());
    if (parser.timestamp_ms().has_value()) {
      samples += " @" + std::to_string(*parser.timestamp_ms());
    }
  }
}

void ExpectAccepted(std::string_view page, Format format, std::string_view expected) {
  const auto samples = Samples(page, format);
  ASSERT_TRUE(samples.ok()) << page << "\n" << samples.error().message();
  EXPECT_EQ(*samples, expected) << page;
}

void ExpectRefused(std::string_view page, Format format) {
  const auto samples = Samples(page, format);
  ASSERT_FALSE(samples.ok()) << page << "\n" << *samples;
  EXPECT_EQ(samples.error().kind(), base::ErrorKind::kInvalidArgument);
  EXPECT_TRUE(samples.error().message().starts_with("line ")) << samples.error().message();
}

std::string ErrorOf(std::string_view page, Format format = Format::kText) {
  const auto samples = Samples(page, format);
  return samples.ok() ? "accepted: " + *samples : samples.error().message();
}

// The four tables hold what Prometheus 2.53.3 accepts and refuses when it scrapes these very pages.

TEST(TextParser, AcceptsWhatPrometheusScrapes) {
  const auto check = [](std::string_view page, std::string_view expected) {
    ExpectAccepted(page, Format::kText, expected);
  };
  check("", "");
  check("\n", "");
  check("\n\n", "");
  check("a 1", "a 1");
  check("a 1\n", "a 1");
  check("a 1 \n", "a 1");
  check("a\t1\t2\t\n", "a 1 @2");
  check("a  1\n", "a 1");
  check("a{} 1\n", "a 1");
  check("a{}1\n", "a 1");
  check("a+1\n", "a 1");
  check("a-1\n", "a -1");
  check("a.5\n", "a 0.5");
  check("a{b=\"c\"} 1\n", "a{b=\"c\"} 1");
  check("a{b=\"c\",} 1\n", "a{b=\"c\"} 1");
  check("a{b=\"c\"d=\"e\"} 1\n", "a{b=\"c\", d=\"e\"} 1");
  check("a{b=\"c\" d=\"e\"} 1\n", "a{b=\"c\", d=\"e\"} 1");
  check("a{ b = \"c\" , d = \"e\" } 1\n", "a{b=\"c\", d=\"e\"} 1");
  check("a{b=\"\",b=\"c\"} 1\n", "a{b=\"c\"} 1");
  check("a{b=\"\"} 1\n", "a 1");
  check("a{b=\"x\ny\"} 1\n", "a{b=\"x\\ny\"} 1");
  check("a{b=\"x\\ny\"} 1\n", "a{b=\"x\\ny\"} 1");
  check("a{b=\"x\\ty\"} 1\n", "a{b=\"x\\\\ty\"} 1");
  check("a{b=\"\\\"\"} 1\n", "a{b=\"\\\"\"} 1");
  check("a{b=\"\\\\\"} 1\n", "a{b=\"\\\\\"} 1");
  check("a{b=\"\xc3\xa9\"} 1\n", "a{b=\"é\"} 1");
  check(std::string_view("a{b=\"\x00\"} 1\n", 11), std::string_view("a{b=\"\0\"} 1", 10));
  check(std::string_view("a{b=\"x\x00y\"} 1\n", 13), std::string_view("a{b=\"x\0y\"} 1", 12));
  check(std::string_view("\x00"
                         "a 1\n",
                         5),
        "");
  check(std::string_view("a 1\n\x00"
                         "b 2 junk junk\n",
                         19),
        "a 1");
  check("a 1 2\n", "a 1 @2");
  check("a 1 9223372036854775807\n", "a 1 @9223372036854775807");
  check("a 1 0\n", "a 1 @0");
  check("a 1 00\n", "a 1 @0");
  check("a NaN\n", "a NaN");
  check("a nan\n", "a NaN");
  check("a nAN\n", "a NaN");
  check("a inf\n", "a +Inf");
  check("a Inf\n", "a +Inf");
  check("a +Inf\n", "a +Inf");
  check("a -Inf\n", "a -Inf");
  check("a INFINITY\n", "a +Inf");
  check("a -infinity\n", "a -Inf");
  check("a 1e5\n", "a 100000");
  check("a 1E5\n", "a 100000");
  check("a 1e+5\n", "a 100000");
  check("a 1e-5\n", "a 1e-05");
  check("a 1.\n", "a 1");
  check("a .5\n", "a 0.5");
  check("a 1e-400\n", "a 0");
  check("a 4.9e-324\n", "a 5e-324");
  check("a +1\n", "a 1");
  check("a 1 \t\n", "a 1");
  check("a 12345678901234567890123456789012345678901234567890\n", "a 1.2345678901234567e+49");
  check("a 0.1000000000000000055511151231257827021181583404541015625\n", "a 0.1");
  check("# HELP a\n", "");
  check("# HELP a \n", "");
  check("# HELP a  \n", "");
  check("# HELP a x\n", "");
  check("# HELP a\tx\n", "");
  check("# HELP\n", "");
  check("# HELP a-b x\n", "");
  check("#HELP a x\n", "");
  check("#\tHELP a x\n", "");
  check("#  HELP a x\n", "");
  check("# HELPa x\n", "");
  check("# help a x\n", "");
  check(std::string_view("# HELP a x\x00y\n", 13), "");
  check("# HELP a x", "");
  check("# HELP a", "");
  check("# HELP a \\q\n", "");
  check("# HELP \"a.b\" x\n", "");
  check("# HELP \"\" x\n", "");
  check("# HELP \"a\"x\n", "");
  check("# TYPE a counter\n", "");
  check("# TYPE a\tcounter\n", "");
  check("# TYPE a untyped\n", "");
  check("# TYPE a summary\n", "");
  check("# TYPE a histogram\n", "");
  check("# TYPE\n", "");
  check("# TYPE a counter", "");
  check("#TYPE a bogus\n", "");
  check("# TYPE \"a.b\" gauge\n", "");
  check("# TYPEa x\n", "");
  check("#\n", "");
  check("# \n", "");
  check("# x\n", "");
  check("#x\n", "");
  check("##\n", "");
  check("# EOF\n", "");
  check("# UNIT a b\n", "");
  check(" # HELP a x\n", "");
  check(" #c\n", "");
  check("a 1\n# EOF\nb 1\n", "a 1; b 1");
  check("# HELP a x\n# HELP a y\na 1\n", "a 1");
  check("# TYPE a gauge\n# TYPE a counter\na 1\n", "a 1");
  check("a 1\n# TYPE a gauge\n", "a 1");
  check("a 1\na 1\n", "a 1; a 1");
  check("a 1\na 2\n", "a 1; a 2");
  check("a 1\nb 2\na{x=\"y\"} 3\n", "a 1; b 2; a{x=\"y\"} 3");
  check("{\"a\"} 1\n", "a 1");
  check("{ \"a\" } 1\n", "a 1");
  check("{\"a\"}1\n", "a 1");
  check(":a 1\n", ":a 1");
  check("a: 1\n", "a: 1");
  check("_ 1\n", "_ 1");
  check("a{_=\"d\"} 1\n", "a{_=\"d\"} 1");
  check("# HELP a x\r\na 1\n", "a 1");
  check("a{b=\"c\r\"} 1\n", "a{b=\"c\r\"} 1");
  check("a{le=\"1\"} 1\n", "a{le=\"1\"} 1");
  check("# TYPE a histogram\na_bucket{le=\"1\"} 1\n", "a_bucket{le=\"1.0\"} 1");
  check("a{b=\"c\"}  1  2  \n", "a{b=\"c\"} 1 @2");
}

TEST(TextParser, RefusesWhatPrometheusRefuses) {
  const auto check = [](std::string_view page) { ExpectRefused(page, Format::kText); };
  check("a 1\r\n");
  check("\r\n");
  check(" a 1\n");
  check("\ta 1\n");
  check("a{b=\"c\",,} 1\n");
  check("a{,b=\"c\"} 1\n");
  check("a{b=\"c\",b=\"d\"} 1\n");
  check("a{b=\"c\",b=\"c\"} 1\n");
  check("a{__name__=\"b\"} 1\n");
  check("a{__name__=\"a\"} 1\n");
  check("a{b=} 1\n");
  check("a{b=c} 1\n");
  check("a{=\"c\"} 1\n");
  check("a{b='c'} 1\n");
  check("a{b=\"c} 1\n");
  check("a{b=\"c\n");
  check("a{b=\"c\"\n");
  check("a{b=\"c\" 1\n");
  check("a{b=\"c\"}\n");
  check("a\n");
  check("a \n");
  check("a{\n");
  check("{\n");
  check("a}\n");
  check("a{b=\"x\\\ny\"} 1\n");
  check("a{b=\"\\\"} 1\n");
  check("a{b=\"\xff\"} 1\n");
  check(std::string_view("a 1\x00\n", 5));
  check(std::string_view("a\x00 1\n", 5));
  check(std::string_view("a{b=\"c\"}\x00 1\n", 12));
  check(
      "\xef\xbb\xbf"
      "a 1\n");
  check(
      "\xff"
      "a 1\n");
  check("a b\n");
  check("a 1 b\n");
  check("a 1 -2\n");
  check("a 1 +2\n");
  check("a 1 2.5\n");
  check("a 1 2 3\n");
  check("a 1 9223372036854775808\n");
  check("a 1 1e3\n");
  check("a 1 2{\n");
  check("a 1{\n");
  check("a 1{b=\"c\"}\n");
  check("a -nan\n");
  check("a +nan\n");
  check("a infi\n");
  check("a .\n");
  check("a 1e\n");
  check("a e1\n");
  check("a 0x10\n");
  check("a 0x1p4\n");
  check("a 1_000\n");
  check("a 1p3\n");
  check("a 1e309\n");
  check("a -1e309\n");
  check("a 1,5\n");
  check("a --1\n");
  check("a ++1\n");
  check("a +-1\n");
  check("a 1d\n");
  check("a 1f\n");
  check("a 0b1\n");
  check("a 0o7\n");
  check("a 1.5.5\n");
  check("a nan(1)\n");
  check("# HELP \n");
  check("# HELP  \n");
  check("# HELP {\n");
  check("# HELP 1a x\n");
  check("# HELP a \xff\n");
  check("# HELP \"a x\n");
  check("# TYPE a counter \n");
  check("# TYPE a  counter\n");
  check("# TYPE a Counter\n");
  check("# TYPE a unknown\n");
  check("# TYPE a info\n");
  check("# TYPE a gaugehistogram\n");
  check("# TYPE a stateset\n");
  check("# TYPE a\n");
  check("# TYPE a \n");
  check("# TYPE \n");
  check("# TYPE a-b counter\n");
  check("# TYPE a counter gauge\n");
  check("a 1 # c\n");
  check("a 1 #c\n");
  check("{\"a\",\"b\"} 1\n");
  check("a{\"b\"} 1\n");
  check("{\"a.b\",,} 1\n");
  check("{\"a.b\" c=\"d\"} 1\n");
  check("{\"a.b\"c=\"d\"} 1\n");
  check("{\"a\xff\"} 1\n");
  check(std::string_view("{\"a\x00\"} 1\n", 9));
  check("{c=\"d\"} 1\n");
  check("1a 1\n");
  check("a.b 1\n");
  check("a-b 1\n");
  check("a{1b=\"c\"} 1\n");
  check("a{b:c=\"d\"} 1\n");
  check("a{b.c=\"d\"} 1\n");
  check("a[b=\"c\"] 1\n");
  check("\xc3\xa9 1\n");
  check("a{\xc3\xa9=\"c\"} 1\n");
  check("a{b=\"c\"} {\n");
  check("a {b=\"c\"} 1 {\n");
  check("a 1;\n");
  check("\"a\" 1\n");
  check("=1\n");
  check(
      "a\x0b"
      "1\n");
  check(
      "a\x0c"
      "1\n");
  check(
      "a\xc2\xa0"
      "1\n");
  check("a 1 2 # {x=\"y\"} 1\n");
  check("{b} 1\n");
  check("{c=\"d\"} 1\n");
  check("{\"\"} 1\n");
  check("{bb} 1\n");
  check("a 1\n b 2\n");
}

TEST(OpenMetricsParser, AcceptsWhatPrometheusScrapes) {
  const auto check = [](std::string_view page, std::string_view expected) {
    ExpectAccepted(page, Format::kOpenMetrics, expected);
  };
  check("# EOF\n", "");
  check("# EOF", "");
  check("a 1\n# EOF", "a 1");
  check("a 1\n# EOF\n", "a 1");
  check("a{} 1\n# EOF\n", "a 1");
  check("a{b=\"c\"} 1\n# EOF\n", "a{b=\"c\"} 1");
  check("a{b=\"c\",} 1\n# EOF\n", "a{b=\"c\"} 1");
  check("a{b=\"c\",d=\"e\"} 1\n# EOF\n", "a{b=\"c\", d=\"e\"} 1");
  check("a{b=\"x\\ny\"} 1\n# EOF\n", "a{b=\"x\\ny\"} 1");
  check("a{b=\"x\\ty\"} 1\n# EOF\n", "a{b=\"x\\\\ty\"} 1");
  check("a{b=\"\\\"\"} 1\n# EOF\n", "a{b=\"\\\"\"} 1");
  check("a 1 2\n# EOF\n", "a 1 @2000");
  check("a 1 2.5\n# EOF\n", "a 1 @2500");
  check("a 1 -2\n# EOF\n", "a 1 @-2000");
  check("a 1 -0.5\n# EOF\n", "a 1 @-500");
  check("a 1 +2\n# EOF\n", "a 1 @2000");
  check("a 1 1e3\n# EOF\n", "a 1 @1000000");
  check("a 1 1e300\n# EOF\n", "a 1 @9223372036854775807");
  check("a 1 -1e300\n# EOF\n", "a 1 @-9223372036854775808");
  check("a 1 1520879607.789\n# EOF\n", "a 1 @1520879607789");
  check("a 1 .5\n# EOF\n", "a 1 @500");
  check("a 1 5.\n# EOF\n", "a 1 @5000");
  check("a 1 00\n# EOF\n", "a 1 @0");
  check("a NaN\n# EOF\n", "a NaN");
  check("a nan\n# EOF\n", "a NaN");
  check("a +Inf\n# EOF\n", "a +Inf");
  check("a infinity\n# EOF\n", "a +Inf");
  check("a 1e-400\n# EOF\n", "a 0");
  check("a 1.\n# EOF\n", "a 1");
  check("a .5\n# EOF\n", "a 0.5");
  check("a +1\n# EOF\n", "a 1");
  check("a 1 # {x=\"y\"} 1\n# EOF\n", "a 1");
  check("a 1 # {x=\"y\"} 1 2\n# EOF\n", "a 1");
  check("a 1 3 # {x=\"y\"} 1 2\n# EOF\n", "a 1 @3000");
  check("a 1 # {x=\"y\",} 1\n# EOF\n", "a 1");
  check(
      "a 1 # "
      "{x="
      "\"yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy"
      "yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy"
      "yyyyyyyyyyyyyyyyyy\"} 1\n# EOF\n",
      "a 1");
  check("a 1 # {x=\"y\",x=\"z\"} 1\n# EOF\n", "a 1");
  check("a 1 # {x=\"y\"} NaN\n# EOF\n", "a 1");
  check("a 1 # {x=\"y\"} 1 -5\n# EOF\n", "a 1");
  check("# HELP a \n# EOF\n", "");
  check("# HELP a x\n# EOF\n", "");
  check("# HELP a  x\n# EOF\n", "");
  check("# HELP \"a.b\" x\n# EOF\n", "");
  check("# HELP \"a\" x\n# EOF\n", "");
  check("# HELP \"\" x\n# EOF\n", "");
  check("# TYPE a counter\n# EOF\n", "");
  check("# TYPE a unknown\n# EOF\n", "");
  check("# TYPE a info\n# EOF\n", "");
  check("# TYPE a stateset\n# EOF\n", "");
  check("# TYPE a gaugehistogram\n# EOF\n", "");
  check("# TYPE a summary\n# EOF\n", "");
  check("# TYPE a histogram\n# EOF\n", "");
  check("# TYPE a gauge\n# EOF\n", "");
  check("# TYPE \"a.b\" gauge\n# EOF\n", "");
  check("# UNIT a_b b\n# EOF\n", "");
  check("# UNIT a \n# EOF\n", "");
  check("# UNIT _b b\n# EOF\n", "");
  check("# UNIT a_b_c b_c\n# EOF\n", "");
  check("# UNIT \"a.b_c\" c\n# EOF\n", "");
  check("a 1\n# TYPE a gauge\n# EOF\n", "a 1");
  check("# TYPE a counter\na 1\n# EOF\n", "a 1");
  check("# TYPE a counter\na_total -1\n# EOF\n", "a_total -1");
  check("a 1\na 1\n# EOF\n", "a 1; a 1");
  check("{\"a\"} 1\n# EOF\n", "a 1");
  check(":a 1\n# EOF\n", ":a 1");
  check("# TYPE a histogram\na_bucket{le=\"1\"} 1\n# EOF\n", "a_bucket{le=\"1.0\"} 1");
  check("# TYPE a summary\na{quantile=\"1\"} 1\n# EOF\n", "a{quantile=\"1.0\"} 1");
  check("# HELP a x\\ny\n# EOF\n", "");
  check("a{b=\"\xc3\xa9\"} 1\n# EOF\n", "a{b=\"é\"} 1");
  check(std::string_view("a{b=\"x\x00y\"} 1\n# EOF\n", 19),
        std::string_view("a{b=\"x\0y\"} 1", 12));
  check(std::string_view("# HELP a x\x00y\n# EOF\n", 19), "");
}

TEST(OpenMetricsParser, RefusesWhatPrometheusRefuses) {
  const auto check = [](std::string_view page) { ExpectRefused(page, Format::kOpenMetrics); };
  check("");
  check("# EOF\n\n");
  check("# EOF \n");
  check("#EOF\n");
  check("# eof\n");
  check("a 1\n");
  check("a 1");
  check("a 1\n\n# EOF\n");
  check("\n# EOF\n");
  check(" # EOF\n");
  check("# EOF\na 1\n");
  check("# EOF\n# EOF\n");
  check("a 1# EOF\n");
  check("a 1\n# EOFx\n");
  check("a 1\r\n# EOF\n");
  check(std::string_view("\x00# EOF\n", 7));
  check("a  1\n# EOF\n");
  check("a\t1\n# EOF\n");
  check(" a 1\n# EOF\n");
  check("a 1 \n# EOF\n");
  check("a{}1\n# EOF\n");
  check("a{ } 1\n# EOF\n");
  check("a{b=\"c\",,} 1\n# EOF\n");
  check("a{b=\"c\"d=\"e\"} 1\n# EOF\n");
  check("a{b=\"c\", d=\"e\"} 1\n# EOF\n");
  check("a{b = \"c\"} 1\n# EOF\n");
  check("a{b=\"c\",b=\"d\"} 1\n# EOF\n");
  check("a{__name__=\"x\"} 1\n# EOF\n");
  check("a{b=} 1\n# EOF\n");
  check("a{b=\"x\ny\"} 1\n# EOF\n");
  check("a{b=\"x\\\ny\"} 1\n# EOF\n");
  check("a{b=\"c} 1\n# EOF\n");
  check("a{b=\"c\" 1\n# EOF\n");
  check("a\n# EOF\n");
  check("a \n# EOF\n");
  check("a+1\n# EOF\n");
  check("a-1\n# EOF\n");
  check("a{b=\"c\"}\n# EOF\n");
  check("a 1 nan\n# EOF\n");
  check("a 1 inf\n# EOF\n");
  check("a 1 -Inf\n# EOF\n");
  check("a 1 b\n# EOF\n");
  check("a 1 2 3\n# EOF\n");
  check("a 1  2\n# EOF\n");
  check("a 1 2 \n# EOF\n");
  check("a 1 0x10\n# EOF\n");
  check("a 1 1_0\n# EOF\n");
  check("a 1 1e309\n# EOF\n");
  check("a -nan\n# EOF\n");
  check("a 0x10\n# EOF\n");
  check("a 1_0\n# EOF\n");
  check("a 1e309\n# EOF\n");
  check("a b\n# EOF\n");
  check("a 1{\n# EOF\n");
  check("a{b=\"c\"} 1{\n# EOF\n");
  check("a 1 # {x=\"y\"}\n# EOF\n");
  check("a 1 # {x=\"y\"} \n# EOF\n");
  check("a 1 # {x=\"y\"}1\n# EOF\n");
  check("a 1 # {x=\"y\"} b\n# EOF\n");
  check("a 1 # {x=\"y\"} 1 b\n# EOF\n");
  check("a 1 # {x=\"y\"} 1 nan\n# EOF\n");
  check("a 1 # {x=\"y\"} 1 inf\n# EOF\n");
  check("a 1 # {x=\"y\"} 1 2 3\n# EOF\n");
  check("a 1 # {x=\"y\"} 1 2 # {z=\"w\"} 1\n# EOF\n");
  check("a 1 # {\"x\"} 1\n# EOF\n");
  check("a 1 # {x=\"y\" 1\n# EOF\n");
  check("a 1 # {x=} 1\n# EOF\n");
  check("a 1 # { x=\"y\"} 1\n# EOF\n");
  check("a 1 # {x=\"y\", z=\"w\"} 1\n# EOF\n");
  check("a 1 #{x=\"y\"} 1\n# EOF\n");
  check("a 1  # {x=\"y\"} 1\n# EOF\n");
  check("a 1 #\n# EOF\n");
  check("a 1 # \n# EOF\n");
  check("a 1 # x\n# EOF\n");
  check("a 1 # {\n# EOF\n");
  check("a 1 # {x=\"y\"} 1e309\n# EOF\n");
  check("a 1 # {x=\"\ny\"} 1\n# EOF\n");
  check("a # {x=\"y\"} 1\n# EOF\n");
  check("# HELP a\n# EOF\n");
  check("# HELP  a x\n# EOF\n");
  check("#  HELP a x\n# EOF\n");
  check("# HELP\n# EOF\n");
  check("# HELP \n# EOF\n");
  check("# HELP\ta x\n# EOF\n");
  check("# HELP a\tx\n# EOF\n");
  check("# HELP a-b x\n# EOF\n");
  check("# HELP \"a\"x\n# EOF\n");
  check("# HELP 1 x\n# EOF\n");
  check("#HELP a x\n# EOF\n");
  check("# help a x\n# EOF\n");
  check("# TYPE a counter \n# EOF\n");
  check("# TYPE a  counter\n# EOF\n");
  check("# TYPE a untyped\n# EOF\n");
  check("# TYPE a bogus\n# EOF\n");
  check("# TYPE a\n# EOF\n");
  check("# TYPE a \n# EOF\n");
  check("# TYPE a Gauge\n# EOF\n");
  check("# UNIT a b\n# EOF\n");
  check("# UNIT a\n# EOF\n");
  check("# UNIT ab b\n# EOF\n");
  check("# UNIT b b\n# EOF\n");
  check("# UNIT a_b bb\n# EOF\n");
  check("# UNIT\n# EOF\n");
  check("#\n# EOF\n");
  check("# \n# EOF\n");
  check("# x\n# EOF\n");
  check("#x\n# EOF\n");
  check("# EOF \n# EOF\n");
  check("# EO\n# EOF\n");
  check("{\"a\",\"b\"} 1\n# EOF\n");
  check("a{\"b\"} 1\n# EOF\n");
  check("{\"a\nb\"} 1\n# EOF\n");
  check("{c=\"d\"} 1\n# EOF\n");
  check("{\"a\"}1\n# EOF\n");
  check("{\"a\",c=\"d\" } 1\n# EOF\n");
  check("1a 1\n# EOF\n");
  check("a.b 1\n# EOF\n");
  check("a{b:c=\"d\"} 1\n# EOF\n");
  check("a{1b=\"d\"} 1\n# EOF\n");
  check("\xc3\xa9 1\n# EOF\n");
  check("a 1\n\nb 1\n# EOF\n");
  check("a 1\n#x\nb 1\n# EOF\n");
  check("# TYPE  a counter\n# EOF\n");
  check("a{b=\"c\"}  1\n# EOF\n");
  check("a{a=\"b\"}\t1\n# EOF\n");
  check("a 1\t\n# EOF\n");
  check("a 1\x0b\n# EOF\n");
  check("a{b=\"\xff\"} 1\n# EOF\n");
  check(std::string_view("a\x00 1\n# EOF\n", 11));
  check(std::string_view("a 1\x00\n# EOF\n", 11));
  check("# HELP a \xff\n# EOF\n");
  check(
      "\xef\xbb\xbf"
      "a 1\n# EOF\n");
  check("a 1 # {x=\"\xff\"} 1\n# EOF\n");
  check("{\"a\xff\"} 1\n# EOF\n");
  check("# TYPE a counter\n");
  check("# HELP a x");
  check("a 1 # {x=\"y\"} 1");
  check("a 1 2");
}

// Names that Prometheus takes from version 3.0 on.
TEST(Parser, AcceptsQuotedUtf8Names) {
  const auto check = [](const std::string& line, std::string_view expected) {
    ExpectAccepted(line + "\n", Format::kText, expected);
    ExpectAccepted(line + "\n# EOF\n", Format::kOpenMetrics, expected);
  };
  check(R"({"a.b"} 1)", R"({"a.b"} 1)");
  check(R"({"a.b",} 1)", R"({"a.b"} 1)");
  check(R"({"a.b",c="d"} 1)", R"({"a.b", c="d"} 1)");
  check(R"({c="d","a.b"} 1)", R"({"a.b", c="d"} 1)");
  check(R"({"a.b","c.d"="e"} 1)", R"({"a.b", "c.d"="e"} 1)");
  check(R"(a{"b.c"="d"} 1)", R"(a{"b.c"="d"} 1)");
  check(R"({"größe"} 1)", R"({"größe"} 1)");
  check(R"({"a\"b\\c\nd"} 1)", R"({"a\"b\\c\nd"} 1)");
}

TEST(Parser, TellsTheLineOfAnError) {
  const auto check = [](std::string_view page, const std::string& expected) {
    EXPECT_EQ(ErrorOf(page), expected);
  };
  check("a x\n", "line 1: expected a value, found \"x\"");
  check("a 1\n\n# c\n# HELP a x\n# TYPE a gauge\nb{\n",
        "line 6: expected a label name, found the end of the line");
  check("a{b=\"two\nlines\"} 1\nb 1 2 3\n", "line 3: expected the end of the line, found \"3\"");
  check("a{b=\"c\"", "line 1: expected a label name, found the end of the page");
  check("a \x1b[31m" + std::string(100, 'x'),
        "line 1: expected a value, found \"?[31m" + std::string(35, 'x') + "…\"");
  EXPECT_EQ(ErrorOf("a 1\nb 2\n", Format::kOpenMetrics),
            "line 3: the page does not end with # EOF");
}

TEST(Parser, YieldsEveryKindOfEntry) {
  Parser text("# HELP a Back\\\\slash\\nline.\n# TYPE a summary\n# hello\n\na 1\n", Format::kText,
              ParseMode::kScraping);
  ASSERT_EQ(*text.Next(), Entry::kHelp);
  EXPECT_EQ(text.name(), "a");
  EXPECT_EQ(text.help(), "Back\\slash\nline.");
  ASSERT_EQ(*text.Next(), Entry::kType);
  EXPECT_EQ(text.type(), model::MetricType::kSummary);
  EXPECT_EQ(text.line(), 2U);
  ASSERT_EQ(*text.Next(), Entry::kComment);
  ASSERT_EQ(*text.Next(), Entry::kSeries);
  EXPECT_EQ(text.line(), 5U);
  EXPECT_EQ(text.series(), "a");
  ASSERT_EQ(*text.Next(), Entry::kEnd);

  Parser open("# TYPE a_s info\n# UNIT a_s s\n# HELP \"a.b\" x\na{b=\"c\"} 1\n# EOF\n",
              Format::kOpenMetrics, ParseMode::kScraping);
  ASSERT_EQ(*open.Next(), Entry::kType);
  EXPECT_EQ(open.type(), model::MetricType::kInfo);
  ASSERT_EQ(*open.Next(), Entry::kUnit);
  EXPECT_EQ(open.unit(), "s");
  ASSERT_EQ(*open.Next(), Entry::kHelp);
  EXPECT_EQ(open.name(), "a.b");
  ASSERT_EQ(*open.Next(), Entry::kSeries);
  EXPECT_EQ(open.series(), "a{b=\"c\"}");
  EXPECT_EQ(open.line(), 4U);
  ASSERT_EQ(*open.Next(), Entry::kEnd);
}

TEST(Parser, MakesEveryNanTheNormalOneSoThatNobodyForgesAStaleMarker) {
  for (const char* const word : {"NaN", "nan", "NAN"}) {
    const std::string page = std::string("a ") + word + "\n";
    Parser parser(page, Format::kText, ParseMode::kScraping);
    ASSERT_TRUE(parser.Next().ok());
    EXPECT_EQ(std::bit_cast<uint64_t>(parser.value()), model::kNormalNaNBits);
  }
}

TEST(Parser, ReadsExemplars) {
  const std::string_view page =
      "a_total 1 # {trace_id=\"x\\\"y\",b=\"\"} 0.5 1520879607.789\n"
      "a_total 2 3 # {} NaN\na_total 3\n# EOF\n";
  Parser parser(page, Format::kOpenMetrics, ParseMode::kScraping);
  ASSERT_EQ(*parser.Next(), Entry::kSeries);
  ASSERT_TRUE(parser.exemplar().has_value());
  EXPECT_EQ(parser.exemplar()->labels,
            (std::vector<std::pair<std::string, std::string>>{{"trace_id", "x\"y"}, {"b", ""}}));
  EXPECT_EQ(parser.exemplar()->value, 0.5);
  EXPECT_EQ(parser.exemplar()->timestamp_ms, 1520879607789);
  ASSERT_EQ(*parser.Next(), Entry::kSeries);
  EXPECT_EQ(parser.timestamp_ms(), 3000);
  ASSERT_TRUE(parser.exemplar().has_value());
  EXPECT_EQ(std::bit_cast<uint64_t>(parser.exemplar()->value), model::kNormalNaNBits);
  EXPECT_FALSE(parser.exemplar()->timestamp_ms.has_value());
  ASSERT_EQ(*parser.Next(), Entry::kSeries);
  EXPECT_FALSE(parser.exemplar().has_value());
  EXPECT_FALSE(parser.timestamp_ms().has_value());
}

TEST(Parser, ReadsMillisecondsWithoutRoundingThemDown) {
  // 1.001 * 1000 is 1000.9999999999999 in doubles.
  ExpectAccepted("a 1 1.001\na 1 4.35\na 1 1795168061.001\n# EOF\n", Format::kOpenMetrics,
                 "a 1 @1001; a 1 @4350; a 1 @1795168061001");
}

TEST(Parser, SpellsBoundsAsOpenMetricsOnlyInTheirFamilies) {
  ExpectAccepted(
      "# TYPE h histogram\nh_bucket{le=\"1\"} 1\nh_bucket{le=\"1e6\"} 1\nh_bucket{le=\"inf\"} 1\n"
      "h_bucket{le=\"x\"} 1\nother{le=\"1\"} 1\n# TYPE s summary\ns{quantile=\"1\"} 1\n"
      "s{le=\"1\"} 1\n# TYPE g gauge\ng{le=\"1\",quantile=\"1\"} 1\n",
      Format::kText,
      "h_bucket{le=\"1.0\"} 1; h_bucket{le=\"1e+06\"} 1; h_bucket{le=\"+Inf\"} 1; "
      "h_bucket{le=\"x\"} 1; other{le=\"1\"} 1; s{quantile=\"1.0\"} 1; s{le=\"1\"} 1; "
      "g{le=\"1\", quantile=\"1\"} 1");
}

std::string SeriesWithLabels(size_t count) {
  std::string series = "a{";
  for (size_t i = 0; i < count; ++i) {
    series += "l" + std::to_string(i) + "=\"\",";
  }
  return series + "} 1";
}

TEST(Parser, RefusesMoreLabelsThanItsLimit) {
  EXPECT_TRUE(Samples(SeriesWithLabels(Parser::kMaxLabels), Format::kText).ok());
  const auto over = Samples(SeriesWithLabels(Parser::kMaxLabels + 1), Format::kText);
  ASSERT_FALSE(over.ok());
  EXPECT_EQ(over.error().kind(), base::ErrorKind::kResourceExhausted);
  EXPECT_EQ(over.error().message(), "line 1: more than 256 labels");
}

TEST(Parser, GivesTheSameSamplesForAnExpectedSeries) {
  const std::string_view page =
      "a{b=\"c\"} 1\nplain\t2 3\nplain {x=\"y\"} 4\nplainer 5\n"
      "# TYPE h histogram\nh_bucket{le=\"1\"} 6\nq{b=\"two\nlines\"} 7\nbad\n";
  const std::vector<std::string_view> guesses = {
      "a{b=\"c\"}", "plain", "plain", "plain", "h_bucket{le=\"1\"}", "q{b=\"two\nlines\"}"};
  Parser plain(page, Format::kText, ParseMode::kScraping);
  Parser guided(page, Format::kText, ParseMode::kScraping);
  for (const std::string_view guess : guesses) {
    if (guess.starts_with("h_")) {
      ASSERT_EQ(*plain.Next(), Entry::kType);
      ASSERT_EQ(*guided.Next(), Entry::kType);
    }
    guided.ExpectSeries(guess);
    ASSERT_EQ(*plain.Next(), Entry::kSeries);
    ASSERT_EQ(*guided.Next(), Entry::kSeries);
    EXPECT_EQ(guided.series(), plain.series());
    EXPECT_EQ(guided.value(), plain.value());
    EXPECT_EQ(guided.timestamp_ms(), plain.timestamp_ms());
    EXPECT_EQ(guided.line(), plain.line());
    model::LabelsBuilder expected;
    model::LabelsBuilder labels;
    plain.BuildLabels(&expected);
    guided.BuildLabels(&labels);
    EXPECT_EQ(labels.Build(), expected.Build());
  }
  guided.ExpectSeries("bad");
  const auto error = guided.Next();
  ASSERT_FALSE(error.ok());
  EXPECT_EQ(error.error().message(), "line 9: expected a value, found the end of the line");
}

}  // namespace
}  // namespace exposition
