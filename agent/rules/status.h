// What the rules are doing right now, as plain values: the source of /api/v1/rules, /api/v1/alerts
// and the page of alerts.
#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lib/base/clock.h"
#include "lib/model/labels.h"

namespace rules {

enum class AlertState { kInactive, kPending, kFiring };
// "inactive", "pending", "firing".
std::string_view AlertStateName(AlertState state);

enum class RuleHealth { kUnknown, kOk, kErr };
// "unknown" (not evaluated yet), "ok", "err".
std::string_view RuleHealthName(RuleHealth health);

enum class RuleType { kAlerting, kRecording };
// "alerting", "recording".
std::string_view RuleTypeName(RuleType type);

// A pending or firing alert.
struct AlertStatus {
  model::Labels labels;
  model::Labels annotations;
  AlertState state = AlertState::kPending;
  base::WallTime active_at;
  // Since when the alert fires only because of keep_firing_for.
  std::optional<base::WallTime> keep_firing_since;
  double value = 0;
  // Why the alert stands although its expression gives nothing: its data are missing.
  std::string missing_reason;
};

struct RuleStatus {
  RuleType type = RuleType::kAlerting;
  std::string name;   // The alert's name, or the recorded metric's.
  std::string query;  // Reprinted in PromQL's canonical form.
  model::Labels labels;
  RuleHealth health = RuleHealth::kUnknown;
  std::string last_error;  // Empty unless health is kErr.
  std::chrono::nanoseconds evaluation_time{0};
  std::optional<base::WallTime> last_evaluation;  // None before the first.

  // Of alerting rules only.
  AlertState state = AlertState::kInactive;  // The worst of its alerts.
  std::chrono::milliseconds duration{0};     // `for`.
  std::chrono::milliseconds keep_firing_for{0};
  model::Labels annotations;  // Templates, as written.
  std::vector<AlertStatus> alerts;
};

struct GroupStatus {
  std::string name;
  std::string file;
  std::chrono::milliseconds interval{0};
  size_t limit = 0;                             // 0 is none.
  std::chrono::nanoseconds evaluation_time{0};  // Of the last run of the whole group.
  std::optional<base::WallTime> last_evaluation;
  std::vector<RuleStatus> rules;
};

using RulesStatus = std::vector<GroupStatus>;  // By file, then in the order of the file.

}  // namespace rules
