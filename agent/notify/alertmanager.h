// Forwards alerts to an Alertmanager (API v2). It groups, repeats and silences itself, so every
// notification of the rules is passed on: they also say that an alert still fires.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "agent/notify/alert.h"
#include "agent/notify/outbox.h"
#include "agent/notify/retry.h"
#include "lib/base/clock.h"
#include "lib/model/labels.h"

namespace notify {

inline constexpr size_t kMaxAlertsPerPost = 256;

// The array that POST /api/v2/alerts takes.
std::string AlertmanagerBody(std::span<const Alert* const> alerts);

// Where Prometheus drops a batch that failed, this one is tried again until newer states of its
// alerts replace it.
class AlertmanagerOutbox final : public Outbox {
 public:
  explicit AlertmanagerOutbox(RandomFunc random) : random_(std::move(random)) {}

  // The newest state of an alert replaces one that was not delivered yet.
  void Add(const std::vector<Alert>& alerts, Moment now);
  std::optional<base::MonotonicTime> Due() const override;
  std::optional<Delivery> Take(Moment now) override;
  void Report(const Verdict& verdict, Moment now) override;
  void Hurry(Moment now) override { not_before_ = now.monotonic; }
  size_t undelivered() const override { return queue_.size(); }
  uint64_t dropped() const override { return dropped_; }

 private:
  using Sequence = uint64_t;

  const RandomFunc random_;
  std::map<Sequence, Alert> queue_;  // Oldest first.
  std::unordered_map<model::Labels, Sequence> by_labels_;
  Sequence next_ = 0;
  std::vector<Sequence> in_flight_;
  base::MonotonicTime not_before_{};
  int failures_ = 0;  // In a row.
  uint64_t dropped_ = 0;
};

}  // namespace notify
