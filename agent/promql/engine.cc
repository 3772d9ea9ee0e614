#include "agent/promql/engine.h"

#include <algorithm>
#include <limits>
#include <string>
#include <utility>

#include <fmt/format.h>

#include "agent/promql/evaluator.h"
#include "agent/promql/nodes.h"
#include "agent/promql/parser.h"
#include "agent/promql/printer.h"

namespace promql {
namespace {

using base::Error;
using base::ErrorKind;
using base::Result;

// Far enough from the ends of int64_t that ranges and offsets can be subtracted.
constexpr int64_t kMaxTimeMs = std::numeric_limits<int64_t>::max() / 4;

Result<void> CheckTime(int64_t time_ms) {
  if (time_ms > kMaxTimeMs || time_ms < -kMaxTimeMs) {
    return Error(fmt::format("time {} ms is out of range", time_ms), ErrorKind::kInvalidArgument);
  }
  return {};
}

// 11,000
std::string WithThousands(size_t number) {
  std::string text = std::to_string(number);
  for (size_t at = text.size(); at > 3;) {
    at -= 3;
    text.insert(at, ",");
  }
  return text;
}

// Names that were to be dropped at the end of the query.
Result<StepMatrix> DropPendingNames(StepMatrix matrix) {
  bool dropped = false;
  for (StepSeries& series : matrix) {
    if (series.drop_name) {
      series.labels = WithoutName(series.labels);
      dropped = true;
    }
  }
  return dropped ? MergeSameLabels(std::move(matrix)) : std::move(matrix);
}

Vector ToVector(StepMatrix matrix, int64_t time_ms) {
  Vector vector;
  vector.reserve(matrix.size());
  for (StepSeries& series : matrix) {
    if (series.Has(0)) {
      Point point = series.At(0);
      const double value = point.histogram != nullptr ? 0 : point.value;
      vector.push_back({std::move(series.labels), time_ms, value, std::move(point.histogram)});
    }
  }
  return vector;
}

void SortByLabels(Matrix* matrix) {
  std::sort(matrix->begin(), matrix->end(),
            [](const MatrixSeries& a, const MatrixSeries& b) { return a.labels < b.labels; });
}

Matrix ToMatrix(StepMatrix matrix, const Steps& steps) {
  Matrix result;
  result.reserve(matrix.size());
  for (StepSeries& series : matrix) {
    MatrixSeries out{.labels = std::move(series.labels)};
    for (size_t i = 0; i < steps.count; ++i) {
      if (!IsAbsent(series.values[i])) {
        out.samples.push_back({steps.At(i), series.values[i]});
      } else if (series.HasHistogram(i)) {
        out.histograms.push_back({steps.At(i), std::move(series.histograms[i])});
      }
    }
    if (!out.samples.empty() || !out.histograms.empty()) {
      result.push_back(std::move(out));
    }
  }
  SortByLabels(&result);
  return result;
}

Result<Value> InstantValue(Evaluator& evaluator, const Expr& expr, int64_t at_ms) {
  if (expr.type == ValueType::kMatrix) {
    ASSIGN_OR_RETURN(Matrix matrix, EvaluateRange(evaluator, expr, at_ms));
    SortByLabels(&matrix);
    return Value(std::move(matrix));
  }
  ASSIGN_OR_RETURN(StepValue value, evaluator.Evaluate(expr, Steps{.start_ms = at_ms}));
  if (const auto* scalars = std::get_if<StepScalars>(&value)) {
    return Value(Scalar{at_ms, scalars->front()});
  }
  if (auto* text = std::get_if<std::string>(&value)) {
    return Value(String{at_ms, std::move(*text)});
  }
  ASSIGN_OR_RETURN(StepMatrix matrix, DropPendingNames(std::get<StepMatrix>(std::move(value))));
  return Value(ToVector(std::move(matrix), at_ms));
}

Result<Value> RangeValue(Evaluator& evaluator, const Expr& expr, const Steps& steps) {
  ASSIGN_OR_RETURN(StepValue value, evaluator.Evaluate(expr, steps));
  StepMatrix matrix;
  if (auto* scalars = std::get_if<StepScalars>(&value)) {
    matrix.push_back({.values = std::move(*scalars)});
  } else {
    ASSIGN_OR_RETURN(matrix, DropPendingNames(std::get<StepMatrix>(std::move(value))));
  }
  return Value(ToMatrix(std::move(matrix), steps));
}

ParserOptions LanguageOf(const EngineOptions& options) {
  return {.experimental_functions = options.experimental_functions,
          .fill_modifiers = options.fill_modifiers,
          .extended_ranges = options.extended_ranges};
}

// The tree of a query in which some durations depend on the query's own times, for these times.
Result<ExprPtr> Resolved(const Query& query, const EngineOptions& options,
                         const DurationContext& times) {
  ASSIGN_OR_RETURN(ExprPtr expr, ParseExpr(query.text(), LanguageOf(options)));
  RETURN_IF_ERROR(ResolveDurations(times, expr.get()));
  return expr;
}

Result<Steps> StepsOf(Range range, const EngineOptions& options) {
  RETURN_IF_ERROR(CheckTime(range.start_ms));
  RETURN_IF_ERROR(CheckTime(range.end_ms));
  if (range.step_ms <= 0) {
    return Error(
        "zero or negative query resolution step widths are not accepted. Try a positive "
        "integer",
        ErrorKind::kInvalidArgument);
  }
  if (range.end_ms < range.start_ms) {
    return Error("end timestamp must not be before start time", ErrorKind::kInvalidArgument);
  }
  const auto count = static_cast<size_t>((range.end_ms - range.start_ms) / range.step_ms) + 1;
  if (count - 1 > options.max_points) {
    return Error(fmt::format("exceeded maximum resolution of {} points per timeseries. Try "
                             "decreasing the query resolution (?step=XX)",
                             WithThousands(options.max_points)),
                 ErrorKind::kInvalidArgument);
  }
  return Steps{.start_ms = range.start_ms, .step_ms = range.step_ms, .count = count};
}

QueryResult WithNotes(Value value, const Notes& notes, const Query& query) {
  return {std::move(value), notes.Warnings(query.text()), notes.Infos(query.text())};
}

}  // namespace

std::string Query::ToString() const { return promql::ToString(*expr_); }

std::string Query::Pretty() const { return promql::Pretty(*expr_); }

Engine::Engine(EngineOptions options) : options_(options) {}

Result<Query> Engine::Parse(std::string_view text) const {
  ASSIGN_OR_RETURN(ExprPtr expr, ParseExpr(text, LanguageOf(options_)));
  return Query(std::shared_ptr<const Expr>(std::move(expr)), std::string(text));
}

Result<QueryResult> Engine::Instant(const Query& query, const storage::Queryable& storage,
                                    int64_t at_ms) const {
  RETURN_IF_ERROR(CheckTime(at_ms));
  ExprPtr resolved;
  if (HasDurationExprs(query.expr())) {
    ASSIGN_OR_RETURN(resolved, Resolved(query, options_, {}));
  }
  const auto querier = storage.NewQuerier();
  Notes notes;
  Evaluator evaluator({.options = options_,
                       .querier = *querier,
                       .query = {.start_ms = at_ms, .end_ms = at_ms},
                       .deadline = std::chrono::steady_clock::now() + options_.timeout},
                      &notes);
  ASSIGN_OR_RETURN(Value value,
                   InstantValue(evaluator, resolved ? *resolved : query.expr(), at_ms));
  return WithNotes(std::move(value), notes, query);
}

Result<void> Engine::CheckRange(const Query& query, Range range) const {
  const ValueType type = query.expr().type;
  if (type != ValueType::kScalar && type != ValueType::kVector) {
    return Error(fmt::format("invalid expression type \"{}\" for range query, must be Scalar or "
                             "instant Vector",
                             TypeName(type)),
                 ErrorKind::kInvalidArgument);
  }
  RETURN_IF_ERROR(StepsOf(range, options_));
  return {};
}

Result<QueryResult> Engine::RangeQuery(const Query& query, const storage::Queryable& storage,
                                       Range range) const {
  RETURN_IF_ERROR(CheckRange(query, range));
  ASSIGN_OR_RETURN(const Steps steps, StepsOf(range, options_));
  ExprPtr resolved;
  if (HasDurationExprs(query.expr())) {
    ASSIGN_OR_RETURN(resolved,
                     Resolved(query, options_, {range.end_ms - range.start_ms, range.step_ms}));
  }
  const auto querier = storage.NewQuerier();
  Notes notes;
  Evaluator evaluator({.options = options_,
                       .querier = *querier,
                       .query = range,
                       .deadline = std::chrono::steady_clock::now() + options_.timeout},
                      &notes);
  ASSIGN_OR_RETURN(Value value, RangeValue(evaluator, resolved ? *resolved : query.expr(), steps));
  return WithNotes(std::move(value), notes, query);
}

}  // namespace promql
