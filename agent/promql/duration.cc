#include "agent/promql/duration.h"

#include <algorithm>
#include <chrono>
#include <cmath>

#include <fmt/format.h>

#include "lib/base/duration.h"
#include "lib/base/strings.h"

namespace promql {
namespace {

using base::Error;
using base::ErrorKind;
using base::Result;

constexpr double kMaxSeconds = 9223372036.0;  // What fits Go's time.Duration.

double QueryRange(double range, double /*step*/) { return range; }
double QueryStep(double /*range*/, double step) { return step; }
double Least(double a, double b) { return std::fmin(a, b); }
double Greatest(double a, double b) { return std::fmax(a, b); }

// min and max are what Prometheus called them before 3.14.
constexpr DurationTerm kTerms[] = {
    {.name = "step", .of_query = QueryStep}, {.name = "range", .of_query = QueryRange},
    {.name = "min_of", .of_two = Least},     {.name = "max_of", .of_two = Greatest},
    {.name = "min", .of_two = Least},        {.name = "max", .of_two = Greatest},
};

Result<double> Seconds(const DurationExpr& expr, const DurationContext& context) {
  double left = 0;
  double right = 0;
  if (expr.left != nullptr) {
    ASSIGN_OR_RETURN(left, Seconds(*expr.left, context));
  }
  if (expr.right != nullptr) {
    ASSIGN_OR_RETURN(right, Seconds(*expr.right, context));
  }
  double seconds = left;
  switch (expr.kind) {
    case DurationExpr::Kind::kNumber:
      seconds = expr.number;
      break;
    case DurationExpr::Kind::kTerm:
      seconds = expr.term->of_two != nullptr
                    ? expr.term->of_two(left, right)
                    : expr.term->of_query(static_cast<double>(context.range_ms) / 1000,
                                          static_cast<double>(context.step_ms) / 1000);
      break;
    case DurationExpr::Kind::kUnary:
      seconds = expr.op->apply(0, left);
      break;
    case DurationExpr::Kind::kBinary:
      seconds = expr.op->apply(left, right);
      break;
    case DurationExpr::Kind::kParen:
      break;
  }
  if (!std::isfinite(seconds) && expr.kind == DurationExpr::Kind::kBinary && right == 0) {
    return Error(fmt::format("{} by zero in duration expression", expr.op->text),
                 ErrorKind::kInvalidArgument);
  }
  if (!(std::fabs(seconds) < kMaxSeconds)) {
    return Error("duration out of range", ErrorKind::kInvalidArgument);
  }
  return seconds;
}

}  // namespace

const DurationTerm* FindDurationTerm(std::string_view name) {
  const auto* found = std::find_if(std::begin(kTerms), std::end(kTerms),
                                   [name](const DurationTerm& row) { return row.name == name; });
  return found == std::end(kTerms) ? nullptr : found;
}

std::string ToString(const DurationExpr& expr) {
  switch (expr.kind) {
    case DurationExpr::Kind::kNumber:
      return expr.is_duration
                 ? base::FormatDuration(std::chrono::milliseconds(std::llround(expr.number * 1000)))
                 : base::FormatDouble(expr.number);
    case DurationExpr::Kind::kTerm:
      return expr.left == nullptr ? fmt::format("{}()", expr.term->name)
                                  : fmt::format("{}({}, {})", expr.term->name, ToString(*expr.left),
                                                ToString(*expr.right));
    case DurationExpr::Kind::kUnary:
      return fmt::format("{}{}", expr.op->text, ToString(*expr.left));
    case DurationExpr::Kind::kBinary:
      return fmt::format("{} {} {}", ToString(*expr.left), expr.op->text, ToString(*expr.right));
    case DurationExpr::Kind::kParen:
      return fmt::format("({})", ToString(*expr.left));
  }
  return "";
}

Result<int64_t> Evaluate(const DurationExpr& expr, const DurationContext& context) {
  ASSIGN_OR_RETURN(const double seconds, Seconds(expr, context));
  return static_cast<int64_t>(std::llround(seconds * 1000));
}

bool UsesQueryTimes(const DurationExpr& expr) {
  const bool uses = expr.term != nullptr && expr.term->of_query != nullptr;
  return uses || (expr.left != nullptr && UsesQueryTimes(*expr.left)) ||
         (expr.right != nullptr && UsesQueryTimes(*expr.right));
}

}  // namespace promql
