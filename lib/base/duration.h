// Durations as Prometheus writes them: "1h30m", "15s", "500ms", units y w d h m s ms, each at most
// once, largest first. A day is 24 h, a week 7 d, a year 365 d.
#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "lib/base/result.h"

namespace base {

// "0" is zero; any other number needs a unit. Not negative. Errors: kInvalidArgument.
Result<std::chrono::milliseconds> ParseDuration(std::string_view text);

// The shortest exact form: 90 s → "1m30s", 0 → "0s".
std::string FormatDuration(std::chrono::milliseconds duration);

// Seconds as a double, for metrics.
template <typename Rep, typename Period>
double ToSeconds(std::chrono::duration<Rep, Period> duration) {
  return std::chrono::duration<double>(duration).count();
}

}  // namespace base
