// The linter's rules. Everything in the lists of bad pages is fine for scraping, so that it is the
// strict rule that refuses it.
#include "lib/exposition/strict.h"

#include <string>

#include <gtest/gtest.h>

#include "lib/exposition/parser.h"

namespace exposition {
namespace {

base::Result<void> Parse(std::string_view page, Format format, ParseMode mode) {
  Parser parser(page, format, mode);
  for (;;) {
    ASSIGN_OR_RETURN(const Entry entry, parser.Next());
    if (entry == Entry::kEnd) {
      return {};
    }
  }
}

void ExpectClean(const std::string& page, Format format) {
  const auto result = Parse(page, format, ParseMode::kStrict);
  EXPECT_TRUE(result.ok()) << page << result.error().message();
}

void ExpectBroken(const std::string& page, Format format, const std::string& message) {
  EXPECT_TRUE(Parse(page, format, ParseMode::kScraping).ok()) << page;
  const auto result = Parse(page, format, ParseMode::kStrict);
  ASSERT_FALSE(result.ok()) << page;
  EXPECT_NE(result.error().message().find(message), std::string::npos)
      << page << result.error().message();
}

TEST(StrictText, AcceptsPagesThatFollowTheSpecification) {
  const auto check = [](const std::string& page) { ExpectClean(page, Format::kText); };
  check("");
  check("a 1\n");
  check("# free comment\n\na 1\n# another\nb 2\n");
  check("# HELP a x\n# TYPE a gauge\na{b=\"c\"} 1\na{b=\"d\"} 1 123\n");
  check("# TYPE a gauge\n# HELP a x\na NaN\n");
  check("# TYPE a_total counter\na_total 0\n");
  check("# TYPE a counter\na +Inf\n");
  check("# TYPE a histogram\na_bucket{le=\"1\"} 1\na_bucket{le=\"+Inf\"} 2\na_sum 1\na_count 2\n");
  check(
      "# TYPE a histogram\n"
      "a_bucket{x=\"1\",le=\"+Inf\"} 2\na_sum{x=\"1\"} 1\na_count{x=\"1\"} 2\n"
      "a_bucket{x=\"2\",le=\"+Inf\"} 0\na_sum{x=\"2\"} 0\na_count{x=\"2\"} 0\n");
  check("# TYPE a summary\na{quantile=\"0\"} 1\na{quantile=\"1\"} NaN\na_sum 1\na_count 2\n");
  check("# TYPE a summary\na_sum 1\na_count 2\n");
  check("# TYPE a gauge\n# TYPE b gauge\nb 1\n");
  check("# TYPE a untyped\na -1\n");
}

TEST(StrictText, RefusesWhatTheSpecificationForbids) {
  const auto check = [](const std::string& page, const std::string& message) {
    ExpectBroken(page, Format::kText, message);
  };
  check("a 1\na 1\n", "line 2: the series a is there twice");
  check("a 1 5\na 1 6\n", "the series a is there twice");
  check("a{b=\"c\"} 1\na{b=\"d\"} 1\na{b=\"c\"} 2\n", "line 3: ");
  check("a 1\nb 1\na{x=\"y\"} 1\n", "line 3: a was seen before");
  check("# HELP a x\n# HELP a y\na 1\n", "a second HELP");
  check("# TYPE a gauge\n# TYPE a gauge\na 1\n", "a second HELP, TYPE");
  check("a 1\n# TYPE a gauge\n", "after its first sample");
  check("a 1\n# HELP a x\n", "after its first sample");
  check("# TYPE a gauge\na 1\n# TYPE b gauge\nb 1\n# HELP a x\n", "line 5: a was seen before");
  check("# TYPE a counter\na -1\n", "a counter is a number from 0 up");
  check("# TYPE a counter\na NaN\n", "a counter is a number from 0 up");
  check("# TYPE a histogram\na_bucket{le=\"1\"} 1\na_count 1\n", "no bucket with le=\"+Inf\"");
  check("# TYPE a histogram\na_sum 1\na_count 1\n", "no bucket with le=\"+Inf\"");
  check("# TYPE a histogram\na_bucket{le=\"+Inf\"} 1\na_count 2\n", "the count of a{} is not");
  check("# TYPE a histogram\na_bucket{le=\"2\"} 1\na_bucket{le=\"1\"} 1\na_bucket{le=\"+Inf\"} 1\n",
        "in the order of their le");
  check("# TYPE a histogram\na_bucket{le=\"1\"} 2\na_bucket{le=\"+Inf\"} 1\n",
        "counts what the one");
  check("# TYPE a histogram\na_bucket{le=\"x\"} 1\n", "the le of a bucket is a number");
  check("# TYPE a histogram\na_bucket 1\n", "the le of a bucket is a number");
  check("# TYPE a histogram\na_bucket{le=\"NaN\"} 1\n", "the le of a bucket is a number");
  check("# TYPE a histogram\na_bucket{le=\"+Inf\"} -1\n", "counts what the one");
  check("# TYPE a histogram\na_bucket{le=\"+Inf\"} 1\na_sum{le=\"1\"} 1\n", "only buckets have");
  check("# TYPE a histogram\na 1\n", "line 2: a was seen before");
  check("# TYPE a summary\na 1\n", "a quantile is a number from 0 to 1");
  check("# TYPE a summary\na{quantile=\"1.1\"} 1\n", "a quantile is a number from 0 to 1");
  check("# TYPE a summary\na{quantile=\"x\"} 1\n", "a quantile is a number from 0 to 1");
  check("# TYPE a summary\na_sum{quantile=\"1\"} 1\n", "only the quantiles");
  check("# TYPE a summary\na_count -1\n", "a count is a number from 0 up");
  check("# TYPE a_sum gauge\na_sum 1\n# TYPE a summary\na_sum 1\n", "is the name of another");
  check(std::string("a 1\n\0b 1\n", 9), "a NUL byte");
}

TEST(StrictOpenMetrics, AcceptsPagesThatFollowTheSpecification) {
  const auto check = [](const std::string& page) {
    ExpectClean(page + "# EOF\n", Format::kOpenMetrics);
  };
  check("");
  check("# TYPE a counter\na_total 1\na_created 123\n");
  check("# TYPE a counter\n# UNIT a \n# HELP a x\na_total 1 # {x=\"y\"} 1 2\n");
  check("# TYPE a_seconds gauge\n# UNIT a_seconds seconds\na_seconds 1\n");
  check("a 1 1\na 2 2\n");
  check(
      "# TYPE a histogram\na_bucket{le=\"1.0\"} 1 # {} 1\na_bucket{le=\"+Inf\"} 2\na_count 2\n"
      "a_sum 1\na_created 5\n");
  check(
      "# TYPE a histogram\na_bucket{le=\"+Inf\"} 2 1\na_count 2 1\na_sum 2 1\n"
      "a_bucket{le=\"+Inf\"} 3 2\na_count 3 2\na_sum 2 2\n");
  check(
      "# TYPE a gaugehistogram\na_bucket{le=\"-1.0\"} 1\na_bucket{le=\"+Inf\"} 2\n"
      "a_gcount 2\na_gsum -1\n");
  check("# TYPE a histogram\na_bucket{le=\"-1.0\"} 1\na_bucket{le=\"+Inf\"} 2\n");
  check("# TYPE a summary\na{quantile=\"0.5\"} 1\na_count 1\na_sum 1\na_created 1\n");
  check("# TYPE a info\na_info{version=\"1\"} 1\n");
  check("# TYPE a stateset\na{a=\"on\"} 1\na{a=\"off\"} 0\n");
  check("# TYPE a unknown\na -1\n");
}

TEST(StrictOpenMetrics, RefusesWhatTheSpecificationForbids) {
  const auto check = [](const std::string& page, const std::string& message) {
    ExpectBroken(page + "# EOF\n", Format::kOpenMetrics, message);
  };
  check("# TYPE a counter\na 1\n", "a was seen before");
  check("# TYPE a counter\na_total -1\n", "a counter is a number from 0 up");
  check("# TYPE a_created gauge\na_created 1\n# TYPE a counter\na_total 1\n", "another family");
  check("# TYPE a counter\na_total 1\n# TYPE a_total gauge\na_total 1\n",
        "a_total was seen before");
  check("# TYPE a counter\n# TYPE a counter\n", "a second HELP, TYPE");
  check("# TYPE a info\na_info 2\n", "an info sample is 1");
  check("# TYPE a info\na 1\n", "a was seen before");
  check("# TYPE a_s info\n# UNIT a_s s\n", "no unit");
  check("# UNIT a_s s\n# TYPE a_s stateset\n", "no unit");
  check("# TYPE a stateset\na 1\n", "a state has a label");
  check("# TYPE a stateset\na{a=\"on\"} 2\n", "a state is 0 or 1");
  check("# TYPE a gauge\na 1 # {x=\"y\"} 1\n", "only counters and buckets have exemplars");
  check("# TYPE a counter\na_created 1 # {x=\"y\"} 1\n",
        "only counters and buckets have exemplars");
  check("# TYPE a counter\na_total 1 # {x=\"" + std::string(128, 'y') + "\"} 1\n",
        "129 characters long");
  check("a 1\na 2\n", "the series a is there twice");
  check("a 1 1\na 2 1\n", "the series a is there twice");
  check("a 1 2\na 2 1\n", "the time stamps of a go back");
  check("a 1\na 2 1\n", "some have none");
  check("# TYPE a histogram\na_bucket{le=\"1.0\"} 2 1\na_bucket{le=\"+Inf\"} 3 2\n",
        "no bucket with le=\"+Inf\"");
  check("# TYPE a gaugehistogram\na_bucket{le=\"+Inf\"} 2\na_gcount 3\n",
        "the count of a{} is not");
  check("# TYPE a histogram\na_bucket{le=\"+Inf\"} 1\na_count 1\n", "only one of sum and count");
  check("# TYPE a histogram\na_bucket{le=\"+Inf\"} 1\na_sum 1\n", "only one of sum and count");
  check("# TYPE a histogram\na_bucket{le=\"+Inf\"} 1\na_count 1\na_sum -1\n", "is negative");
  check("# TYPE a gaugehistogram\na_bucket{le=\"+Inf\"} 1\na_gcount 1\na_gsum -1\n", "is negative");
  check(
      "# TYPE a histogram\na_bucket{le=\"-1.0\"} 1\na_bucket{le=\"+Inf\"} 1\na_count 1\na_sum 1\n",
      "negative bounds and a sum");
  check("a{b=\"c\",} 1\n", "a comma after the last label");
  check("# TYPE a gauge\na{x=\"1\"} 1\nb 1\na{x=\"2\"} 1\n", "line 4: a was seen before");
  check("# TYPE a counter\na_total{x=\"1\"} 1\na_total{x=\"2\"} 1\na_created{x=\"1\"} 1\n",
        "are apart or twice");
}

}  // namespace
}  // namespace exposition
