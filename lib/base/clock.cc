#include "lib/base/clock.h"

#include <ctime>

#include <fmt/format.h>

namespace base {

void StopSignal::Request() {
  MutexLock lock(mutex_);
  requested_ = true;
  changed_.NotifyAll();
}

bool StopSignal::requested() const {
  MutexLock lock(mutex_);
  return requested_;
}

bool StopSignal::WaitUntil(MonotonicTime deadline) const {
  MutexLock lock(mutex_);
  while (!requested_) {
    if (!changed_.WaitUntil(mutex_, deadline) && !requested_) {
      return false;
    }
  }
  return true;
}

WallTime FakeClock::Now() const {
  MutexLock lock(mutex_);
  return now_;
}

MonotonicTime FakeClock::Monotonic() const {
  MutexLock lock(mutex_);
  return monotonic_;
}

bool FakeClock::SleepUntil(MonotonicTime deadline, const StopSignal& stop) const {
  // Polls in real time: a test's Advance() may come from any thread, and a millisecond is nothing
  // to it.
  while (Monotonic() < deadline) {
    if (stop.WaitUntil(std::chrono::steady_clock::now() + std::chrono::milliseconds(1))) {
      return true;
    }
  }
  return stop.requested();
}

void FakeClock::Advance(std::chrono::nanoseconds by) {
  MutexLock lock(mutex_);
  now_ += std::chrono::duration_cast<WallTime::duration>(by);
  monotonic_ += by;
}

void FakeClock::JumpWall(std::chrono::nanoseconds by) {
  MutexLock lock(mutex_);
  now_ += std::chrono::duration_cast<WallTime::duration>(by);
}

std::string FormatRfc3339(WallTime time) {
  const auto seconds = std::chrono::floor<std::chrono::seconds>(time);
  const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(time - seconds).count();
  const std::time_t unix_seconds = std::chrono::system_clock::to_time_t(seconds);
  std::tm utc{};
  gmtime_r(&unix_seconds, &utc);
  std::string text = fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}", utc.tm_year + 1900,
                                 utc.tm_mon + 1, utc.tm_mday, utc.tm_hour, utc.tm_min, utc.tm_sec);
  if (ms != 0) {
    text += fmt::format(".{:03}", ms);
  }
  return text + "Z";
}

}  // namespace base
