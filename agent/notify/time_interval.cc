#include "agent/notify/time_interval.h"

#include <algorithm>
#include <chrono>
#include <optional>
#include <span>
#include <string>

#include <fmt/format.h>

#include "lib/base/strings.h"

namespace notify {
namespace {

using Range = TimeInterval::Range;

constexpr std::string_view kWeekdays[] = {"sunday",   "monday", "tuesday", "wednesday",
                                          "thursday", "friday", "saturday"};
constexpr std::string_view kMonths[] = {"january",   "february", "march",    "april",
                                        "may",       "june",     "july",     "august",
                                        "september", "october",  "november", "december"};

base::Error Bad(std::string message) {
  return base::Error(std::move(message), base::ErrorKind::kInvalidArgument);
}

std::optional<int> IndexOf(std::span<const std::string_view> names, std::string_view text) {
  for (size_t i = 0; i < names.size(); ++i) {
    if (base::EqualsIgnoreCase(names[i], text)) {
      return static_cast<int>(i);
    }
  }
  return std::nullopt;
}

std::optional<int> Number(std::string_view text) {
  const auto number = base::ParseInt(text);
  return number && *number > -10'000 && *number < 10'000 ? std::optional(static_cast<int>(*number))
                                                         : std::nullopt;
}

// "a" or "a:b", each read by `read`.
template <typename Read>
base::Result<Range> ParseRange(std::string_view text, std::string_view what, Read read) {
  const size_t colon = text.find(':');
  const std::string_view end = colon == std::string_view::npos ? text : text.substr(colon + 1);
  const std::optional<int> first = read(base::TrimSpace(text.substr(0, colon)));
  const std::optional<int> last = read(base::TrimSpace(end));
  if (!first || !last) {
    return Bad(fmt::format("\"{}\" is no {}", text, what));
  }
  return Range{.first = *first, .last = *last};
}

base::Result<Range> Ordered(base::Result<Range> range, std::string_view text) {
  if (range.ok() && range->first > range->last) {
    return Bad(fmt::format("\"{}\": the end comes before the start", text));
  }
  return range;
}

// Minutes since midnight of "HH:MM".
std::optional<int> MinuteOfDay(std::string_view text) {
  if (text.size() != 5 || text[2] != ':') {
    return std::nullopt;
  }
  const auto hours = base::ParseUint(text.substr(0, 2));
  const auto minutes = base::ParseUint(text.substr(3));
  if (!hours || !minutes || *minutes > 59 || *hours * 60 + *minutes > 1440) {
    return std::nullopt;
  }
  return static_cast<int>(*hours * 60 + *minutes);
}

bool Within(const std::vector<Range>& ranges, int value) {
  return ranges.empty() || std::any_of(ranges.begin(), ranges.end(), [value](const Range& range) {
           return value >= range.first && value <= range.last;
         });
}

bool DayWithin(const std::vector<Range>& ranges, int day, int days_in_month) {
  return ranges.empty() || std::any_of(ranges.begin(), ranges.end(), [&](const Range& range) {
           const auto from_start = [&](int d) { return d < 0 ? days_in_month + d + 1 : d; };
           const int first = from_start(range.first);
           return first <= days_in_month && day >= first && day <= from_start(range.last);
         });
}

}  // namespace

bool TimeInterval::Contains(base::WallTime time) const {
  const int64_t unix_seconds =
      std::chrono::floor<std::chrono::seconds>(time).time_since_epoch().count();
  const std::chrono::sys_seconds local{
      std::chrono::seconds(unix_seconds + zone.At(unix_seconds).seconds)};
  const auto day = std::chrono::floor<std::chrono::days>(local);
  const std::chrono::year_month_day date(day);
  const int minute =
      static_cast<int>(std::chrono::duration_cast<std::chrono::minutes>(local - day).count());
  const bool minute_fits =
      minutes.empty() || std::any_of(minutes.begin(), minutes.end(), [minute](const Range& range) {
        return minute >= range.first && minute < range.last;
      });
  const std::chrono::year_month_day_last month_end(date.year() / date.month() / std::chrono::last);
  return minute_fits &&
         DayWithin(days_of_month, static_cast<int>(static_cast<unsigned>(date.day())),
                   static_cast<int>(static_cast<unsigned>(month_end.day()))) &&
         Within(months, static_cast<int>(static_cast<unsigned>(date.month()))) &&
         Within(weekdays, static_cast<int>(std::chrono::weekday(day).c_encoding())) &&
         Within(years, static_cast<int>(date.year()));
}

base::Result<Range> ParseMinutes(std::string_view start, std::string_view end) {
  const auto first = MinuteOfDay(start);
  const auto last = MinuteOfDay(end);
  if (!first || !last) {
    return Bad(fmt::format("\"{}\" is no time of day; HH:MM is expected", first ? end : start));
  }
  if (*first >= *last) {
    return Bad(fmt::format("start_time {} is not before end_time {}", start, end));
  }
  return Range{.first = *first, .last = *last};
}

base::Result<Range> ParseWeekdays(std::string_view text) {
  return Ordered(
      ParseRange(text, "weekday", [](std::string_view t) { return IndexOf(kWeekdays, t); }), text);
}

base::Result<Range> ParseDaysOfMonth(std::string_view text) {
  ASSIGN_OR_RETURN(const Range range, ParseRange(text, "day of a month", Number));
  for (const int day : {range.first, range.last}) {
    if (day == 0 || day < -31 || day > 31) {
      return Bad(fmt::format("\"{}\" is no day of a month", text));
    }
  }
  if (range.first < 0 && range.last > 0) {
    return Bad(fmt::format("\"{}\": the end day must be negative if the start day is", text));
  }
  // The latest that both can mean, so that 30:-28 is refused and 1:-1 is not.
  constexpr int kLongest = 31;
  const int first = range.first < 0 ? kLongest + range.first + 1 : range.first;
  const int last = range.last < 0 ? kLongest + range.last + 1 : range.last;
  return first <= last ? base::Result<Range>(range)
                       : Bad(fmt::format("\"{}\": the end comes before the start", text));
}

base::Result<Range> ParseMonths(std::string_view text) {
  const auto month = [](std::string_view t) -> std::optional<int> {
    if (const auto index = IndexOf(kMonths, t)) {
      return *index + 1;
    }
    const auto number = Number(t);
    return number && *number >= 1 && *number <= 12 ? number : std::nullopt;
  };
  return Ordered(ParseRange(text, "month", month), text);
}

base::Result<Range> ParseYears(std::string_view text) {
  return Ordered(ParseRange(text, "year", Number), text);
}

}  // namespace notify
