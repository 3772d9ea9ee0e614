// The moment of one evaluation.
#pragma once

#include <chrono>

#include "lib/base/clock.h"

namespace rules {

struct Tick {
  base::WallTime at;  // Stamps samples and alerts.
  // Of the group's own time line, which only elapsed time moves: `for` and its like are measured
  // on it, so that a wall clock that jumps neither fires nor resets an alert.
  std::chrono::milliseconds elapsed{0};
};

}  // namespace rules
