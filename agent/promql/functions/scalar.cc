// Between scalars and vectors.
#include <cmath>
#include <limits>
#include <numbers>

#include "agent/promql/call_context.h"
#include "agent/promql/functions/groups.h"

namespace promql {
namespace {

using base::Result;

// NaN unless there is exactly one element.
Result<StepValue> Scalar(CallContext& call) {
  ASSIGN_OR_RETURN(const StepMatrix matrix, call.Vector(0));
  StepScalars scalars(call.steps().count, std::numeric_limits<double>::quiet_NaN());
  for (size_t i = 0; i < scalars.size(); ++i) {
    size_t elements = 0;
    double value = 0;
    for (const StepSeries& series : matrix) {
      if (!IsAbsent(series.values[i])) {
        value = series.values[i];
        ++elements;
      }
    }
    if (elements == 1) {
      scalars[i] = value;
    }
  }
  return StepValue(std::move(scalars));
}

Result<StepValue> Vector(CallContext& call) {
  ASSIGN_OR_RETURN(StepScalars scalars, call.Scalars(0));
  StepMatrix matrix(1);
  matrix.front().values = std::move(scalars);
  return StepValue(std::move(matrix));
}

Result<StepValue> Pi(CallContext& call) {
  RETURN_IF_ERROR(call.evaluator().Hold(call.steps().count));
  return StepValue(StepScalars(call.steps().count, std::numbers::pi));
}

template <bool kMax>
Result<StepValue> Extreme(CallContext& call) {
  ASSIGN_OR_RETURN(StepScalars left, call.Scalars(0));
  ASSIGN_OR_RETURN(const StepScalars right, call.Scalars(1));
  for (size_t i = 0; i < left.size(); ++i) {
    if (std::isnan(left[i]) || std::isnan(right[i])) {
      left[i] = std::numeric_limits<double>::quiet_NaN();
    } else {
      left[i] = kMax ? std::fmax(left[i], right[i]) : std::fmin(left[i], right[i]);
    }
  }
  return StepValue(std::move(left));
}

constexpr Function kFunctions[] = {
    {.name = "max_of",
     .help = "The greater of two scalars.",
     .args = {kScalar, kScalar},
     .result = kScalar,
     .experimental = true,
     .eval = Extreme<true>},
    {.name = "min_of",
     .help = "The smaller of two scalars.",
     .args = {kScalar, kScalar},
     .result = kScalar,
     .experimental = true,
     .eval = Extreme<false>},
    {.name = "pi", .help = "3.14159…", .args = {}, .result = kScalar, .eval = Pi},
    {.name = "scalar",
     .help = "The value of a vector of one element; NaN otherwise.",
     .args = {kVector},
     .result = kScalar,
     .eval = Scalar},
    {.name = "vector",
     .help = "The scalar as a vector of one element without labels.",
     .args = {kScalar},
     .eval = Vector},
};

}  // namespace

std::span<const Function> ScalarFunctions() { return kFunctions; }

}  // namespace promql
