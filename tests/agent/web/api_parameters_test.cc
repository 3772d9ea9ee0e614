#include "agent/web/api_parameters.h"

#include <gtest/gtest.h>

namespace web {
namespace {

TEST(ParseTimeMs, ReadsSecondsAndRfc3339) {
  const auto check = [](const char* text, int64_t expected) {
    const auto time = ParseTimeMs(text);
    ASSERT_TRUE(time.ok()) << text << ": " << time.error().message();
    EXPECT_EQ(*time, expected) << text;
  };
  check("0", 0);
  check("1435781451.781", 1435781451781);
  check("1435781451.7815", 1435781451782);
  check("1.5e9", 1500000000000);
  check("-1.5", -1500);
  check("2015-07-01T20:10:51.781Z", 1435781451781);
  check("2015-07-01T20:10:51Z", 1435781451000);
  check("2015-07-01t20:10:51.7819999z", 1435781451781);
  check("2015-07-01T22:10:51+02:00", 1435781451000);
  check("2015-07-01T17:40:51-02:30", 1435781451000);
  check("1969-12-31T23:59:59.5Z", -500);
  check("2024-02-29T00:00:00Z", 1709164800000);
  check("0001-01-01T00:00:00Z", -62135596800000);
  check("-292273086-05-16T16:47:06Z", kMinTimeMs);
  check("292277025-08-18T07:12:54.999999999Z", kMaxTimeMs);
}

TEST(ParseTimeMs, RefusesEverythingElse) {
  for (const char* text : {"",
                           "now",
                           "1h",
                           "NaN",
                           "Inf",
                           "-Inf",
                           "1e300",
                           "12:00",
                           "2015-07-01",
                           "2015-07-01T20:10:51",
                           "2015-13-01T00:00:00Z",
                           "2015-02-29T00:00:00Z",
                           "2015-00-10T00:00:00Z",
                           "2015-07-01T24:00:00Z",
                           "2015-07-01T20:60:00Z",
                           "2015-07-01T20:10:60Z",
                           "2015-07-01T20:10:51.Z",
                           "2015-07-01T20:10:51+2:00",
                           "2015-07-01T20:10:51+24:00",
                           "2015-07-01T20:10:51Z ",
                           "2015/07/01T20:10:51Z",
                           "-015-07-01T20:10:51Z",
                           "0x10"}) {
    EXPECT_FALSE(ParseTimeMs(text).ok()) << text;
  }
}

TEST(ParseApiDuration, ReadsSecondsAndDurations) {
  const auto check = [](const char* text, int64_t expected_ms) {
    const auto duration = ParseApiDuration(text);
    ASSERT_TRUE(duration.ok()) << text << ": " << duration.error().message();
    EXPECT_EQ(duration->count(), expected_ms) << text;
  };
  check("15", 15000);
  check("0.5", 500);
  check("1.5e1", 15000);
  check("5m", 300000);
  check("1h30m", 5400000);
  check("-1", -1000);
  check("0", 0);
  for (const char* text : {"", "x", "5 m", "1e300", "NaN", "m5"}) {
    EXPECT_FALSE(ParseApiDuration(text).ok()) << text;
  }
}

TEST(UnescapeLabelName, ReadsEscapedNamesAndLeavesOthersAlone) {
  const auto check = [](const char* escaped, const char* name) {
    EXPECT_EQ(UnescapeLabelName(escaped), name) << escaped;
  };
  check("job", "job");
  check("__name__", "__name__");
  check("U__http_2e_status", "http.status");
  check("U__a__b", "a_b");
  check("U___1f600_", "😀");
  check("U__", "");
  check("U__a_", "U__a_");
  check("U__a_zz_", "U__a_zz_");
  check("U__a_110000_", "U__a_110000_");
  check("U__a_d800_", "U__a_d800_");
}

TEST(Parameters, ReadsTheQueryAndThenThePostedForm) {
  const http::Request request{.method = "POST",
                              .query = {{"limit", "5"}, {"empty", ""}},
                              .headers = {{"Content-Type", "application/x-www-form-urlencoded"}},
                              .body = "limit=6&match[]=up&match%5B%5D=%7Ba%3D%22b%22%7D"};
  const Parameters parameters(request);
  EXPECT_EQ(parameters.Limit().value_or(0), 5u);
  EXPECT_FALSE(parameters.Has("empty"));
  const auto selectors = parameters.Selectors();
  ASSERT_TRUE(selectors.ok()) << selectors.error().message();
  EXPECT_EQ(selectors->size(), 2u);
}

TEST(Parameters, NamesTheParameterThatIsWrong) {
  const auto error = [](std::vector<std::pair<std::string, std::string>> query) {
    const http::Request request{.method = "GET", .query = std::move(query)};
    const Parameters parameters(request);
    std::string all;
    if (const auto r = parameters.TimeRange(); !r.ok()) {
      all += r.error().message();
    }
    if (const auto r = parameters.Limit(); !r.ok()) {
      all += r.error().message();
    }
    if (const auto r = parameters.Selectors(); !r.ok()) {
      all += r.error().message();
    }
    return all;
  };
  EXPECT_EQ(error({}), "");
  EXPECT_EQ(error({{"start", "x"}}).find("invalid parameter \"start\""), 0u);
  EXPECT_EQ(error({{"start", "2"}, {"end", "1"}}).find("invalid parameter \"end\""), 0u);
  EXPECT_EQ(error({{"limit", "-1"}}).find("invalid parameter \"limit\""), 0u);
  EXPECT_EQ(error({{"match[]", "{"}}).find("invalid parameter \"match[]\""), 0u);
  EXPECT_EQ(error({{"match[]", ""}}).find("invalid parameter \"match[]\""), 0u);
  std::vector<std::pair<std::string, std::string>> many(kMaxSelectors + 1, {"match[]", "up"});
  EXPECT_EQ(error(many).find("invalid parameter \"match[]\": more than"), 0u);
}

}  // namespace
}  // namespace web
