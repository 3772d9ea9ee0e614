// Events API v2: one incident a group, opened by "trigger", closed by "resolve" with the same
// dedup_key.
#include <string>

#include <fmt/format.h>

#include "agent/notify/receivers.h"
#include "lib/base/json_writer.h"

namespace notify {
namespace {

constexpr size_t kMaxSummaryBytes = 1024;
constexpr size_t kMaxEventBytes = 512'000;

std::string CutToCharacter(std::string text, size_t most) {
  if (text.size() <= most) {
    return text;
  }
  constexpr std::string_view kEllipsis = "…";
  size_t end = most - kEllipsis.size();
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0U) == 0x80U) {
    --end;
  }
  return text.substr(0, end) + std::string(kEllipsis);
}

// What users know from the official receiver, unless they say otherwise.
std::map<std::string, std::string> Details(const PagerdutyConfig& config, MessageTexts* texts) {
  std::map<std::string, std::string> details = {
      {"firing", R"({{ template "pagerduty.default.instances" .Alerts.Firing }})"},
      {"resolved", R"({{ template "pagerduty.default.instances" .Alerts.Resolved }})"},
      {"num_firing", "{{ .Alerts.Firing | len }}"},
      {"num_resolved", "{{ .Alerts.Resolved | len }}"}};
  for (const auto& [name, text] : config.details) {
    details[name] = text;
  }
  for (auto& [name, text] : details) {
    text = texts->Expand(text);
  }
  return details;
}

void Optional(std::string_view name, const std::string& value, base::JsonWriter* json) {
  if (!value.empty()) {
    json->Member(name, value);
  }
}

std::string EventBody(const PagerdutyConfig& config, const Notification& notification,
                      const std::string& routing_key,
                      const std::map<std::string, std::string>& details, MessageTexts* texts) {
  std::string body;
  base::JsonWriter json(&body);
  json.BeginObject();
  json.Member("routing_key", texts->Expand(routing_key));
  json.Member("dedup_key", Sha256Hex(notification.group_key));
  json.Member("event_action", notification.resolved() ? "resolve" : "trigger");
  json.Member("client", texts->Expand(config.client));
  json.Member("client_url", texts->Expand(config.client_url));
  json.Key("payload");
  json.BeginObject();
  json.Member("summary", CutToCharacter(texts->Expand(config.description), kMaxSummaryBytes));
  json.Member("source", texts->Expand(config.source.empty() ? config.client : config.source));
  json.Member("severity", texts->Expand(config.severity));
  json.Member("timestamp", base::FormatRfc3339(notification.created));
  Optional("component", texts->Expand(config.component), &json);
  Optional("group", texts->Expand(config.group), &json);
  Optional("class", texts->Expand(config.event_class), &json);
  json.Key("custom_details");
  json.BeginObject();
  for (const auto& [name, text] : details) {
    json.Member(name, text);
  }
  json.EndObject();
  json.EndObject();
  json.Key("links");
  json.BeginArray();
  for (const PagerdutyLink& link : config.links) {
    json.BeginObject();
    json.Member("href", texts->Expand(link.href));
    json.Member("text", texts->Expand(link.text));
    json.EndObject();
  }
  json.EndArray();
  json.Key("images");
  json.BeginArray();
  for (const PagerdutyImage& image : config.images) {
    json.BeginObject();
    json.Member("src", texts->Expand(image.src));
    json.Member("alt", texts->Expand(image.alt));
    json.Member("href", texts->Expand(image.href));
    json.EndObject();
  }
  json.EndArray();
  json.EndObject();
  return body;
}

}  // namespace

base::Result<Message> ComposePagerduty(const Composing& composing) {
  const auto& config = std::get<PagerdutyConfig>(composing.integration.config);
  MessageTexts texts(composing.templates, composing.notification, composing.external_url,
                     composing.now);
  ASSIGN_OR_RETURN(const base::Secret key, config.routing_key.Read());
  std::map<std::string, std::string> details = Details(config, &texts);
  Post post;
  post.request.body = EventBody(config, composing.notification, key.Reveal(), details, &texts);
  if (post.request.body.size() > kMaxEventBytes) {
    details = {{"error",
                fmt::format("left out: the event would be longer than {} bytes", kMaxEventBytes)}};
    post.request.body = EventBody(config, composing.notification, key.Reveal(), details, &texts);
  }
  RETURN_IF_ERROR(texts.status());
  post.request.url = config.url;
  post.request.timeout = config.timeout.count() > 0 ? config.timeout : kDefaultTimeout;
  post.request.headers = {{"Content-Type", "application/json"},
                          {"Idempotency-Key", composing.notification.key}};
  return Message(std::move(post));
}

}  // namespace notify
