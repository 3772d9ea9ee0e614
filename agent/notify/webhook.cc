// One JSON body of Alertmanager's version 4 for each notification. Beyond that format:
// "idempotencyKey", also sent as a header, is the same for every try of a notification, and with a
// signing key the header X-Tarsier-Signature is "sha256=" and the HMAC of the body.
#include <algorithm>
#include <string>

#include <fmt/format.h>

#include "agent/notify/receivers.h"
#include "lib/base/json_writer.h"

namespace notify {
namespace {

constexpr std::string_view kZeroTime = "0001-01-01T00:00:00Z";  // Go's; "not yet".

std::string_view StatusName(bool resolved) { return resolved ? "resolved" : "firing"; }

void WriteLabels(const model::Labels& labels, base::JsonWriter* json) {
  json->BeginObject();
  for (const model::Label label : labels) {
    json->Member(label.name, std::string(label.value));
  }
  json->EndObject();
}

void WriteAlert(const Alert& alert, base::JsonWriter* json) {
  json->BeginObject();
  json->Member("status", StatusName(alert.resolved));
  json->Key("labels");
  WriteLabels(alert.labels, json);
  json->Key("annotations");
  WriteLabels(alert.annotations, json);
  json->Member("startsAt", base::FormatRfc3339(alert.starts_at));
  json->Member("endsAt",
               alert.resolved ? base::FormatRfc3339(alert.ends_at) : std::string(kZeroTime));
  json->Member("generatorURL", alert.generator_url);
  json->Member("fingerprint", fmt::format("{:016x}", alert.labels.Fingerprint()));
  json->EndObject();
}

}  // namespace

std::string WebhookBody(const Notification& notification, const std::string& external_url,
                        uint64_t max_alerts) {
  const std::vector<Alert>& alerts = notification.alerts;
  const size_t count =
      max_alerts == 0 ? alerts.size() : std::min<size_t>(alerts.size(), max_alerts);
  std::string body;
  base::JsonWriter json(&body);
  json.BeginObject();
  json.Member("receiver", notification.receiver);
  json.Member("status", StatusName(notification.resolved()));
  json.Key("alerts");
  json.BeginArray();
  for (size_t i = 0; i < count; ++i) {
    WriteAlert(alerts[i], &json);
  }
  json.EndArray();
  json.Key("groupLabels");
  WriteLabels(notification.group_labels, &json);
  json.Key("commonLabels");
  WriteLabels(CommonPairs(alerts, &Alert::labels), &json);
  json.Key("commonAnnotations");
  WriteLabels(CommonPairs(alerts, &Alert::annotations), &json);
  json.Member("externalURL", external_url);
  json.Member("version", "4");
  json.Member("groupKey", notification.group_key);
  json.Member("truncatedAlerts", static_cast<int64_t>(alerts.size() - count));
  json.Member("idempotencyKey", notification.key);
  json.EndObject();
  return body + "\n";
}

base::Result<Message> ComposeWebhook(const Composing& composing) {
  const auto& config = std::get<WebhookConfig>(composing.integration.config);
  ASSIGN_OR_RETURN(const base::Secret url, config.url.Read());
  Post post;
  post.request.url = url.Reveal();
  post.request.timeout = config.timeout.count() > 0 ? config.timeout : kDefaultTimeout;
  post.request.body =
      WebhookBody(composing.notification, composing.external_url, config.max_alerts);
  post.request.headers = {{"Content-Type", "application/json"},
                          {"Idempotency-Key", composing.notification.key}};
  if (!config.signing_key.empty()) {
    ASSIGN_OR_RETURN(const base::Secret key, config.signing_key.Read());
    post.request.headers.emplace_back("X-Tarsier-Signature",
                                      "sha256=" + HmacSha256Hex(key.Reveal(), post.request.body));
  }
  return Message(std::move(post));
}

}  // namespace notify
