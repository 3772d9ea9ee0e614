// A webhook receiver: one JSON body of Alertmanager's version 4 for each group of alerts.
//
// An alert is told when it starts to fire, again every repeat interval while it fires, and when it
// is resolved. Alerts of one alertname are a group; a group waits a moment so that what fires
// together is told together, and its body holds all that fires in it.
// An undelivered state gives way to a newer one of the same alert. So an alert that fired and was
// resolved while the receiver was down is told once, as resolved, with both of its times: what
// happened is news even when it is over. A firing alert that nobody refreshes until its end (its
// rule was removed) counts as resolved.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "agent/notify/alert.h"
#include "agent/notify/outbox.h"
#include "agent/notify/retry.h"
#include "lib/base/clock.h"
#include "lib/model/labels.h"

namespace notify {

inline constexpr size_t kMaxAlertsPerBody = 500;  // More come in further bodies.

struct WebhookOptions {
  std::string receiver;
  std::string external_url;
  bool send_resolved = true;
  std::chrono::milliseconds group_wait{2'000};
  std::chrono::milliseconds repeat_interval{4 * 60 * 60 * 1000};
  // Pause after an answer that says the request is wrong: someone may be repairing the receiver.
  std::chrono::milliseconds rejected_retry{5 * 60 * 1000};
  // A resolution that could not be told for so long is dropped.
  std::chrono::milliseconds give_up_resolved{24 * 60 * 60 * 1000};
};

// What one body says.
struct WebhookMessage {
  std::string receiver;
  std::string external_url;
  model::Labels group_labels;
  std::vector<const Alert*> alerts;
  size_t truncated = 0;
};

// The body, version "4".
std::string WebhookBody(const WebhookMessage& message);

class WebhookOutbox final : public Outbox {
 public:
  WebhookOutbox(WebhookOptions options, RandomFunc random);

  void Add(const std::vector<Alert>& alerts, Moment now) override;
  std::optional<base::MonotonicTime> Due() const override;
  std::optional<Delivery> Take(Moment now) override;
  void Report(const Verdict& verdict, Moment now) override;
  void Hurry(Moment now) override;
  size_t undelivered() const override;
  uint64_t dropped() const override { return dropped_; }

 private:
  // What there is to say of an alert, as far as the receiver can tell states apart.
  struct State {
    bool resolved = false;
    base::WallTime starts_at;
    bool operator==(const State&) const = default;
  };
  struct Entry {
    Alert alert;
    base::MonotonicTime expires;  // When a firing alert counts as resolved.
    base::MonotonicTime changed;  // When its state became what it is.
    std::optional<State> told;    // The last delivered state.
    base::MonotonicTime told_at;
    uint32_t times_told = 0;
    bool repeat_due = false;

    State state() const { return {.resolved = alert.resolved, .starts_at = alert.starts_at}; }
  };
  struct Group {
    model::Labels labels;
    std::map<model::Labels, Entry> entries;
    std::optional<base::MonotonicTime> due;  // When something is pending.
    int failures = 0;                        // In a row.
    bool rejected = false;                   // The last answer was a rejection.
  };
  using Groups = std::map<std::string, Group>;  // By alertname.
  struct Flight {
    std::string group;
    std::vector<std::pair<model::Labels, State>> told;
  };

  void AddOne(const Alert& alert, Moment now);
  void MakeRoom();
  bool IsPending(const Entry& entry) const;
  bool HasPending(const Group& group) const;
  void Age(Moment now);
  bool AgeEntry(Entry* entry, Moment now);
  Delivery Compose(const std::string& name, const Group& group);

  const WebhookOptions options_;
  const RandomFunc random_;
  Groups groups_;
  size_t size_ = 0;  // Entries in all groups.
  uint64_t dropped_ = 0;
  int failures_ = 0;  // In a row, of any group.
  base::MonotonicTime not_before_{};
  std::optional<Flight> flight_;
};

}  // namespace notify
