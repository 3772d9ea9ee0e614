#include "agent/promql/evaluator.h"

#include <limits>
#include <utility>

#include <fmt/format.h>

#include "agent/promql/nodes.h"

namespace promql {
namespace {

using base::Error;
using base::ErrorKind;
using base::Result;

// In values: a histogram counts for as many as its memory could hold with their times.
size_t SizeOf(const model::NativeHistogram& histogram) {
  return sizeof(histogram) / sizeof(model::Sample) + histogram.positive.size() +
         histogram.negative.size();
}

size_t SizeOf(const StepValue& value) {
  if (const auto* scalars = std::get_if<StepScalars>(&value)) {
    return scalars->size();
  }
  size_t size = 0;
  if (const auto* matrix = std::get_if<StepMatrix>(&value)) {
    for (const StepSeries& series : *matrix) {
      size += series.values.size();
      for (const HistogramPtr& histogram : series.histograms) {
        size += histogram == nullptr ? 0 : SizeOf(*histogram);
      }
    }
  }
  return size;
}

// One step's value for all steps.
void Repeat(size_t count, StepValue* value) {
  if (auto* scalars = std::get_if<StepScalars>(value)) {
    scalars->resize(count, scalars->front());
  } else if (auto* matrix = std::get_if<StepMatrix>(value)) {
    for (StepSeries& series : *matrix) {
      series.values.resize(count, series.values.front());
      if (!series.histograms.empty()) {
        series.histograms.resize(count, series.histograms.front());
      }
    }
  }
}

Result<StepValue> Negate(Evaluator& evaluator, StepValue value) {
  if (auto* scalars = std::get_if<StepScalars>(&value)) {
    for (double& scalar : *scalars) {
      scalar = -scalar;
    }
    return value;
  }
  auto& matrix = std::get<StepMatrix>(value);
  for (StepSeries& series : matrix) {
    for (double& element : series.values) {
      element = IsAbsent(element) ? element : -element;
    }
    for (HistogramPtr& histogram : series.histograms) {
      if (histogram != nullptr) {
        auto negated = std::make_shared<model::NativeHistogram>(*histogram);
        model::Multiply(-1, negated.get());
        histogram = std::move(negated);
      }
    }
    evaluator.DropName(&series);
  }
  if (!evaluator.options().delayed_name_removal) {
    RETURN_IF_ERROR(CheckUnique(matrix));
  }
  return value;
}

}  // namespace

int64_t SaturatingMinus(int64_t a, int64_t b) {
  int64_t difference = 0;
  if (__builtin_sub_overflow(a, b, &difference)) {
    return b > 0 ? std::numeric_limits<int64_t>::min() : std::numeric_limits<int64_t>::max();
  }
  return difference;
}

Result<StepValue> Evaluator::Evaluate(const Expr& expr, const Steps& steps) {
  const size_t before = held_;
  const bool once = !expr.varies && steps.count > 1;
  auto value = EvaluateNode(expr, once ? Steps{.start_ms = steps.start_ms} : steps);
  if (!value) {
    return value;
  }
  held_ = before;
  RETURN_IF_ERROR(Hold(SizeOf(*value) * (once ? steps.count : 1)));
  if (once) {
    Repeat(steps.count, &*value);
  }
  return value;
}

Result<StepValue> Evaluator::EvaluateNode(const Expr& expr, const Steps& steps) {
  if (const auto* number = std::get_if<NumberLiteral>(&expr.node)) {
    RETURN_IF_ERROR(Hold(steps.count));
    return StepValue(StepScalars(steps.count, number->value));
  }
  if (const auto* text = std::get_if<StringLiteral>(&expr.node)) {
    return StepValue(text->value);
  }
  if (const auto* paren = std::get_if<Paren>(&expr.node)) {
    return EvaluateNode(*paren->inner, steps);
  }
  if (const auto* unary = std::get_if<Unary>(&expr.node)) {
    ASSIGN_OR_RETURN(StepValue value, Evaluate(*unary->operand, steps));
    return unary->op->text == "-" ? Negate(*this, std::move(value)) : std::move(value);
  }
  if (const auto* selector = std::get_if<VectorSelector>(&expr.node)) {
    ASSIGN_OR_RETURN(StepMatrix matrix,
                     EvaluateSelector(*this, *selector, steps, SelectorValue::kSample));
    return StepValue(std::move(matrix));
  }
  if (const auto* call = std::get_if<Call>(&expr.node)) {
    return EvaluateCall(*this, *call, steps);
  }
  if (const auto* aggregate = std::get_if<Aggregate>(&expr.node)) {
    ASSIGN_OR_RETURN(StepMatrix matrix, EvaluateAggregate(*this, *aggregate, steps));
    return StepValue(std::move(matrix));
  }
  if (const auto* binary = std::get_if<Binary>(&expr.node)) {
    return EvaluateBinary(*this, *binary, steps);
  }
  return Error("range vectors have no value of their own", ErrorKind::kInvalidArgument);
}

Result<StepScalars> Evaluator::Scalars(const Expr& expr, const Steps& steps) {
  ASSIGN_OR_RETURN(StepValue value, Evaluate(expr, steps));
  return std::get<StepScalars>(std::move(value));
}

Result<StepMatrix> Evaluator::Vector(const Expr& expr, const Steps& steps) {
  ASSIGN_OR_RETURN(StepValue value, Evaluate(expr, steps));
  return std::get<StepMatrix>(std::move(value));
}

Result<std::string> Evaluator::Text(const Expr& expr) {
  ASSIGN_OR_RETURN(StepValue value, Evaluate(expr, Steps{}));
  return std::get<std::string>(std::move(value));
}

int64_t Evaluator::Reference(const TimeShift& shift, int64_t time_ms) const {
  switch (shift.at) {
    case TimeShift::At::kNone:
      break;
    case TimeShift::At::kTimestamp:
      time_ms = shift.at_ms;
      break;
    case TimeShift::At::kStart:
      time_ms = context_.query.start_ms;
      break;
    case TimeShift::At::kEnd:
      time_ms = context_.query.end_ms;
      break;
  }
  return SaturatingMinus(time_ms, shift.offset_ms);
}

void Evaluator::DropName(StepSeries* series) const {
  if (context_.options.delayed_name_removal) {
    series->drop_name = true;
  } else {
    series->labels = WithoutName(series->labels);
  }
}

Result<void> Evaluator::Hold(size_t values) {
  held_ += values;
  if (held_ > context_.options.max_samples || held_ < values) {
    return Error("query processing would load too many samples into memory in query execution",
                 ErrorKind::kResourceExhausted);
  }
  if (std::chrono::steady_clock::now() >= context_.deadline) {
    return Error("query timed out in expression evaluation", ErrorKind::kDeadlineExceeded);
  }
  return {};
}

}  // namespace promql
