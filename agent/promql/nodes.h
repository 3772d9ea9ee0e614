// One function per kind of node, each in a file of its own. For the Evaluator and the functions.
#pragma once

#include <functional>
#include <vector>

#include "agent/promql/ast.h"
#include "agent/promql/evaluator.h"
#include "agent/promql/functions.h"
#include "agent/promql/step_matrix.h"
#include "agent/promql/value.h"
#include "lib/base/result.h"

namespace promql {

enum class SelectorValue { kSample, kTimestampSeconds };

base::Result<StepMatrix> EvaluateSelector(Evaluator& evaluator, const VectorSelector& selector,
                                          const Steps& steps, SelectorValue what);
base::Result<StepValue> EvaluateCall(Evaluator& evaluator, const Call& call, const Steps& steps);
base::Result<StepMatrix> EvaluateAggregate(Evaluator& evaluator, const Aggregate& aggregate,
                                           const Steps& steps);
base::Result<StepValue> EvaluateBinary(Evaluator& evaluator, const Binary& binary,
                                       const Steps& steps);

// A range vector for one call: which argument, the function to slide over it, and the call's scalar
// arguments per step.
struct WindowArgs {
  const Expr* range = nullptr;  // A matrix selector or a subquery, in parentheses or not.
  RangeEval eval = nullptr;
  std::vector<StepScalars> scalars;
  const Call* call = nullptr;
};
// Labels are those of the series, name included.
base::Result<StepMatrix> EvaluateWindows(Evaluator& evaluator, const WindowArgs& args,
                                         const Steps& steps);

// A range vector itself, as an instant query returns it.
base::Result<Matrix> EvaluateRange(Evaluator& evaluator, const Expr& range, int64_t time_ms);

}  // namespace promql
