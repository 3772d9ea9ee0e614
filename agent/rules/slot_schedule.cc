#include "agent/rules/slot_schedule.h"

#include <algorithm>

namespace rules {
namespace {

// More than clocks drift between two slots, or a thread is delayed between reading both.
constexpr std::chrono::milliseconds kJumpTolerance{1000};

}  // namespace

SlotSchedule::SlotSchedule(std::chrono::milliseconds interval, std::chrono::milliseconds offset,
                           Now now)
    : interval_(interval), offset_(offset), planned_(AlignDown(now.wall) + interval) {
  deadline_ = now.monotonic + (planned_ - now.wall);
}

void SlotSchedule::ContinueFrom(const SlotSchedule& former) {
  if (interval_ == former.interval_ && offset_ == former.offset_) {
    *this = former;
  } else {
    elapsed_ = former.elapsed_ + (deadline_ - former.deadline_);
  }
}

base::WallTime SlotSchedule::AlignDown(base::WallTime time) const {
  const auto since_epoch = time.time_since_epoch() - offset_;
  const auto rest = since_epoch % interval_;
  return time - (rest.count() < 0 ? rest + interval_ : rest);
}

Slot SlotSchedule::Take(Now now) {
  const auto late = std::max(now.monotonic - deadline_, std::chrono::nanoseconds(0));
  const auto missed = late / interval_;
  const base::WallTime at_deadline = now.wall - late;
  const bool jumped =
      at_deadline - planned_ > kJumpTolerance || planned_ - at_deadline > kJumpTolerance;
  const base::WallTime first = jumped ? AlignDown(at_deadline) : planned_;
  const Slot slot{.tick = {.at = first + missed * interval_,
                           .elapsed = std::chrono::round<std::chrono::milliseconds>(
                               elapsed_ + missed * interval_)},
                  .missed = static_cast<uint64_t>(missed),
                  .clock_jumped = jumped};
  planned_ = slot.tick.at + interval_;
  const auto step = planned_ - at_deadline;  // Corrects what the two clocks drifted apart.
  deadline_ += step;
  // Elapsed time is counted in whole intervals, so that `for: 1m` is exactly four of 15 s; only the
  // odd step after a jump is measured.
  elapsed_ += jumped ? std::chrono::nanoseconds(step) : (missed + 1) * interval_;
  return slot;
}

}  // namespace rules
