// Function calls. What a function does is its row in the table; here are only the shapes.
#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "agent/promql/call_context.h"
#include "agent/promql/histogram_notes.h"
#include "agent/promql/nodes.h"
#include "agent/promql/quote.h"

namespace promql {
namespace {

using base::Result;

constexpr std::string_view kCounterSuffixes[] = {"_total", "_sum", "_count", "_bucket"};

bool IsNamedLikeACounter(std::string_view name) {
  return std::any_of(std::begin(kCounterSuffixes), std::end(kCounterSuffixes),
                     [name](std::string_view suffix) { return name.ends_with(suffix); });
}

// The function itself, and a look at the metric's name if the result is a float.
std::optional<Point> WithCounterCheck(const Window& window) {
  const std::string_view name = window.labels->MetricName();
  auto result = std::get<RangeEval>(window.call->function->eval)(window);
  if (result && result->histogram == nullptr && !name.empty() && !IsNamedLikeACounter(name)) {
    window.notes->Info(window.call->args.front()->position,
                       fmt::format("metric might not be a counter, name does not end in "
                                   "_total/_sum/_count/_bucket: {}",
                                   Quote(name)));
  }
  return result;
}

// The function itself, for the floats if there are any.
std::optional<Point> OfFloats(const Window& window) {
  if (window.samples.empty()) {
    return std::nullopt;
  }
  if (!window.histograms.empty()) {
    InformIgnoredInRange(window.call->args.front()->position, window.labels->MetricName(),
                         window.notes);
  }
  return std::get<RangeEval>(window.call->function->eval)(window);
}

class CallEvaluator {
 public:
  CallEvaluator(Evaluator& evaluator, const Call& call, const Steps& steps)
      : evaluator_(evaluator), call_(call), function_(*call.function), steps_(steps) {}

  Result<StepValue> operator()(RangeEval eval) {
    WindowArgs args{.eval = !function_.Has(kTakesHistograms) ? OfFloats
                            : function_.Has(kWantsCounter)   ? WithCounterCheck
                                                             : eval,
                    .call = &call_};
    ASSIGN_OR_RETURN(args.scalars, OtherArguments(ValueType::kMatrix, &args.range));
    ASSIGN_OR_RETURN(StepMatrix matrix, EvaluateWindows(evaluator_, args, steps_));
    RETURN_IF_ERROR(DropNames(&matrix));
    return StepValue(std::move(matrix));
  }

  Result<StepValue> operator()(ElementEval eval) {
    const Expr* vector = nullptr;
    ASSIGN_OR_RETURN(const auto scalars, OtherArguments(ValueType::kVector, &vector));
    StepMatrix matrix;
    if (vector != nullptr) {
      ASSIGN_OR_RETURN(matrix, evaluator_.Vector(*vector, steps_));
    } else if (function_.Has(kDefaultsToTime)) {
      RETURN_IF_ERROR(evaluator_.Hold(steps_.count));
      matrix.push_back(TimeSeries());
    }
    std::vector<double> at_step(scalars.size());
    for (StepSeries& series : matrix) {
      for (size_t i = 0; i < steps_.count; ++i) {
        double& value = series.values[i];
        if (IsAbsent(value)) {
          continue;
        }
        for (size_t s = 0; s < scalars.size(); ++s) {
          at_step[s] = scalars[s][i];
        }
        value = eval(value, at_step).value_or(kAbsent);
      }
    }
    return Named(std::move(matrix));
  }

  Result<StepValue> operator()(HistogramEval eval) {
    ASSIGN_OR_RETURN(StepMatrix matrix, evaluator_.Vector(*call_.args.front(), steps_));
    for (StepSeries& series : matrix) {
      for (size_t i = 0; i < steps_.count; ++i) {
        series.values[i] = series.HasHistogram(i) ? eval(*series.histograms[i]) : kAbsent;
      }
    }
    return Named(std::move(matrix));
  }

  Result<StepValue> operator()(GeneralEval eval) {
    CallContext context(evaluator_, call_, steps_);
    auto value = eval(context);
    RETURN_IF_ERROR(evaluator_.notes().Status());
    return value;
  }

 private:
  // The scalar arguments, and the one of type `main`.
  Result<std::vector<StepScalars>> OtherArguments(ValueType main, const Expr** found) {
    std::vector<StepScalars> scalars;
    for (const ExprPtr& arg : call_.args) {
      if (arg->type == main) {
        *found = arg.get();
        continue;
      }
      ASSIGN_OR_RETURN(StepScalars values, evaluator_.Scalars(*arg, steps_));
      scalars.push_back(std::move(values));
    }
    return scalars;
  }

  // The floats, under the names they are to have.
  Result<StepValue> Named(StepMatrix matrix) const {
    KeepFloats(&matrix);
    if (function_.Has(kKeepsName)) {
      return StepValue(std::move(matrix));
    }
    for (StepSeries& series : matrix) {
      evaluator_.DropName(&series);
    }
    if (!evaluator_.options().delayed_name_removal) {
      ASSIGN_OR_RETURN(matrix, MergeSameLabels(std::move(matrix)));
    }
    return StepValue(std::move(matrix));
  }

  StepSeries TimeSeries() const {
    StepSeries series{.values = std::vector<double>(steps_.count)};
    for (size_t i = 0; i < steps_.count; ++i) {
      series.values[i] = static_cast<double>(steps_.At(i)) / 1000;
    }
    return series;
  }

  Result<void> DropNames(StepMatrix* matrix) {
    if (function_.Has(kKeepsName)) {
      return {};
    }
    for (StepSeries& series : *matrix) {
      evaluator_.DropName(&series);
    }
    return evaluator_.options().delayed_name_removal ? Result<void>() : CheckUnique(*matrix);
  }

  Evaluator& evaluator_;
  const Call& call_;
  const Function& function_;
  const Steps& steps_;
};

// The functions with a trait, for an error.
std::string NamesOf(Trait trait) {
  std::string names;
  for (const Function* function : AllFunctions()) {
    if (function->Has(trait)) {
      names += names.empty() ? "" : ", ";
      names += function->name;
    }
  }
  return names;
}

Result<void> CheckExtensions(const Call& call) {
  for (const ExprPtr& arg : call.args) {
    const auto* matrix = std::get_if<MatrixSelector>(&Unwrap(*arg).node);
    if (matrix == nullptr || matrix->vector.extension == Extension::kNone) {
      continue;
    }
    const bool anchored = matrix->vector.extension == Extension::kAnchored;
    const Trait trait = anchored ? kTakesAnchored : kTakesSmoothed;
    if (!call.function->Has(trait)) {
      return base::Error(
          fmt::format("{} modifier can only be used with: {} - not with {}",
                      anchored ? "anchored" : "smoothed", NamesOf(trait), call.function->name),
          base::ErrorKind::kInvalidArgument);
    }
  }
  return {};
}

}  // namespace

Result<StepValue> EvaluateCall(Evaluator& evaluator, const Call& call, const Steps& steps) {
  RETURN_IF_ERROR(CheckExtensions(call));
  return std::visit(CallEvaluator(evaluator, call, steps), call.function->eval);
}

}  // namespace promql
