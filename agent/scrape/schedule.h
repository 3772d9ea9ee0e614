// When a target is scraped: every interval, at an offset of its own that survives restarts, so that
// targets spread over time and each keeps its place.
#pragma once

#include <chrono>
#include <cstdint>
#include <string_view>

#include "lib/base/clock.h"

namespace scrape {

// Samples are stamped with the ideal time when the scrape starts this close to it: regular time
// stamps compress to almost nothing.
inline constexpr std::chrono::milliseconds kAlignTolerance{2};

// Evenly spread over [0, interval), the same for the same key for ever.
std::chrono::milliseconds ScrapeOffset(std::string_view key, uint64_t seed,
                                       std::chrono::milliseconds interval);

// Thread-compatible. Ticks follow the monotonic clock; the wall clock only stamps, and may jump.
class Schedule {
 public:
  Schedule(std::chrono::milliseconds interval, std::chrono::milliseconds offset,
           const base::Clock& clock);

  base::MonotonicTime next() const { return next_; }

  // The time stamp of the scrape that starts now, at the tick `next()`.
  int64_t Timestamp(const base::Clock& clock);

  // Moves on to the next tick in the future. Returns how many were skipped.
  int64_t Advance(base::MonotonicTime now);

 private:
  const std::chrono::milliseconds interval_;
  base::MonotonicTime next_;
  int64_t ideal_ms_;  // What the wall clock should show at `next_`.
};

}  // namespace scrape
