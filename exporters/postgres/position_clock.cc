#include "exporters/postgres/position_clock.h"

#include <algorithm>
#include <chrono>

#include "lib/base/duration.h"

namespace exporters::postgres {

void PositionClock::Record(base::MonotonicTime time, double position) {
  if (!marks_.empty() && position < marks_.back().position) {
    marks_.clear();
  }
  if (!marks_.empty() && position == marks_.back().position) {
    marks_.back().last = time;
    return;
  }
  if (marks_.size() == kMaxMarks) {
    Thin();
  }
  marks_.push_back({.first = time, .last = time, .position = position});
}

// Of the older half, every other mark goes; the first stays, for the clock began there.
void PositionClock::Thin() {
  std::vector<Mark> kept;
  kept.reserve(kMaxMarks);
  for (size_t i = 0; i < marks_.size(); ++i) {
    if (i >= marks_.size() / 2 || i % 2 == 0) {
      kept.push_back(marks_[i]);
    }
  }
  marks_ = std::move(kept);
}

std::optional<double> PositionClock::SecondsBehind(double position, base::MonotonicTime now) const {
  if (marks_.empty()) {
    return std::nullopt;
  }
  // The first mark beyond the position: what is missing was written between the mark before it and
  // this one.
  const auto beyond =
      std::upper_bound(marks_.begin(), marks_.end(), position,
                       [](double value, const Mark& mark) { return value < mark.position; });
  if (beyond == marks_.end()) {
    return 0;
  }
  const base::MonotonicTime passed = beyond == marks_.begin() ? beyond->first : (beyond - 1)->last;
  return std::max(0.0, base::ToSeconds(now - passed));
}

std::optional<double> PositionClock::RatePerSecond(std::chrono::seconds window,
                                                   base::MonotonicTime now) const {
  if (marks_.empty()) {
    return std::nullopt;
  }
  auto from =
      std::lower_bound(marks_.begin(), marks_.end(), now - window,
                       [](const Mark& mark, base::MonotonicTime time) { return mark.last < time; });
  if (from == marks_.end()) {
    --from;
  }
  const base::MonotonicTime since = std::max(from->first, now - window);
  if (now - since < kMinRateSpan) {
    return std::nullopt;
  }
  return (marks_.back().position - from->position) / base::ToSeconds(now - since);
}

}  // namespace exporters::postgres
