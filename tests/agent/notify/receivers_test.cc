// What goes over the wire, kind by kind, and the texts in it.
#include "agent/notify/receivers.h"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace notify {
namespace {

using testing::HasSubstr;
using testing::Not;

const base::WallTime kStart{std::chrono::seconds(1'795'168'800)};  // 2026-11-20T10:00:00Z

Notification MakeNotification() {
  return {.key = "k1",
          .integration = "team/x[0]",
          .receiver = "team",
          .group_key = R"({}:{alertname="Up"})",
          .group_labels = {{"alertname", "Up"}},
          .alerts = {{.labels = {{"alertname", "Up"}, {"i", "1"}, {"zone", "a"}},
                      .annotations = {{"summary", "s <1>"}},
                      .starts_at = kStart,
                      .ends_at = kStart + std::chrono::hours(1),
                      .generator_url = "http://agent/graph"},
                     {.labels = {{"alertname", "Up"}, {"i", "2"}, {"zone", "a"}},
                      .annotations = {},
                      .starts_at = kStart,
                      .ends_at = kStart + std::chrono::minutes(1),
                      .generator_url = "",
                      .resolved = true}},
          .created = kStart + std::chrono::minutes(2)};
}

base::Result<Message> Composed(const Integration& integration,
                               const Notification& notification = MakeNotification()) {
  const auto templates = MessageTemplates::Make({});
  EXPECT_TRUE(templates.ok()) << (templates.ok() ? "" : templates.error().message());
  return Compose({.integration = integration,
                  .notification = notification,
                  .templates = *templates,
                  .external_url = "http://agent:9095",
                  .now = kStart});
}

http::ClientRequest PostOf(const Integration& integration,
                           const Notification& notification = MakeNotification()) {
  auto message = Composed(integration, notification);
  EXPECT_TRUE(message.ok()) << (message.ok() ? "" : message.error().message());
  return std::get<Post>(*message).request;
}

TEST(Webhook, BodyIsAlertmanagersVersion4) {
  EXPECT_EQ(
      WebhookBody(MakeNotification(), "http://agent:9095", 0),
      R"({"receiver":"team","status":"firing","alerts":[{"status":"firing","labels":{"alertname":"Up","i":"1","zone":"a"},"annotations":{"summary":"s <1>"},"startsAt":"2026-11-20T10:00:00Z","endsAt":"0001-01-01T00:00:00Z","generatorURL":"http://agent/graph","fingerprint":"02489cea62654bde"},)"
      R"({"status":"resolved","labels":{"alertname":"Up","i":"2","zone":"a"},"annotations":{},"startsAt":"2026-11-20T10:00:00Z","endsAt":"2026-11-20T10:01:00Z","generatorURL":"","fingerprint":"370867984662656b"}],)"
      R"("groupLabels":{"alertname":"Up"},"commonLabels":{"alertname":"Up","zone":"a"},"commonAnnotations":{},"externalURL":"http://agent:9095","version":"4","groupKey":"{}:{alertname=\"Up\"}","truncatedAlerts":0,"idempotencyKey":"k1"})"
      "\n");
}

TEST(Webhook, TruncatesAndIsResolvedWhenAllAre) {
  EXPECT_THAT(WebhookBody(MakeNotification(), "", 1), HasSubstr("\"truncatedAlerts\":1"));
  Notification notification = MakeNotification();
  notification.alerts.erase(notification.alerts.begin());
  EXPECT_THAT(WebhookBody(notification, "", 0), HasSubstr(R"("status":"resolved","alerts")"));
}

Integration SlackIntegration() {
  SlackConfig slack;
  slack.api_url.text = base::Secret("http://slack/hook");
  slack.channel = "#ops";
  slack.fields = {{.title = "Zone", .value = "{{ .CommonLabels.zone }}", .is_short = "true"}};
  slack.actions = {{.type = "button", .text = "open", .url = "{{ .ExternalURL }}"}};
  return {.http = {}, .config = slack};
}

TEST(Slack, PostsOneAttachment) {
  const http::ClientRequest request = PostOf(SlackIntegration());
  EXPECT_EQ(request.url, "http://slack/hook");
  for (const char* part :
       {R"("channel":"#ops")", "\"title\":\"[FIRING:1] Up (a)\"", R"("color":"danger")",
        R"("title_link":"http://agent:9095/#/alerts?receiver=team")",
        R"("fields":[{"title":"Zone","value":"a","short":true}])",
        R"("actions":[{"type":"button","text":"open","url":"http://agent:9095"}])",
        R"("mrkdwn_in":["fallback","pretext","text"])"}) {
    EXPECT_THAT(request.body, HasSubstr(part));
  }
  Notification resolved = MakeNotification();
  resolved.alerts.erase(resolved.alerts.begin());
  const std::string body = PostOf(SlackIntegration(), resolved).body;
  EXPECT_THAT(body, HasSubstr("\"title\":\"[RESOLVED] Up (2 a)\""));
  EXPECT_THAT(body, HasSubstr(R"("color":"good")"));
}

TEST(Slack, ABotSendsItsTokenAndReadsItsAnswer) {
  Integration integration = SlackIntegration();
  std::get<SlackConfig>(integration.config).token.text = base::Secret("xoxb");
  const auto message = Composed(integration);
  ASSERT_TRUE(message.ok());
  EXPECT_EQ(std::get<Post>(*message).bearer_token.Reveal(), "xoxb");
  const auto kind = [&](int status, const char* type, const char* body) {
    return Interpret(integration,
                     http::ClientResponse{.status = status, .content_type = type, .body = body}, {})
        .kind;
  };
  EXPECT_EQ(kind(200, "text/html", "ok"), Verdict::Kind::kDelivered);
  EXPECT_EQ(kind(200, "application/json", R"({"ok":true})"), Verdict::Kind::kDelivered);
  EXPECT_EQ(kind(200, "application/json", R"({"ok":false,"error":"channel_not_found"})"),
            Verdict::Kind::kRejected);
  EXPECT_EQ(kind(200, "application/json", R"({"ok":false,"error":"ratelimited"})"),
            Verdict::Kind::kRetry);
  EXPECT_EQ(kind(429, "text/plain", ""), Verdict::Kind::kRetry);
  EXPECT_EQ(kind(404, "text/plain", "no_team"), Verdict::Kind::kRejected);
}

Integration PagerdutyIntegration() {
  PagerdutyConfig pagerduty;
  pagerduty.routing_key.text = base::Secret("rk");
  pagerduty.details = {{"zone", "{{ .CommonLabels.zone }}"}};
  pagerduty.links = {{.href = "http://x", .text = "{{ .Status }}"}};
  return {.http = {}, .config = pagerduty};
}

TEST(Pagerduty, TriggersAndResolvesTheSameIncident) {
  const std::string body = PostOf(PagerdutyIntegration()).body;
  const std::string key = "\"dedup_key\":\"" + Sha256Hex(R"({}:{alertname="Up"})") + "\"";
  for (const std::string& part :
       {std::string(R"("routing_key":"rk")"), key, std::string(R"("event_action":"trigger")"),
        std::string("\"summary\":\"[FIRING:1] Up (a)\""), std::string("\"severity\":\"error\""),
        std::string(R"("num_firing":"1","num_resolved":"1")"), std::string(R"("zone":"a")"),
        std::string(R"("links":[{"href":"http://x","text":"firing"}])")}) {
    EXPECT_THAT(body, HasSubstr(part));
  }
  Notification resolved = MakeNotification();
  resolved.alerts.erase(resolved.alerts.begin());
  const std::string end = PostOf(PagerdutyIntegration(), resolved).body;
  EXPECT_THAT(end, HasSubstr(key));
  EXPECT_THAT(end, HasSubstr(R"("event_action":"resolve")"));
}

TEST(Pagerduty, LeavesOutWhatIsTooLong) {
  Notification big = MakeNotification();
  big.group_labels = {{"alertname", std::string(3000, 'x')}};
  for (int i = 0; i < 20; ++i) {
    Alert alert = big.alerts[0];
    alert.annotations = {{"text", std::string(11'000, 'y')}};
    big.alerts.push_back(alert);
  }
  Integration integration = PagerdutyIntegration();
  std::get<PagerdutyConfig>(integration.config).details = {
      {"a", R"({{ template "pagerduty.default.instances" .Alerts }})"},
      {"b", R"({{ template "pagerduty.default.instances" .Alerts }})"}};
  const std::string body = PostOf(integration, big).body;
  EXPECT_LT(body.size(), 512'000U);
  EXPECT_THAT(body, HasSubstr("left out"));
  EXPECT_THAT(body, HasSubstr("xxx…\""));
}

EmailConfig Mailbox() {
  EmailConfig email;
  email.to = "Ops Team <ops@example.org>, boss@example.org";
  email.from = "tarsier@example.org";
  email.smarthost = "mail.example:587";
  return email;
}

TEST(Email, IsAMultipartMessage) {
  const auto message = Composed({.http = {}, .config = Mailbox()});
  ASSERT_TRUE(message.ok()) << message.error().message();
  const auto& mail = std::get<http::Mail>(*message);
  EXPECT_EQ(mail.to, (std::vector<std::string>{"ops@example.org", "boss@example.org"}));
  EXPECT_EQ(mail.from, "tarsier@example.org");
  EXPECT_TRUE(mail.require_tls);
  for (const char* part :
       {"Subject: [FIRING:1] Up (a)\r\n", "To: Ops Team <ops@example.org>,\r\n boss@example.org",
        "Message-Id: <k1@example.org>", "Date: Fri, 20 Nov 2026 10:00:00 +0000", "text/plain",
        "text/html", "multipart/alternative; boundary=\"=_k1\"", "s &lt;1&gt;", "--=_k1--"}) {
    EXPECT_THAT(mail.message, HasSubstr(part));
  }
  for (size_t start = 0, end = 0; end != std::string::npos; start = end + 2) {
    end = mail.message.find("\r\n", start);
    EXPECT_LE(std::min(end, mail.message.size()) - start, 998U);
  }
}

TEST(Email, EncodesWhatIsNotAsciiAndKeepsHeadersToThemselves) {
  EmailConfig email = Mailbox();
  email.headers["Subject"] = "Grüße\r\nBcc: x@y.z";
  const auto message = Composed({.http = {}, .config = email});
  ASSERT_TRUE(message.ok());
  const std::string& text = std::get<http::Mail>(*message).message;
  EXPECT_THAT(text, HasSubstr("Subject: =?utf-8?q?Gr=C3=BC=C3=9Fe__Bcc=3A_x=40y=2Ez?=\r\n"));
  EXPECT_THAT(text, Not(HasSubstr("\nBcc")));
  email.to = "nobody";
  EXPECT_FALSE(Composed({.http = {}, .config = email}).ok());
  email.to = "a@b.c\r\nRCPT";
  EXPECT_FALSE(Composed({.http = {}, .config = email}).ok());
}

class TextsTest : public testing::Test {
 protected:
  static std::string Expand(const std::string& text, const std::string& file = "") {
    const auto templates = MessageTemplates::Make({{.name = "own.tmpl", .text = file}});
    EXPECT_TRUE(templates.ok());
    const Notification notification = MakeNotification();
    MessageTexts texts(*templates, notification, "http://agent:9095", kStart);
    const std::string expanded = texts.Expand(text);
    return texts.status().ok() ? expanded : "error: " + texts.status().error().message();
  }
};

TEST_F(TextsTest, KnowAlertmanagersDataFunctionsAndMethods) {
  const auto check = [](const char* text, const char* want) {
    EXPECT_EQ(Expand(text), want) << text;
  };
  check("{{ .Status | toUpper }} {{ .Receiver }} {{ .ExternalURL }}",
        "FIRING team http://agent:9095");
  check("{{ .Alerts | len }}{{ .Alerts.Firing | len }}{{ len .Alerts.Resolved }}", "211");
  check("{{ range .Alerts }}{{ .Labels.i }}{{ .Status }};{{ end }}", "1firing;2resolved;");
  check("{{ .CommonLabels.SortedPairs.Values | join \" \" }}", "Up a");
  check("{{ .CommonLabels.Names | join \",\" }}", "alertname,zone");
  check("{{ range .GroupLabels.SortedPairs }}{{ .Name }}={{ .Value }}{{ end }}", "alertname=Up");
  check("{{ with .CommonLabels.Remove .GroupLabels.Names }}{{ .Values | join \" \" }}{{ end }}",
        "a");
  check("{{ (.CommonLabels.Remove (stringSlice \"zone\")).Names }}", "[alertname]");
  check("{{ (index .Alerts 0).Annotations.summary }}", "s <1>");
  check("{{ (index .Alerts 0).StartsAt.Format \"2006-01-02 15:04:05\" }}", "2026-11-20 10:00:00");
  check("{{ (index .Alerts 0).StartsAt.Unix }}", "1795168800");
  check("{{ (index .Alerts 0).StartsAt | date \"Mon Jan _2 3:04PM MST\" }}",
        "Fri Nov 20 10:00AM UTC");
  check("{{ (index .Alerts 0).EndsAt.IsZero }}", "true");
  check("{{ (index .Alerts 0).StartsAt | since }}", "0s");
  check("{{ (index .Alerts 0).StartsAt }}", "2026-11-20 10:00:00 +0000 UTC");
  check("{{ toJson .GroupLabels }}", R"({"alertname":"Up"})");
  check("{{ trimSpace \" a \" }}{{ title \"b c\" }}{{ urlUnescape \"a%20b\" }}", "aB Ca b");
  check("{{ reReplaceAll \"a+\" \"b\" \"caat\" }}{{ match \"^a\" \"ab\" }}", "cbttrue");
  check("{{ index (dict \"a\" 1) \"a\" }}{{ append (list 1) 2 | len }}", "12");
  check("{{ .GroupLabels.absent }}", "");
  check("{{ template \"slack.default.title\" . }}", "[FIRING:1] Up (a)");
}

TEST_F(TextsTest, FilesReplaceDefaults) {
  EXPECT_EQ(Expand(R"({{ template "slack.default.title" . }})",
                   R"({{ define "slack.default.title" }}own {{ .Status }}{{ end }})"),
            "own firing");
}

TEST_F(TextsTest, SayWhatFails) {
  EXPECT_THAT(Expand("{{ .Nope }}"), HasSubstr("can't evaluate field Nope"));
  EXPECT_THAT(Expand("{{ template \"nope\" . }}"), HasSubstr("\"nope\" not defined"));
  EXPECT_THAT(Expand("{{ humanize 1 }}"), HasSubstr("\"humanize\" not defined"));
  EXPECT_THAT(Expand("{{ tz \"Mars\" now }}"), HasSubstr("Mars"));
  EXPECT_FALSE(MessageTemplates::Make({{.name = "x", .text = "{{ end }}"}}).ok());
}

TEST(CredentialFiles, AreReadForEveryDelivery) {
  HttpConfig config{.client = {}, .bearer = {.text = {}, .file = "/nonexistent/token"}};
  const auto options = ClientOptionsOf(config);
  ASSERT_FALSE(options.ok());
  EXPECT_THAT(options.error().message(), HasSubstr("/nonexistent/token"));
}

}  // namespace
}  // namespace notify
