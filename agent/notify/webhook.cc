#include "agent/notify/webhook.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "lib/base/json_writer.h"

namespace notify {
namespace {

constexpr std::string_view kZeroTime = "0001-01-01T00:00:00Z";  // Go's; "not yet".
constexpr std::string_view kGroupLabel = "alertname";
// Rules tell of a resolution for 15 minutes; until then it must not look new.
constexpr std::chrono::minutes kRememberResolved{20};

std::string_view StatusName(bool resolved) { return resolved ? "resolved" : "firing"; }

void WriteLabels(const model::Labels& labels, base::JsonWriter* json) {
  json->BeginObject();
  for (const model::Label label : labels) {
    json->Member(label.name, label.value);
  }
  json->EndObject();
}

// The pairs that all have, as `of` gives them.
model::Labels Common(const std::vector<const Alert*>& alerts, model::Labels Alert::*of) {
  model::LabelsBuilder builder;
  if (!alerts.empty()) {
    for (const model::Label label : alerts.front()->*of) {
      const bool everywhere = std::all_of(alerts.begin(), alerts.end(), [&](const Alert* alert) {
        return (alert->*of).Get(label.name) == label.value;
      });
      if (everywhere) {
        builder.Set(label.name, label.value);
      }
    }
  }
  return builder.Build();
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

std::string GroupKey(const model::Labels& group_labels) { return "{}:" + group_labels.ToString(); }

// FNV-1a 64.
uint64_t HashText(std::string_view text) {
  uint64_t hash = 0xcbf29ce484222325ULL;
  for (const char c : text) {
    hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3ULL;
  }
  return hash;
}

}  // namespace

std::string WebhookBody(const WebhookMessage& message) {
  const bool resolved = std::all_of(message.alerts.begin(), message.alerts.end(),
                                    [](const Alert* alert) { return alert->resolved; });
  std::string body;
  base::JsonWriter json(&body);
  json.BeginObject();
  json.Member("version", "4");
  json.Member("groupKey", GroupKey(message.group_labels));
  json.Member("truncatedAlerts", static_cast<int64_t>(message.truncated));
  json.Member("status", StatusName(resolved));
  json.Member("receiver", message.receiver);
  json.Key("groupLabels");
  WriteLabels(message.group_labels, &json);
  json.Key("commonLabels");
  WriteLabels(Common(message.alerts, &Alert::labels), &json);
  json.Key("commonAnnotations");
  WriteLabels(Common(message.alerts, &Alert::annotations), &json);
  json.Member("externalURL", message.external_url);
  json.Key("alerts");
  json.BeginArray();
  for (const Alert* alert : message.alerts) {
    WriteAlert(*alert, &json);
  }
  json.EndArray();
  json.EndObject();
  return body;
}

WebhookOutbox::WebhookOutbox(WebhookOptions options, RandomFunc random)
    : options_(std::move(options)), random_(std::move(random)) {}

void WebhookOutbox::Add(const std::vector<Alert>& alerts, Moment now) {
  for (const Alert& alert : alerts) {
    AddOne(alert, now);
  }
}

void WebhookOutbox::AddOne(const Alert& alert, Moment now) {
  const std::string name(alert.labels.Get(kGroupLabel));
  if (const auto known = groups_.find(name);
      size_ >= kMaxOutboxAlerts &&
      (known == groups_.end() || known->second.entries.count(alert.labels) == 0)) {
    MakeRoom();
  }
  Group& group = groups_[name];
  group.labels = model::Labels{{kGroupLabel, name}};
  const auto [at, is_new] = group.entries.try_emplace(alert.labels);
  size_ += is_new ? 1U : 0U;
  Entry& entry = at->second;
  if (is_new || entry.state() != State{.resolved = alert.resolved, .starts_at = alert.starts_at}) {
    entry.changed = now.monotonic;
  }
  entry.alert = alert;
  entry.expires = now.monotonic + std::max(alert.ends_at - now.wall, base::WallTime::duration(0));
  if (IsPending(entry) && (!group.due || group.rejected)) {
    group.due = now.monotonic + options_.group_wait;
    group.rejected = false;
  }
}

// Drops what is worth least: a resolution that was told, else the oldest state of any alert.
void WebhookOutbox::MakeRoom() {
  Group* group = nullptr;
  const model::Labels* victim = nullptr;
  std::pair<bool, base::MonotonicTime> least{true, base::MonotonicTime::max()};
  for (auto& [name, candidate_group] : groups_) {
    for (const auto& [labels, entry] : candidate_group.entries) {
      const std::pair worth{IsPending(entry) || !entry.alert.resolved, entry.changed};
      if (victim == nullptr || worth < least) {
        group = &candidate_group;
        victim = &labels;
        least = worth;
      }
    }
  }
  dropped_ += IsPending(group->entries.at(*victim)) ? 1U : 0U;
  group->entries.erase(model::Labels(*victim));
  --size_;
}

bool WebhookOutbox::IsPending(const Entry& entry) const {
  if (entry.alert.resolved && !options_.send_resolved) {
    return false;
  }
  return entry.repeat_due || entry.told != entry.state();
}

bool WebhookOutbox::HasPending(const Group& group) const {
  return std::any_of(group.entries.begin(), group.entries.end(),
                     [this](const auto& entry) { return IsPending(entry.second); });
}

std::optional<base::MonotonicTime> WebhookOutbox::Due() const {
  std::optional<base::MonotonicTime> due;
  const auto consider = [&due](base::MonotonicTime at) { due = due ? std::min(*due, at) : at; };
  for (const auto& [name, group] : groups_) {
    if (group.due) {
      consider(std::max(*group.due, not_before_));
    }
    for (const auto& [labels, entry] : group.entries) {
      if (!entry.alert.resolved) {
        consider(entry.expires);
        if (!IsPending(entry)) {
          consider(entry.told_at + options_.repeat_interval);
        }
      }
    }
  }
  return due;
}

// What time alone changes: firing alerts expire or are to be repeated, old resolutions are
// forgotten.
void WebhookOutbox::Age(Moment now) {
  for (auto group = groups_.begin(); group != groups_.end();) {
    auto& entries = group->second.entries;
    for (auto entry = entries.begin(); entry != entries.end();) {
      if (AgeEntry(&entry->second, now)) {
        ++entry;
      } else {
        entry = entries.erase(entry);
        --size_;
      }
    }
    if (!HasPending(group->second)) {
      group->second.due.reset();
    } else if (!group->second.due) {
      group->second.due = now.monotonic;
    }
    group = entries.empty() ? groups_.erase(group) : std::next(group);
  }
}

// False when the entry is to be forgotten.
bool WebhookOutbox::AgeEntry(Entry* entry, Moment now) {
  if (!entry->alert.resolved && now.monotonic >= entry->expires) {
    entry->alert.resolved = true;
    entry->changed = now.monotonic;
    entry->repeat_due = false;
  }
  if (!entry->alert.resolved) {
    entry->repeat_due =
        entry->repeat_due || (entry->told == entry->state() &&
                              now.monotonic >= entry->told_at + options_.repeat_interval);
    return true;
  }
  if (!IsPending(*entry)) {
    return now.monotonic < entry->changed + kRememberResolved;
  }
  if (now.monotonic >= entry->changed + options_.give_up_resolved) {
    ++dropped_;
    return false;
  }
  return true;
}

std::optional<Delivery> WebhookOutbox::Take(Moment now) {
  Age(now);
  if (now.monotonic < not_before_) {
    return std::nullopt;
  }
  Groups::iterator next = groups_.end();
  for (auto group = groups_.begin(); group != groups_.end(); ++group) {
    const auto& due = group->second.due;
    if (due && *due <= now.monotonic && (next == groups_.end() || *due < *next->second.due)) {
      next = group;
    }
  }
  if (next == groups_.end()) {
    return std::nullopt;
  }
  return Compose(next->first, next->second);
}

// Pending alerts first, then those that go on firing, as many as fit.
Delivery WebhookOutbox::Compose(const std::string& name, const Group& group) {
  WebhookMessage message{.receiver = options_.receiver,
                         .external_url = options_.external_url,
                         .group_labels = group.labels};
  Flight flight{.group = name};
  // The same for every try to tell the same news; a receiver can drop what it has seen.
  std::string transition = options_.receiver + GroupKey(group.labels);
  for (const bool pending : {true, false}) {
    for (const auto& [labels, entry] : group.entries) {
      if (IsPending(entry) != pending || (!pending && entry.alert.resolved)) {
        continue;
      }
      if (message.alerts.size() == kMaxAlertsPerBody) {
        ++message.truncated;
        continue;
      }
      message.alerts.push_back(&entry.alert);
      if (pending) {
        flight.told.emplace_back(labels, entry.state());
        transition +=
            fmt::format("{:016x}{}{}/{}", labels.Fingerprint(), StatusName(entry.alert.resolved),
                        base::ToMillis(entry.alert.starts_at), entry.times_told);
      }
    }
  }
  Delivery delivery{.headers = {{"Content-Type", "application/json"},
                                {"Idempotency-Key", fmt::format("{:016x}", HashText(transition))}},
                    .body = WebhookBody(message),
                    .alerts = flight.told.size()};
  flight_ = std::move(flight);
  return delivery;
}

void WebhookOutbox::Report(const Verdict& verdict, Moment now) {
  const Flight flight = *std::exchange(flight_, std::nullopt);
  const auto at = groups_.find(flight.group);
  if (at == groups_.end()) {
    return;  // Everything in it made room while the delivery was under way.
  }
  Group& group = at->second;
  group.rejected = verdict.kind == Verdict::Kind::kRejected;
  if (verdict.kind == Verdict::Kind::kRetry) {
    not_before_ = now.monotonic + BackoffAfter(++failures_, verdict, random_);
    group.due = now.monotonic + BackoffAfter(++group.failures, verdict, random_);
    return;
  }
  failures_ = 0;
  if (group.rejected) {
    group.due = now.monotonic + options_.rejected_retry;
    return;
  }
  group.failures = 0;
  for (const auto& [labels, state] : flight.told) {
    const auto entry = group.entries.find(labels);
    if (entry != group.entries.end()) {
      Entry& told = entry->second;
      ++told.times_told;
      told.told = state;
      told.told_at = now.monotonic;
      told.repeat_due = false;
    }
  }
  // Something may have changed meanwhile, or not have fitted.
  group.due = HasPending(group) ? std::optional(now.monotonic) : std::nullopt;
}

void WebhookOutbox::Hurry(Moment now) {
  not_before_ = now.monotonic;
  for (auto& [name, group] : groups_) {
    if (group.due) {
      group.due = now.monotonic;
    }
  }
}

size_t WebhookOutbox::undelivered() const {
  size_t count = 0;
  for (const auto& [name, group] : groups_) {
    count += static_cast<size_t>(
        std::count_if(group.entries.begin(), group.entries.end(),
                      [this](const auto& entry) { return IsPending(entry.second); }));
  }
  return count;
}

}  // namespace notify
