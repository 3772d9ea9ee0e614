// The state of alerts on disk, so that a restart neither resets `for` nor loses a resolve.
//
// A group is written in one transaction after each evaluation that changed an alert, together with
// the moment of that evaluation: what an alert's times are relative to.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>

#include "agent/rules/active_alert.h"
#include "agent/rules/tick.h"
#include "agent/state/database.h"
#include "lib/base/mutex.h"
#include "lib/base/result.h"
#include "lib/model/labels.h"

namespace rules {

// More alerts of one group are not restored; the oldest rows come first.
inline constexpr size_t kMaxRestoredAlerts = 200'000;

// By the identity of the rule, then by labels.
using AlertsOfRule = std::map<model::Labels, ActiveAlert>;
using AlertsOfGroup = std::map<std::string, AlertsOfRule>;

struct SavedGroup {
  Tick last;  // The last evaluation that was saved.
  AlertsOfGroup alerts;
};

// One alert that is new, changed or gone.
struct AlertChange {
  std::string rule;
  model::Labels labels;
  std::optional<ActiveAlert> alert;  // None: gone.
};

// Thread-safe.
class AlertJournal {
 public:
  static base::Result<std::unique_ptr<AlertJournal>> Open(state::Database database);

  // None when the group never was saved. Rows that cannot be read are left out.
  base::Result<std::optional<SavedGroup>> Load(const std::string& group);
  // All or nothing. With `replace` the group had no other alerts than these.
  base::Result<void> Save(const std::string& group, const Tick& tick,
                          std::span<const AlertChange> changes, bool replace);
  // Removes all other groups.
  base::Result<void> KeepOnly(const std::set<std::string>& groups);

 private:
  explicit AlertJournal(state::Database database) : database_(std::move(database)) {}

  base::Mutex mutex_;
  state::Database database_ GUARDED_BY(mutex_);
};

}  // namespace rules
