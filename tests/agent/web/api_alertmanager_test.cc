// Alertmanager's API over a notifier of its own.
#include "agent/web/api_alertmanager.h"

#include <memory>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace web {
namespace {

using testing::HasSubstr;
using testing::Not;

class AlertmanagerApiTest : public testing::Test {
 protected:
  AlertmanagerApiTest() {
    auto routing = std::make_shared<notify::Routing>();
    notify::Route route{.receiver = "nobody", .matchers = {}, .group_by = {"alertname"}};
    AssignRouteKeys(&route);
    routing->routes.push_back(route);
    routing->receivers.push_back({.name = "nobody", .integrations = {}});
    routing->original = "route: {}";
    auto notifier = notify::Notifier::Make({.routing = routing, .external_url = "http://agent"},
                                           nullptr, clock_, logger_);
    EXPECT_TRUE(notifier.ok());
    notifier_ = *std::move(notifier);
    views_.clock = &clock_;
    views_.notifier = [this] { return notifier_; };
  }

  http::Response Ask(ApiHandler* handler, std::string body = "",
                     std::vector<std::pair<std::string, std::string>> query = {},
                     std::string_view id = "") {
    http::PathParameters path;
    path.Add("id", id);
    path.Add("key", id);
    return handler(views_, {.method = "GET", .query = std::move(query), .body = std::move(body)},
                   path);
  }
  std::string Silence(const std::string& more = "") {
    return R"({"matchers":[{"name":"a","value":"b.*","isRegex":true)" + more +
           R"(}],"startsAt":")" + base::FormatRfc3339(clock_.Now()) + R"(","endsAt":")" +
           base::FormatRfc3339(clock_.Now() + std::chrono::hours(1)) +
           R"(","createdBy":"me","comment":"why"})";
  }

  base::FakeClock clock_;
  base::Logger logger_{base::LogLevel::kError, base::LogFormat::kLogfmt, [](std::string_view) {}};
  std::shared_ptr<notify::Notifier> notifier_;
  Views views_;
};

TEST_F(AlertmanagerApiTest, TakesAlertsAndShowsThem) {
  const auto posted = Ask(
      AmPostAlerts,
      R"([{"labels":{"alertname":"A","a":"b1","none":""},"annotations":{"s":"\u00fc"}},{"labels":{}}])");
  EXPECT_EQ(posted.status, 400) << "one of them is no alert";
  EXPECT_THAT(posted.body, HasSubstr("at least one label"));
  const std::string shown = Ask(AmAlerts).body;
  EXPECT_THAT(shown, HasSubstr(R"("labels":{"a":"b1","alertname":"A"})"));
  EXPECT_THAT(shown, HasSubstr("\"annotations\":{\"s\":\"\xC3\xBC\"}"));
  EXPECT_THAT(shown, HasSubstr(R"("receivers":[{"name":"nobody"}])"));
  EXPECT_THAT(shown, HasSubstr(R"("state":"active")"));
  EXPECT_EQ(Ask(AmAlerts, "", {{"filter", "a=~\"c.*\""}}).body, "[]\n");
  EXPECT_EQ(Ask(AmAlerts, "", {{"active", "false"}}).body, "[]\n");
  EXPECT_EQ(Ask(AmAlerts, "", {{"receiver", "other"}}).body, "[]\n");
  EXPECT_THAT(Ask(AmGroups).body,
              HasSubstr(R"("labels":{"alertname":"A"},"receiver":{"name":"nobody"})"));
}

TEST_F(AlertmanagerApiTest, RefusesWhatIsNoAlert) {
  const auto check = [this](const char* body) {
    EXPECT_EQ(Ask(AmPostAlerts, body).status, 400) << body;
  };
  check("");
  check("{}");
  check("[{]");
  check(R"([{"labels":{"a":"b"},"startsAt":"yesterday"}])");
  check(
      R"([{"labels":{"a":"b"},"startsAt":"2026-01-02T00:00:00Z","endsAt":"2026-01-01T00:00:00Z"}])");
  EXPECT_EQ(Ask(AmAlerts, "", {{"filter", "=="}}).status, 400);
}

TEST_F(AlertmanagerApiTest, SilencesAreMadeShownAndExpired) {
  ASSERT_EQ(Ask(AmPostAlerts, R"([{"labels":{"alertname":"A","a":"b1"}}])").status, 200);
  const std::string made = Ask(AmPostSilence, Silence()).body;
  ASSERT_THAT(made, HasSubstr("silenceID"));
  const std::string id = made.substr(made.find(':') + 2, 36);
  const std::string shown = Ask(AmSilence, "", {}, id).body;
  EXPECT_THAT(shown, HasSubstr(R"("status":{"state":"active"})"));
  EXPECT_THAT(shown, HasSubstr(R"({"isEqual":true,"isRegex":true,"name":"a","value":"b.*"})"));
  EXPECT_THAT(Ask(AmAlerts).body,
              HasSubstr(R"("silencedBy":[")" + id + R"("],"state":"suppressed")"));
  EXPECT_EQ(Ask(AmAlerts, "", {{"silenced", "false"}}).body, "[]\n");
  EXPECT_EQ(Ask(AmDeleteSilence, "", {}, id).status, 200);
  EXPECT_THAT(Ask(AmSilences).body, HasSubstr("expired"));
  EXPECT_THAT(Ask(AmAlerts).body, Not(HasSubstr("suppressed")));
  EXPECT_EQ(Ask(AmSilence, "", {}, "unknown").status, 404);
  EXPECT_EQ(Ask(AmDeleteSilence, "", {}, "unknown").status, 404);
  EXPECT_EQ(Ask(AmPostSilence, "{}").status, 400);
}

TEST_F(AlertmanagerApiTest, ShowsItsStatusAndTheReceivers) {
  EXPECT_THAT(Ask(AmStatus).body, HasSubstr(R"("config":{"original":"route: {}"})"));
  EXPECT_EQ(Ask(AmReceivers).body, "[{\"name\":\"nobody\"}]\n");
  EXPECT_THAT(Ask(Notifications).body, HasSubstr(R"("data":[])"));
  EXPECT_EQ(Ask(RetryNotification, "", {}, "unknown").status, 404);
  EXPECT_EQ(Ask(DiscardNotification, "", {}, "unknown").status, 404);
}

}  // namespace
}  // namespace web
