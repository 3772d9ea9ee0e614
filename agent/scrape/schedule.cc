#include "agent/scrape/schedule.h"

#include <algorithm>
#include <cstdlib>

namespace scrape {
namespace {

using std::chrono::duration_cast;
using std::chrono::milliseconds;

// FNV-1a, then a finaliser: FNV alone spreads short, similar keys badly.
uint64_t Hash(std::string_view key, uint64_t seed) {
  uint64_t hash = 14695981039346656037ULL ^ seed;
  for (const char c : key) {
    hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211ULL;
  }
  hash = (hash ^ hash >> 33) * 0xff51afd7ed558ccdULL;
  hash = (hash ^ hash >> 33) * 0xc4ceb9fe1a85ec53ULL;
  return hash ^ hash >> 33;
}

}  // namespace

milliseconds ScrapeOffset(std::string_view key, uint64_t seed, milliseconds interval) {
  return milliseconds(Hash(key, seed) % static_cast<uint64_t>(interval.count()));
}

Schedule::Schedule(milliseconds interval, milliseconds offset, const base::Clock& clock)
    : interval_(interval), next_(clock.Monotonic()), ideal_ms_(base::ToMillis(clock.Now())) {
  const int64_t past_tick = (ideal_ms_ - offset.count()) % interval.count();
  const int64_t wait = past_tick == 0 ? 0 : interval.count() - past_tick;
  next_ += milliseconds(wait);
  ideal_ms_ += wait;
}

int64_t Schedule::Timestamp(const base::Clock& clock) {
  const int64_t now_ms = base::ToMillis(clock.Now());
  const int64_t tolerance = std::min<int64_t>(kAlignTolerance.count(), interval_.count() / 100);
  if (std::abs(now_ms - ideal_ms_) <= tolerance) {
    return ideal_ms_;
  }
  if (clock.Monotonic() - next_ <= kAlignTolerance) {
    ideal_ms_ = now_ms;  // On time, so it was the wall clock that moved.
  }
  return now_ms;
}

int64_t Schedule::Advance(base::MonotonicTime now) {
  int64_t ticks = 1;
  if (now >= next_ + interval_) {
    ticks += duration_cast<milliseconds>(now - next_) / interval_;
  }
  next_ += ticks * interval_;
  ideal_ms_ += ticks * interval_.count();
  return ticks - 1;
}

}  // namespace scrape
