// One alert of a rule, as it is kept over evaluations, reloads and restarts.
#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "agent/rules/status.h"
#include "lib/base/clock.h"
#include "lib/model/labels.h"

namespace rules {

// "since" times are on the group's own time line (Tick::elapsed); "at" times are for people.
struct ActiveAlert {
  using Elapsed = std::chrono::milliseconds;

  AlertState state = AlertState::kPending;  // kInactive is resolved.
  model::Labels annotations;
  double value = 0;
  base::WallTime active_at;
  Elapsed active_since{0};
  base::WallTime fired_at;
  base::WallTime resolved_at;
  std::optional<Elapsed> resolved_since;
  base::WallTime kept_at;
  std::optional<Elapsed> kept_since;  // Since when keep_firing_for runs.
  std::optional<Elapsed> last_sent;
  std::string missing_reason;  // Why its data are missing; empty while they are there.

  // All that a restart must not change; value and annotations are new with every evaluation.
  bool SameStateAs(const ActiveAlert& other) const {
    return state == other.state && active_at == other.active_at &&
           active_since == other.active_since && fired_at == other.fired_at &&
           resolved_at == other.resolved_at && resolved_since == other.resolved_since &&
           kept_at == other.kept_at && kept_since == other.kept_since &&
           last_sent == other.last_sent;
  }
};

}  // namespace rules
