#include "agent/alert_sink.h"

#include <string>

#include <gtest/gtest.h>

namespace agent {
namespace {

using model::Labels;

notify::Alert MakeAlert(Labels labels) { return {.labels = std::move(labels)}; }

TEST(RelabelAlerts, AddsExternalLabelsThatAreMissing) {
  const auto alerts = RelabelAlerts({MakeAlert({{"alertname", "A"}, {"site", "own"}})},
                                    {{"site", "berlin"}, {"env", "prod"}}, {});
  ASSERT_EQ(alerts.size(), 1U);
  EXPECT_EQ(alerts[0].labels.ToString(), R"({alertname="A", env="prod", site="own"})");
}

TEST(RelabelAlerts, RelabelsAfterThatAndDrops) {
  const std::vector<relabel::Rule> rules = {
      *relabel::Rule::Make({.regex = "replica", .action = relabel::Action::kLabelDrop}),
      *relabel::Rule::Make(
          {.source_labels = {"alertname"}, .regex = "B", .action = relabel::Action::kDrop})};
  const auto alerts =
      RelabelAlerts({MakeAlert({{"alertname", "A"}}), MakeAlert({{"alertname", "B"}})},
                    {{"replica", "1"}}, rules);
  ASSERT_EQ(alerts.size(), 1U);
  EXPECT_EQ(alerts[0].labels.ToString(), R"({alertname="A"})");
}

config::AlertmanagerConfig Alertmanagers(std::vector<std::string> targets) {
  config::AlertmanagerConfig config;
  config.static_configs = {{.targets = std::move(targets)}};
  return config;
}

TEST(MakeReceivers, NamesWebhooksAndAlertmanagers) {
  auto config = Alertmanagers({"am1:9093", "am2:9093"});
  config.path_prefix = "am/";
  config.scheme = "https";
  config.auth.basic = true;
  config.auth.username = "u";
  config.auth.password = base::Secret("p");
  const auto receivers =
      MakeReceivers({base::Secret("http://a/1"), base::Secret("http://b/2")}, {config});
  ASSERT_TRUE(receivers.ok());
  ASSERT_EQ(receivers->size(), 4U);
  EXPECT_EQ((*receivers)[0].name, "webhook");
  EXPECT_EQ((*receivers)[1].name, "webhook-2");
  EXPECT_EQ((*receivers)[2].url, "https://am1:9093/am");
  EXPECT_EQ((*receivers)[2].kind, notify::ReceiverKind::kAlertmanager);
  EXPECT_EQ((*receivers)[3].http.basic_auth_user, "u");
  EXPECT_EQ((*receivers)[3].http.basic_auth_password.Reveal(), "p");
}

TEST(MakeReceivers, RefusesCredentialsItCannotUse) {
  auto config = Alertmanagers({"am:1"});
  config.auth.authorization_type = "Negotiate";
  EXPECT_FALSE(MakeReceivers({}, {config}).ok());
  config.auth.authorization_type = "Bearer";
  config.auth.credentials_file = "/nonexistent/token";
  const auto receivers = MakeReceivers({}, {config});
  ASSERT_FALSE(receivers.ok());
  EXPECT_NE(receivers.error().message().find("/nonexistent/token"), std::string::npos);
}

class AlertSinkTest : public testing::Test {
 protected:
  base::RealClock clock_;
  base::Logger logger_{base::LogLevel::kError, base::LogFormat::kLogfmt, [](std::string_view) {}};
  AlertSink sink_{clock_, logger_};
};

TEST_F(AlertSinkTest, ShowsReceiversWithoutTheirSecrets) {
  EXPECT_TRUE(sink_.ReceiverUrls().empty());
  auto receivers =
      MakeReceivers({base::Secret("https://me:hunter2@chat.example:8443/hook/hunter2")},
                    {Alertmanagers({"am:9093"})});
  ASSERT_TRUE(sink_.Configure({.receivers = *std::move(receivers)}).ok());
  EXPECT_EQ(sink_.ReceiverUrls(), (std::vector<std::string>{"https://chat.example:8443",
                                                            "http://am:9093/api/v2/alerts"}));
  EXPECT_EQ(sink_.AlertmanagerUrls(), (std::vector<std::string>{"http://am:9093/api/v2/alerts"}));
}

TEST_F(AlertSinkTest, ABadReceiverLeavesTheOldOnes) {
  auto receivers = MakeReceivers({base::Secret("http://a:1/x")}, {});
  ASSERT_TRUE(sink_.Configure({.receivers = *std::move(receivers)}).ok());
  auto bad = MakeReceivers({base::Secret("no url")}, {});
  EXPECT_FALSE(sink_.Configure({.receivers = *std::move(bad)}).ok());
  EXPECT_EQ(sink_.ReceiverUrls(), (std::vector<std::string>{"http://a:1"}));
}

TEST_F(AlertSinkTest, WithoutReceiversAlertsGoNowhere) {
  sink_.Notify({MakeAlert({{"alertname", "A"}})});
  ASSERT_TRUE(sink_.Configure({}).ok());
  sink_.Notify({MakeAlert({{"alertname", "A"}})});
  sink_.Stop(std::chrono::milliseconds(0));
}

}  // namespace
}  // namespace agent
