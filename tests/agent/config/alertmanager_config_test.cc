#include "agent/config/alertmanager_config.h"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace config {
namespace {

using notify::EmailConfig;
using notify::WebhookConfig;
using testing::HasSubstr;
using testing::Not;

TEST(ParseAlertmanager, ReadsTheWholeSchema) {
  const auto loaded = LoadAlertmanager(TESTDATA_DIR "/alertmanager.yml");
  ASSERT_TRUE(loaded.ok()) << loaded.error().message();
  ASSERT_EQ(loaded->routes.size(), 1U);
  const notify::Route& root = loaded->routes[0];
  EXPECT_EQ(root.key, "{}");
  ASSERT_EQ(root.routes.size(), 2U);
  const notify::Route& chat = root.routes[0];
  EXPECT_EQ(chat.key, R"({}/{"any name"!="x",service=~"foo1|foo2|baz",severity="critical"})");
  EXPECT_EQ(chat.group_by, (std::vector<std::string>{"alertname", "cluster"}));
  EXPECT_EQ(chat.group_wait, std::chrono::seconds(10));
  EXPECT_TRUE(chat.continue_matching);
  EXPECT_EQ(chat.routes[0].key, chat.key + R"(/{env=~"prod.*",owner="a"})");
  EXPECT_TRUE(chat.routes[0].group_by_all);
  EXPECT_TRUE(chat.routes[0].mute_time_intervals.empty()) << "not inherited";
  EXPECT_EQ(root.routes[1].repeat_interval, std::chrono::hours(3));
  EXPECT_EQ(loaded->inhibit_rules.size(), 2U);
  EXPECT_EQ(loaded->time_intervals.size(), 2U);
  EXPECT_EQ(loaded->resolve_timeout, std::chrono::minutes(3));
  EXPECT_EQ(loaded->template_patterns[0], TESTDATA_DIR "/templates/*.tmpl");
  ASSERT_EQ(loaded->receivers.size(), 5U);
}

TEST(ParseAlertmanager, FillsReceiversFromTheGlobalSettings) {
  const auto loaded = LoadAlertmanager(TESTDATA_DIR "/alertmanager.yml");
  ASSERT_TRUE(loaded.ok());
  const auto& mail = std::get<EmailConfig>(loaded->receivers[0].integrations[0].config);
  EXPECT_EQ(mail.smarthost, "mail.example:587");
  EXPECT_EQ(mail.auth_password.text.Reveal(), "hunter2");
  EXPECT_EQ(mail.headers.at("Subject"), "own {{ .Status }}");
  EXPECT_EQ(mail.headers.count("X-Mailer"), 1U);
  EXPECT_TRUE(loaded->receivers[0].integrations[0].send_resolved);
  const notify::Receiver& chat = loaded->receivers[1];
  EXPECT_EQ(IntegrationIds(chat), (std::vector<std::string>{"chat/webhook[0]", "chat/slack[0]"}));
  EXPECT_FALSE(chat.integrations[1].send_resolved) << "Slack's default";
  EXPECT_EQ(std::get<notify::SlackConfig>(chat.integrations[1].config).api_url.text.Reveal(),
            "https://hooks.slack.example/services/hunter2");
  EXPECT_EQ(chat.integrations[0].http.password.file, TESTDATA_DIR "/secret");
  EXPECT_EQ(chat.integrations[0].http.client.proxy_url, "http://proxy.example:3128");
}

TEST(ParseAlertmanager, ShowsNoSecret) {
  const auto loaded = LoadAlertmanager(TESTDATA_DIR "/alertmanager.yml");
  ASSERT_TRUE(loaded.ok());
  EXPECT_THAT(loaded->original, Not(HasSubstr("hunter2")));
  EXPECT_THAT(loaded->original, HasSubstr("repeat_interval: 3h"));
}

TEST(ParseAlertmanager, RefusesByNameAndLine) {
  const auto check = [](const std::string& text, const char* want) {
    const auto parsed = ParseAlertmanager(text, "a.yml");
    ASSERT_FALSE(parsed.ok()) << text;
    EXPECT_THAT(parsed.error().message(), HasSubstr(want)) << text;
  };
  const std::string ok = "route: {receiver: a}\nreceivers:\n- name: a\n";
  ASSERT_TRUE(ParseAlertmanager(ok, "a.yml").ok());
  check("", "no routes provided");
  check("route: {}\nreceivers: [{name: a}]", "a.yml:1: root route must specify a default receiver");
  check("route: {receiver: a, matchers: ['x=y']}\nreceivers: [{name: a}]",
        "root route must not have any matchers");
  check("route: {receiver: a, mute_time_intervals: [x]}\nreceivers: [{name: a}]",
        "root route must not have any mute");
  check("route: {receiver: b}\nreceivers: [{name: a}]", "undefined receiver \"b\"");
  check("route:\n  receiver: a\n  routes:\n  - mute_time_intervals: [x]\nreceivers: [{name: a}]",
        "a.yml:4: undefined time interval \"x\"");
  check("route: {receiver: a}\nreceivers: [{name: a}, {name: a}]", "\"a\" is not unique");
  check("route: {receiver: a}\nreceivers: [{}]", "missing name in receiver");
  check(ok + "  opsgenie_configs: [{api_key: x}]",
        "a.yml:4: \"opsgenie_configs\" is not supported");
  check(ok + "  webhook_configs: [{}]", "one of url and url_file");
  check(ok + "  webhook_configs: [{url: 'ftp://x'}]", "http://HOST");
  check(ok + "  webhook_configs: [{url: 'http://x', nope: 1}]", "nope");
  check(ok + "  slack_configs: [{channel: x}]", "no Slack URL");
  check(ok + "  email_configs: [{from: x, smarthost: 'h:25'}]", "missing to address");
  check(ok + "  email_configs: [{to: x, smarthost: 'h:25'}]", "no sender");
  check(ok + "  email_configs: [{to: x, from: x}]", "no mail server");
  check(ok + "  email_configs: [{to: x, from: x, smarthost: h}]", "host:port");
  check(ok + "  email_configs: [{to: x, from: x, smarthost: 'h:1', headers: {a: b, A: c}}]",
        "twice");
  check(ok + "  pagerduty_configs: [{}]", "one of routing_key");
  check(ok + "  pagerduty_configs: [{service_key: x}]", "service_key");
  check(ok + "nonsense: 1", "a.yml:4");
  check(ok + "global: {opsgenie_api_key: x}", "opsgenie_api_key");
  check(ok + "inhibit_rules: [{source_matchers: ['a=b\"']}]", "bad matcher format");
  check(ok + "time_intervals: [{name: x, time_intervals: [{weekdays: [funday]}]}]", "funday");
  check(ok + "time_intervals: [{name: x, time_intervals: [{location: Mars}]}]", "Mars");
  check(ok + "time_intervals: [{name: x}, {name: x}]", "not unique");
  for (const auto& [route, want] :
       {std::pair("group_by: ['...', a]", "stands alone"), std::pair("group_by: [a, a]", "twice"),
        std::pair("group_interval: 0s", "longer than 0"),
        std::pair("repeat_interval: 0s", "longer than 0"),
        std::pair("routes: [{match: {'a b': c}}]", "invalid label name"),
        std::pair("routes: [{match_re: {a: '('}}]", "regexp"), std::pair("nope: 1", "nope")}) {
    check(std::string("route: {receiver: a, ") + route + "}\nreceivers: [{name: a}]", want);
  }
  std::string deep = "{receiver: a}";
  for (int i = 0; i < notify::kMaxRouteDepth + 1; ++i) {
    deep = "{receiver: a, routes: [" + deep + "]}";
  }
  EXPECT_FALSE(ParseAlertmanager("route: " + deep + "\nreceivers: [{name: a}]", "a.yml").ok());
}

}  // namespace
}  // namespace config
