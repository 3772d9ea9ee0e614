// What a general function (functions.h) works with: its arguments, evaluated on demand.
#pragma once

#include <cstddef>
#include <string>
#include <utility>

#include "agent/promql/ast.h"
#include "agent/promql/evaluator.h"
#include "agent/promql/functions.h"
#include "agent/promql/nodes.h"
#include "agent/promql/step_matrix.h"
#include "lib/base/result.h"

namespace promql {

class CallContext {
 public:
  CallContext(Evaluator& evaluator, const Call& call, const Steps& steps)
      : evaluator_(evaluator), call_(call), steps_(steps) {}

  size_t args() const { return call_.args.size(); }
  const Expr& Arg(size_t i) const { return *call_.args[i]; }
  const Steps& steps() const { return steps_; }
  Evaluator& evaluator() { return evaluator_; }
  Notes& notes() { return evaluator_.notes(); }

  base::Result<StepScalars> Scalars(size_t i) { return evaluator_.Scalars(Arg(i), steps_); }
  base::Result<StepMatrix> Vector(size_t i) { return evaluator_.Vector(Arg(i), steps_); }
  base::Result<std::string> Text(size_t i) { return evaluator_.Text(Arg(i)); }
  // `eval` over the windows of the range vector.
  base::Result<StepMatrix> Windows(size_t i, RangeEval eval) {
    return EvaluateWindows(evaluator_, {.range = &Arg(i), .eval = eval, .call = &call_}, steps_);
  }

  base::Error Fail(std::string message) const {
    return base::Error(std::move(message), base::ErrorKind::kInvalidArgument);
  }

 private:
  Evaluator& evaluator_;
  const Call& call_;
  const Steps& steps_;
};

}  // namespace promql
