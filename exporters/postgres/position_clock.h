// Remembers when a position that only grows (WAL, transaction IDs) was where, so that a position
// becomes a time: how long ago was it passed, and how fast does it grow.
#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include "lib/base/clock.h"

namespace exporters::postgres {

// Thread-compatible.
class PositionClock {
 public:
  // Marks kept. When they are all used, every other old one is given up: what is long past needs
  // less detail.
  static constexpr size_t kMaxMarks = 1024;

  // Positions that are smaller than the last one mean another server: the clock starts anew.
  void Record(base::MonotonicTime time, double position);

  // Seconds since the position was the newest; 0 when it still is. For one that was passed before
  // the clock began: the time since then, which is the least it can be. Nullopt without a mark.
  std::optional<double> SecondsBehind(double position, base::MonotonicTime now) const;

  // Growth a second over the last `window`, or over what is known of it. Nullopt before there are
  // two marks that are at least kMinRateSpan apart.
  static constexpr std::chrono::seconds kMinRateSpan{10};
  std::optional<double> RatePerSecond(std::chrono::seconds window, base::MonotonicTime now) const;

 private:
  struct Mark {
    base::MonotonicTime first;  // When the position was seen first …
    base::MonotonicTime last;   // … and last.
    double position = 0;
  };

  void Thin();

  std::vector<Mark> marks_;  // Times and positions grow.
};

}  // namespace exporters::postgres
