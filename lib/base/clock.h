// Time as a parameter. Wall time stamps samples; monotonic time schedules and bounds, so that a
// wall clock that jumps moves no deadline.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include "lib/base/mutex.h"

namespace base {

using WallTime = std::chrono::system_clock::time_point;
using MonotonicTime = std::chrono::steady_clock::time_point;

// A request to stop that threads can wait on. Thread-safe.
class StopSignal {
 public:
  void Request();
  bool requested() const;
  // Waits until stop is requested (true) or `deadline` passes (false).
  bool WaitUntil(MonotonicTime deadline) const;

 private:
  mutable Mutex mutex_;
  mutable CondVar changed_;
  bool requested_ GUARDED_BY(mutex_) = false;
};

class Clock {
 public:
  virtual ~Clock() = default;
  virtual WallTime Now() const = 0;
  virtual MonotonicTime Monotonic() const = 0;
  // Sleeps until this clock's monotonic time reaches `deadline` (false) or `stop` is requested
  // (true).
  virtual bool SleepUntil(MonotonicTime deadline, const StopSignal& stop) const = 0;
};

// The system's clocks. Immutable, thread-safe.
class RealClock final : public Clock {
 public:
  WallTime Now() const override { return std::chrono::system_clock::now(); }
  MonotonicTime Monotonic() const override { return std::chrono::steady_clock::now(); }
  bool SleepUntil(MonotonicTime deadline, const StopSignal& stop) const override {
    return stop.WaitUntil(deadline);
  }
};

// A clock that moves only when told, for tests. Thread-safe.
class FakeClock final : public Clock {
 public:
  explicit FakeClock(WallTime start = WallTime(std::chrono::hours(24 * 365 * 55))) : now_(start) {}

  WallTime Now() const override;
  MonotonicTime Monotonic() const override;
  bool SleepUntil(MonotonicTime deadline, const StopSignal& stop) const override;

  // Both clocks move on.
  void Advance(std::chrono::nanoseconds by);
  // Only the wall clock changes, as when someone sets it.
  void JumpWall(std::chrono::nanoseconds by);

 private:
  mutable Mutex mutex_;
  WallTime now_ GUARDED_BY(mutex_);
  MonotonicTime monotonic_ GUARDED_BY(mutex_) = MonotonicTime(std::chrono::hours(1));
};

// Milliseconds since the Unix epoch: the time stamp of samples.
inline int64_t ToMillis(WallTime time) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(time.time_since_epoch()).count();
}
inline WallTime FromMillis(int64_t ms) { return WallTime(std::chrono::milliseconds(ms)); }

// "2026-11-20T09:49:28.123Z" (RFC 3339, UTC, milliseconds; the fraction is left out when it is
// zero).
std::string FormatRfc3339(WallTime time);

}  // namespace base
