#include "lib/http/message.h"

#include <gtest/gtest.h>

namespace http {
namespace {

TEST(Request, FindsTheFirstQueryParameterOfAName) {
  const Request request{.query = {{"match[]", "a"}, {"match[]", "b"}, {"empty", ""}}};
  EXPECT_EQ(request.Query("match[]"), "a");
  EXPECT_EQ(request.Query("empty"), "");
  EXPECT_EQ(request.Query("absent"), std::nullopt);
  EXPECT_EQ(request.QueryAll("match[]"), (std::vector<std::string>{"a", "b"}));
}

TEST(Request, ComparesHeaderNamesWithoutCase) {
  const Request request{.headers = {{"X-Prometheus-Scrape-Timeout-Seconds", "10"}}};
  EXPECT_EQ(request.Header("x-prometheus-scrape-timeout-seconds"), "10");
  EXPECT_EQ(request.Header("X-Other"), std::nullopt);
}

TEST(Request, ReadsTheFormOnlyOfAPostOfThatType) {
  const auto form = [](std::string method, std::string type) {
    const Request request{.method = std::move(method),
                          .query = {{"a", "1"}},
                          .headers = {{"content-type", std::move(type)}},
                          .body = "b=2&c=x+y%26"};
    return request.Form();
  };
  using Pairs = std::vector<std::pair<std::string, std::string>>;
  const Pairs both = {{"a", "1"}, {"b", "2"}, {"c", "x y&"}};
  EXPECT_EQ(form("POST", "application/x-www-form-urlencoded"), both);
  EXPECT_EQ(form("POST", "Application/X-WWW-Form-Urlencoded ; charset=utf-8"), both);
  EXPECT_EQ(form("POST", "application/json"), (Pairs{{"a", "1"}}));
  EXPECT_EQ(form("GET", "application/x-www-form-urlencoded"), (Pairs{{"a", "1"}}));
}

TEST(ReasonPhrase, HasAWordForEveryStatus) {
  EXPECT_EQ(ReasonPhrase(404), "Not Found");
  EXPECT_EQ(ReasonPhrase(599), "Status");
}

}  // namespace
}  // namespace http
