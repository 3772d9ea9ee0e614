// Use of a limit, and how it develops.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "lib/base/clock.h"

namespace exporters::host {

struct LimitUse {
  std::string_view limit;  // "disk_space"; a constant.
  std::string item;        // "/var"; "" where there is one of its kind.
  double used = 0;
  double most = 0;
};

// The last hour of a value, a point a minute. Thread-compatible.
class Trend {
 public:
  static constexpr std::chrono::minutes kWindow{60};
  static constexpr std::chrono::seconds kSpacing{60};
  static constexpr std::chrono::minutes kLeast{10};  // That a trend needs.
  static constexpr double kFlat = 1e-9;              // A second; a limit is thirty years away.

  void Add(base::MonotonicTime now, double value);
  // When the value will be `limit`; nothing when it does not grow.
  std::optional<double> SecondsUntil(double limit) const;
  base::MonotonicTime last() const {
    return points_.empty() ? base::MonotonicTime() : points_.back().first;
  }

 private:
  std::vector<std::pair<base::MonotonicTime, double>> points_;
};

}  // namespace exporters::host
