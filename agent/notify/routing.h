// What an alertmanager.yml says, as plain structs: the tree of routes, who inhibits whom, when
// routes are mute, and the receivers. config::ParseAlertmanager reads it.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "agent/notify/matcher_text.h"
#include "agent/notify/time_interval.h"
#include "lib/base/secret.h"
#include "lib/http/client.h"
#include "lib/model/labels.h"

namespace notify {

inline constexpr size_t kMaxRoutes = 10'000;
inline constexpr int kMaxRouteDepth = 32;

// Nothing is inherited any more: each route says all of it.
struct Route {
  std::string receiver;
  Matchers matchers;  // Sorted.
  bool continue_matching = false;
  bool group_by_all = false;
  std::vector<std::string> group_by;  // Sorted.
  std::chrono::milliseconds group_wait{30'000};
  std::chrono::milliseconds group_interval{5 * 60'000};
  std::chrono::milliseconds repeat_interval{4 * 60 * 60'000};
  std::vector<std::string> mute_time_intervals;
  std::vector<std::string> active_time_intervals;
  std::vector<Route> routes;
  std::string key;  // {}/{severity="page"}: the start of the keys of its groups.
};

struct InhibitRule {
  Matchers source_matchers;
  Matchers target_matchers;
  std::vector<std::string> equal;
};

// A secret in the configuration or in a file that is read for every delivery.
struct SecretSource {
  base::Secret text;
  std::string file;

  bool empty() const { return text.empty() && file.empty(); }
  base::Result<base::Secret> Read() const;
  bool operator==(const SecretSource&) const = default;
};

struct HttpConfig {
  http::ClientOptions client;  // Without what the sources below give.
  bool basic = false;
  SecretSource username;
  SecretSource password;
  SecretSource bearer;
};

struct WebhookConfig {
  SecretSource url;
  uint64_t max_alerts = 0;               // 0 is no limit.
  std::chrono::milliseconds timeout{0};  // 0 is the default.
  SecretSource signing_key;              // Bodies are signed with it, HMAC-SHA256.
};

struct SlackField {
  std::string title;
  std::string value;
  std::string is_short;  // "true", "false" or as the receiver's short_fields.
};
struct SlackAction {
  std::string type, text, url, style, name, value;
};
struct SlackConfig {
  SecretSource api_url;
  SecretSource token;  // Of a bot: sent as a bearer to chat.postMessage.
  std::string channel;
  std::string username = R"({{ template "slack.default.username" . }})";
  std::string color = R"({{ if eq .Status "firing" }}danger{{ else }}good{{ end }})";
  std::string title = R"({{ template "slack.default.title" . }})";
  std::string title_link = R"({{ template "slack.default.titlelink" . }})";
  std::string pretext = R"({{ template "slack.default.pretext" . }})";
  std::string text = R"({{ template "slack.default.text" . }})";
  std::string fallback = R"({{ template "slack.default.fallback" . }})";
  std::string callback_id = R"({{ template "slack.default.callbackid" . }})";
  std::string icon_emoji = R"({{ template "slack.default.iconemoji" . }})";
  std::string icon_url = R"({{ template "slack.default.iconurl" . }})";
  std::string footer = R"({{ template "slack.default.footer" . }})";
  std::string image_url;
  std::string thumb_url;
  bool short_fields = false;
  bool link_names = false;
  std::vector<std::string> mrkdwn_in = {"fallback", "pretext", "text"};
  std::vector<SlackField> fields;
  std::vector<SlackAction> actions;
  std::chrono::milliseconds timeout{0};
};

struct EmailConfig {
  std::string to;
  std::string from;
  std::string smarthost;  // host:port
  std::string hello = "localhost";
  std::string auth_username;
  SecretSource auth_password;
  std::string auth_identity;
  bool require_tls = true;
  http::ClientOptions tls;
  std::string html = R"({{ template "email.default.html" . }})";
  std::string text = R"({{ template "email.default.text" . }})";
  std::map<std::string, std::string> headers;  // Names in canonical form; templates.
  bool threading = false;
};

struct PagerdutyLink {
  std::string href, text;
};
struct PagerdutyImage {
  std::string src, alt, href;
};
struct PagerdutyConfig {
  SecretSource routing_key;
  std::string url = "https://events.pagerduty.com/v2/enqueue";
  std::string client = R"({{ template "pagerduty.default.client" . }})";
  std::string client_url = R"({{ template "pagerduty.default.clientURL" . }})";
  std::string description = R"({{ template "pagerduty.default.description" .}})";
  std::string severity = "error";
  std::string source;  // Empty: as client.
  std::string component, event_class, group;
  std::map<std::string, std::string> details;  // Beside the four that are always there.
  std::vector<PagerdutyLink> links;
  std::vector<PagerdutyImage> images;
  std::chrono::milliseconds timeout{0};
};

struct Integration {
  bool send_resolved = true;
  HttpConfig http;
  std::variant<WebhookConfig, SlackConfig, EmailConfig, PagerdutyConfig> config;
};

struct Receiver {
  std::string name;
  std::vector<Integration> integrations;  // Kind by kind.
};

struct Routing {
  std::vector<Route> routes;  // Roots; usually one. Each is asked for itself.
  std::vector<InhibitRule> inhibit_rules;
  std::map<std::string, std::vector<TimeInterval>> time_intervals;
  std::vector<Receiver> receivers;
  std::vector<std::string> template_patterns;  // Absolute.
  std::chrono::milliseconds resolve_timeout{5 * 60'000};
  std::string original;  // The text of the configuration, secrets taken out, for the API.
};

// Fills `key` from the root down.
void AssignRouteKeys(Route* root);
// The routes that take an alert, in order: the deepest that match.
std::vector<const Route*> MatchRoutes(const Route& root, const model::Labels& labels);
// The labels by which `route` groups.
model::Labels GroupLabels(const Route& route, const model::Labels& labels);

const Receiver* FindReceiver(const Routing& routing, std::string_view name);
// "webhook", "slack", …
std::string_view KindName(const Integration& integration);
// What logs, metrics and the durable record know an integration by: "team-x/webhook[0]", unique
// and stable while its place in the configuration is.
std::vector<std::string> IntegrationIds(const Receiver& receiver);

// Everything goes to the given webhooks, grouped by alertname: what --alert.webhook-url means.
void AddPlainWebhooks(const std::vector<base::Secret>& urls, const SecretSource& signing_key,
                      Routing* routing);

}  // namespace notify
