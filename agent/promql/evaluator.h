// Evaluates a tree for all steps at once: every node becomes one value per series and step. The
// node kinds are in evaluate_*.cc.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "agent/promql/ast.h"
#include "agent/promql/engine.h"
#include "agent/promql/notes.h"
#include "agent/promql/step_matrix.h"
#include "agent/storage/querier.h"
#include "lib/base/result.h"

namespace promql {

// One query. Thread-compatible.
class Evaluator {
 public:
  struct Context {
    const EngineOptions& options;
    storage::Querier& querier;
    Range query;  // What @ start(), @ end(), range() and step() refer to.
    std::chrono::steady_clock::time_point deadline;
  };
  Evaluator(const Context& context, Notes* notes) : context_(context), notes_(*notes) {}

  base::Result<StepValue> Evaluate(const Expr& expr, const Steps& steps);
  // The same, of an expression known to be of that type.
  base::Result<StepScalars> Scalars(const Expr& expr, const Steps& steps);
  base::Result<StepMatrix> Vector(const Expr& expr, const Steps& steps);
  base::Result<std::string> Text(const Expr& expr);

  const EngineOptions& options() const { return context_.options; }
  const Range& query() const { return context_.query; }
  storage::Querier& querier() { return context_.querier; }
  Notes& notes() { return notes_; }

  // The time a selector looks at for the step at `time_ms`.
  int64_t Reference(const TimeShift& shift, int64_t time_ms) const;
  // Now, or at the end of the query with delayed removal.
  void DropName(StepSeries* series) const;

  // Accounts for values that are about to be held. Errors: kResourceExhausted above max_samples,
  // kDeadlineExceeded.
  base::Result<void> Hold(size_t values);
  void Release(size_t values) { held_ -= values; }

 private:
  base::Result<StepValue> EvaluateNode(const Expr& expr, const Steps& steps);

  Context context_;
  Notes& notes_;
  size_t held_ = 0;
};

// a - b without overflow.
int64_t SaturatingMinus(int64_t a, int64_t b);

}  // namespace promql
