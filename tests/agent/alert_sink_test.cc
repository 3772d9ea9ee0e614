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

TEST(MakeTargets, NamesAlertmanagers) {
  auto config = Alertmanagers({"am1:9093", "am2:9093"});
  config.path_prefix = "am/";
  config.scheme = "https";
  config.auth.basic = true;
  config.auth.username = "u";
  config.auth.password = base::Secret("p");
  const auto targets = MakeTargets({config});
  ASSERT_TRUE(targets.ok());
  ASSERT_EQ(targets->size(), 2U);
  EXPECT_EQ((*targets)[0].name, "alertmanager-am1:9093");
  EXPECT_EQ((*targets)[0].url, "https://am1:9093/am");
  EXPECT_EQ((*targets)[1].http.username.text.Reveal(), "u");
  EXPECT_EQ((*targets)[1].http.password.text.Reveal(), "p");
  config.auth.authorization_type = "Negotiate";
  EXPECT_FALSE(MakeTargets({config}).ok());
}

TEST(MakeRouting, SendsEverythingToEachWebhook) {
  const auto routing =
      MakeRouting({.webhook_urls = {base::Secret("http://a/1"), base::Secret("http://b/2")}});
  ASSERT_TRUE(routing.ok());
  ASSERT_EQ((*routing)->receivers.size(), 2U);
  EXPECT_EQ((*routing)->receivers[0].name, "webhook");
  EXPECT_EQ((*routing)->receivers[1].name, "webhook-2");
  EXPECT_EQ((*routing)->routes.size(), 2U);
  EXPECT_FALSE(MakeRouting({.webhook_urls = {base::Secret("no url")}}).ok());
  EXPECT_FALSE(MakeRouting({.alertmanager_config_file = "/nonexistent/a.yml"}).ok());
}

class AlertSinkTest : public testing::Test {
 protected:
  base::RealClock clock_;
  base::Logger logger_{base::LogLevel::kError, base::LogFormat::kLogfmt, [](std::string_view) {}};
  AlertSink sink_{clock_, logger_};
};

TEST_F(AlertSinkTest, ShowsReceiversWithoutTheirSecrets) {
  EXPECT_TRUE(sink_.ReceiverUrls().empty());
  const auto routing = MakeRouting(
      {.webhook_urls = {base::Secret("https://me:hunter2@chat.example:8443/hook/hunter2")}});
  ASSERT_TRUE(sink_
                  .Configure({.routing = *routing,
                              .alertmanagers = *MakeTargets({Alertmanagers({"am:9093"})})},
                             nullptr)
                  .ok());
  EXPECT_EQ(sink_.ReceiverUrls(), (std::vector<std::string>{"https://chat.example:8443",
                                                            "http://am:9093/api/v2/alerts"}));
  EXPECT_EQ(sink_.AlertmanagerUrls(), (std::vector<std::string>{"http://am:9093/api/v2/alerts"}));
}

TEST_F(AlertSinkTest, ABadTargetLeavesWhatWas) {
  const auto routing = MakeRouting({.webhook_urls = {base::Secret("http://a:1/x")}});
  ASSERT_TRUE(sink_.Configure({.routing = *routing}, nullptr).ok());
  EXPECT_FALSE(sink_
                   .Configure({.routing = *MakeRouting({}),
                               .alertmanagers = {{.name = "am", .url = "no url", .http = {}}}},
                              nullptr)
                   .ok());
  EXPECT_EQ(sink_.ReceiverUrls(), (std::vector<std::string>{"http://a:1"}));
}

TEST_F(AlertSinkTest, WithoutReceiversAlertsGoNowhere) {
  sink_.Notify({MakeAlert({{"alertname", "A"}})});
  ASSERT_TRUE(sink_.Configure({.routing = *MakeRouting({})}, nullptr).ok());
  sink_.Notify({MakeAlert({{"alertname", "A"}})});
  sink_.Stop(std::chrono::milliseconds(0));
}

}  // namespace
}  // namespace agent
