// Dates in UTC, and the times of samples and steps.
#include <cmath>
#include <limits>

#include "agent/promql/call_context.h"
#include "agent/promql/functions/groups.h"

namespace promql {
namespace {

using base::Result;
using Args = std::span<const double>;

constexpr int64_t kSecondsPerDay = 86400;

int64_t FloorDivide(int64_t a, int64_t b) { return a / b - (a % b < 0 ? 1 : 0); }

struct Date {
  int64_t days = 0;  // Since 1970-01-01.
  int64_t second_of_day = 0;
  int64_t year = 0;
  int month = 0;  // 1 to 12.
  int day = 0;    // 1 to 31.
};

bool IsLeap(int64_t year) { return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0; }

int DaysInMonth(int64_t year, int month) {
  constexpr int kDays[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  return month == 2 && IsLeap(year) ? 29 : kDays[month - 1];
}

// Years are counted from March, so that the leap day is the last of a year; 400 years are an era.
Date ToDate(double seconds) {
  Date date;
  // Go, on whose dates Prometheus' are built, takes NaN and what is out of range for the end of
  // time.
  constexpr double kLimit = 9223372036854775808.0;  // 2^63
  const bool in_range = seconds >= -kLimit && seconds < kLimit;
  const auto whole = in_range ? static_cast<int64_t>(seconds) : std::numeric_limits<int64_t>::max();
  date.days = FloorDivide(whole, kSecondsPerDay);
  date.second_of_day = whole - date.days * kSecondsPerDay;
  constexpr int64_t kEraDays = 146097;
  const int64_t from_march = date.days + 719468;
  const int64_t era = FloorDivide(from_march, kEraDays);
  const int64_t of_era = from_march - era * kEraDays;
  const int64_t year_of_era =
      (of_era - of_era / 1460 + of_era / 36524 - of_era / (kEraDays - 1)) / 365;
  const int64_t of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  const int64_t month_from_march = (5 * of_year + 2) / 153;
  date.day = static_cast<int>(of_year - (153 * month_from_march + 2) / 5 + 1);
  date.month =
      static_cast<int>(month_from_march < 10 ? month_from_march + 3 : month_from_march - 9);
  date.year = year_of_era + era * 400 + (date.month <= 2 ? 1 : 0);
  return date;
}

std::optional<double> Minute(double value, Args /*args*/) {
  const int64_t minute = ToDate(value).second_of_day / 60;
  return static_cast<double>(minute % 60);
}
std::optional<double> Hour(double value, Args /*args*/) {
  const int64_t hour = ToDate(value).second_of_day / 3600;
  return static_cast<double>(hour);
}
std::optional<double> DayOfWeek(double value, Args /*args*/) {
  const int64_t day = (ToDate(value).days + 4) % 7;  // The epoch was a Thursday; 0 is Sunday.
  return static_cast<double>(day < 0 ? day + 7 : day);
}
std::optional<double> DayOfMonth(double value, Args /*args*/) { return ToDate(value).day; }
std::optional<double> DayOfYear(double value, Args /*args*/) {
  const Date date = ToDate(value);
  int day = date.day;
  for (int month = 1; month < date.month; ++month) {
    day += DaysInMonth(date.year, month);
  }
  return day;
}
std::optional<double> DaysInMonthOf(double value, Args /*args*/) {
  const Date date = ToDate(value);
  return DaysInMonth(date.year, date.month);
}
std::optional<double> Month(double value, Args /*args*/) { return ToDate(value).month; }
std::optional<double> Year(double value, Args /*args*/) {
  return static_cast<double>(ToDate(value).year);
}

StepScalars EvalTimes(const Steps& steps) {
  StepScalars times(steps.count);
  for (size_t i = 0; i < steps.count; ++i) {
    times[i] = static_cast<double>(steps.At(i)) / 1000;
  }
  return times;
}

Result<StepValue> Time(CallContext& call) {
  RETURN_IF_ERROR(call.evaluator().Hold(call.steps().count));
  return StepValue(EvalTimes(call.steps()));
}

// A plain selector gives the times of its samples, anything else the evaluation time.
Result<StepValue> Timestamp(CallContext& call) {
  StepMatrix matrix;
  if (const auto* selector = std::get_if<VectorSelector>(&Unwrap(call.Arg(0)).node)) {
    ASSIGN_OR_RETURN(matrix, EvaluateSelector(call.evaluator(), *selector, call.steps(),
                                              SelectorValue::kTimestampSeconds));
  } else {
    ASSIGN_OR_RETURN(matrix, call.Vector(0));
    const StepScalars times = EvalTimes(call.steps());
    for (StepSeries& series : matrix) {
      for (size_t i = 0; i < times.size(); ++i) {
        if (series.Has(i)) {
          series.Set(i, times[i]);
        }
      }
    }
  }
  for (StepSeries& series : matrix) {
    call.evaluator().DropName(&series);
  }
  if (!call.evaluator().options().delayed_name_removal) {
    ASSIGN_OR_RETURN(matrix, MergeSameLabels(std::move(matrix)));
  }
  return StepValue(std::move(matrix));
}

Result<StepValue> QuerySeconds(CallContext& call, int64_t ms) {
  RETURN_IF_ERROR(call.evaluator().Hold(call.steps().count));
  return StepValue(StepScalars(call.steps().count, static_cast<double>(ms) / 1000));
}

Result<StepValue> Start(CallContext& call) {
  return QuerySeconds(call, call.evaluator().query().start_ms);
}
Result<StepValue> End(CallContext& call) {
  return QuerySeconds(call, call.evaluator().query().end_ms);
}
Result<StepValue> QueryRange(CallContext& call) {
  const Range& query = call.evaluator().query();
  return QuerySeconds(call, query.end_ms - query.start_ms);
}
// 0 in an instant query.
Result<StepValue> Step(CallContext& call) {
  const Range& query = call.evaluator().query();
  return QuerySeconds(call, query.start_ms == query.end_ms ? 0 : query.step_ms);
}

constexpr uint16_t kDateTraits = kUsesEvalTime | kDefaultsToTime;

constexpr Function DateFunction(std::string_view name, std::string_view help, ElementEval eval) {
  return {.name = name,
          .help = help,
          .args = {kVector},
          .variadic = Function::kOptional,
          .traits = kDateTraits,
          .eval = eval};
}

constexpr Function QueryFunction(std::string_view name, std::string_view help, GeneralEval eval) {
  return {.name = name,
          .help = help,
          .args = {},
          .result = kScalar,
          .traits = kUsesQueryTimes,
          .experimental = true,
          .eval = eval};
}

constexpr Function kFunctions[] = {
    DateFunction("day_of_month", "Day of the month, 1 to 31 (UTC).", DayOfMonth),
    DateFunction("day_of_week", "Day of the week, 0 (Sunday) to 6 (UTC).", DayOfWeek),
    DateFunction("day_of_year", "Day of the year, 1 to 366 (UTC).", DayOfYear),
    DateFunction("days_in_month", "Number of days of the month (UTC).", DaysInMonthOf),
    DateFunction("hour", "Hour of the day, 0 to 23 (UTC).", Hour),
    DateFunction("minute", "Minute of the hour, 0 to 59 (UTC).", Minute),
    DateFunction("month", "Month of the year, 1 to 12 (UTC).", Month),
    DateFunction("year", "Year (UTC).", Year),
    QueryFunction("start", "Start of the query, in seconds since the epoch.", Start),
    QueryFunction("end", "End of the query, in seconds since the epoch.", End),
    QueryFunction("range", "Length of the query, in seconds.", QueryRange),
    QueryFunction("step", "Step of the query, in seconds.", Step),
    {.name = "time",
     .help = "Evaluation time, in seconds since the epoch.",
     .args = {},
     .result = kScalar,
     .traits = kUsesEvalTime,
     .eval = Time},
    {.name = "timestamp",
     .help = "Time of each sample, in seconds since the epoch.",
     .args = {kVector},
     .traits = kUsesEvalTime,
     .eval = Timestamp},
};

}  // namespace

std::span<const Function> TimeFunctions() { return kFunctions; }

}  // namespace promql
