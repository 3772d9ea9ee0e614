// When a rule group runs: at whole multiples of its interval, plus an offset that is its own, on
// the wall clock; measured, so that nothing is lost or won, on the monotonic clock.
#pragma once

#include <chrono>
#include <cstdint>

#include "agent/rules/tick.h"
#include "lib/base/clock.h"

namespace rules {

// Both clocks, read together.
struct Now {
  base::WallTime wall;
  base::MonotonicTime monotonic;
};

struct Slot {
  Tick tick;
  uint64_t missed = 0;        // Slots that passed before this one while the group was busy.
  bool clock_jumped = false;  // The wall clock was set since the slot before.
};

// Pure. Thread-compatible.
class SlotSchedule {
 public:
  // The first slot is the next one after `now`. `offset` is below `interval`, which is not zero.
  SlotSchedule(std::chrono::milliseconds interval, std::chrono::milliseconds offset, Now now);

  // Goes on with the time line of a schedule that this one replaces.
  void ContinueFrom(const SlotSchedule& former);

  // The time line reads `elapsed` at the first slot.
  void StartAt(std::chrono::milliseconds elapsed) { elapsed_ = elapsed; }

  base::MonotonicTime deadline() const { return deadline_; }

  // The slot that is due, once `deadline` has come; the next one is scheduled.
  Slot Take(Now now);

 private:
  // The last slot time that is not after `time`.
  base::WallTime AlignDown(base::WallTime time) const;

  std::chrono::milliseconds interval_;
  std::chrono::milliseconds offset_;
  base::MonotonicTime deadline_;
  base::WallTime planned_;               // What the wall clock should show at the deadline.
  std::chrono::nanoseconds elapsed_{0};  // At the deadline.
};

}  // namespace rules
