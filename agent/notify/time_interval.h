// Times at which routes are muted or active: ranges of minutes, weekdays, days of the month, months
// and years, in a time zone. A list that is empty leaves that part free.
#pragma once

#include <string_view>
#include <vector>

#include "agent/notify/time_zone.h"
#include "lib/base/clock.h"
#include "lib/base/result.h"

namespace notify {

struct TimeInterval {
  // First and last, both included; minutes of the day exclude the last.
  struct Range {
    int first = 0;
    int last = 0;
    bool operator==(const Range&) const = default;
  };
  std::vector<Range> minutes;        // 0 … 1440.
  std::vector<Range> weekdays;       // 0 is Sunday.
  std::vector<Range> days_of_month;  // 1 … 31, or -1 … -31 from the end.
  std::vector<Range> months;         // 1 … 12.
  std::vector<Range> years;
  TimeZone zone;

  bool Contains(base::WallTime time) const;
};

// "09:00" and "17:00"; "24:00" ends a day. Errors of all: kInvalidArgument.
base::Result<TimeInterval::Range> ParseMinutes(std::string_view start, std::string_view end);
// "monday", "monday:friday".
base::Result<TimeInterval::Range> ParseWeekdays(std::string_view text);
// "1", "1:5", "-3:-1".
base::Result<TimeInterval::Range> ParseDaysOfMonth(std::string_view text);
// "1:3", "may:august", "december".
base::Result<TimeInterval::Range> ParseMonths(std::string_view text);
// "2026", "2026:2028".
base::Result<TimeInterval::Range> ParseYears(std::string_view text);

}  // namespace notify
