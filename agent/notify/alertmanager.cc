#include "agent/notify/alertmanager.h"

#include "lib/base/json_writer.h"

namespace notify {
namespace {

void WriteLabels(const model::Labels& labels, base::JsonWriter* json) {
  json->BeginObject();
  for (const model::Label label : labels) {
    json->Member(label.name, label.value);
  }
  json->EndObject();
}

}  // namespace

std::string AlertmanagerBody(std::span<const Alert* const> alerts) {
  std::string body;
  base::JsonWriter json(&body);
  json.BeginArray();
  for (const Alert* alert : alerts) {
    json.BeginObject();
    json.Key("labels");
    WriteLabels(alert->labels, &json);
    json.Key("annotations");
    WriteLabels(alert->annotations, &json);
    json.Member("startsAt", base::FormatRfc3339(alert->starts_at));
    json.Member("endsAt", base::FormatRfc3339(alert->ends_at));
    json.Member("generatorURL", alert->generator_url);
    json.EndObject();
  }
  json.EndArray();
  return body;
}

void AlertmanagerOutbox::Add(const std::vector<Alert>& alerts, Moment) {
  for (const Alert& alert : alerts) {
    const auto [at, is_new] = by_labels_.try_emplace(alert.labels, next_);
    if (!is_new) {
      queue_.erase(at->second);
      at->second = next_;
    }
    queue_.emplace(next_++, alert);
    if (queue_.size() > kMaxOutboxAlerts) {
      by_labels_.erase(queue_.begin()->second.labels);
      queue_.erase(queue_.begin());
      ++dropped_;
    }
  }
}

std::optional<base::MonotonicTime> AlertmanagerOutbox::Due() const {
  return queue_.empty() ? std::nullopt : std::optional(not_before_);
}

std::optional<Delivery> AlertmanagerOutbox::Take(Moment now) {
  if (queue_.empty() || now.monotonic < not_before_) {
    return std::nullopt;
  }
  std::vector<const Alert*> alerts;
  in_flight_.clear();
  for (const auto& [sequence, alert] : queue_) {
    if (alerts.size() == kMaxAlertsPerPost) {
      break;
    }
    alerts.push_back(&alert);
    in_flight_.push_back(sequence);
  }
  return Delivery{.body = AlertmanagerBody(alerts), .alerts = alerts.size()};
}

void AlertmanagerOutbox::Report(const Verdict& verdict, Moment now) {
  if (verdict.kind == Verdict::Kind::kRetry) {
    not_before_ = now.monotonic + BackoffAfter(++failures_, verdict, random_);
    return;
  }
  failures_ = 0;
  // What was replaced meanwhile has another number and stays. An Alertmanager that rejects a batch
  // has kept its valid alerts; the rules send the others again.
  for (const Sequence sequence : in_flight_) {
    const auto at = queue_.find(sequence);
    if (at != queue_.end()) {
      by_labels_.erase(at->second.labels);
      queue_.erase(at);
      dropped_ += verdict.kind == Verdict::Kind::kRejected ? 1U : 0U;
    }
  }
}

}  // namespace notify
