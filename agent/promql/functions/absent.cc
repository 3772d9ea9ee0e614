// What is not there.
#include <set>
#include <string>

#include "agent/promql/call_context.h"
#include "agent/promql/functions/groups.h"

namespace promql {
namespace {

using base::Result;

// The labels that a missing series would have had for sure: those of its = matchers. A label that
// is matched twice is left out.
model::Labels LabelsOf(const Expr& expr) {
  const Expr& inner = Unwrap(expr);
  const std::vector<model::Matcher>* matchers = nullptr;
  if (const auto* vector = std::get_if<VectorSelector>(&inner.node)) {
    matchers = &vector->matchers;
  } else if (const auto* matrix = std::get_if<MatrixSelector>(&inner.node)) {
    matchers = &matrix->vector.matchers;
  } else {
    return {};
  }
  model::LabelsBuilder builder;
  std::set<std::string> seen;
  for (const model::Matcher& matcher : *matchers) {
    if (matcher.name() == model::kMetricNameLabel) {
      continue;
    }
    const bool equal = matcher.type() == model::MatchType::kEqual;
    if (equal && seen.insert(matcher.name()).second) {
      builder.Set(matcher.name(), matcher.value());
    } else {
      builder.Remove(matcher.name());
    }
  }
  return builder.Build();
}

StepValue Invert(const StepMatrix& matrix, const CallContext& call) {
  StepMatrix absent(1);
  absent.front().labels = LabelsOf(call.Arg(0));
  absent.front().values.assign(call.steps().count, 1);
  for (const StepSeries& series : matrix) {
    for (size_t i = 0; i < series.values.size(); ++i) {
      if (series.Has(i)) {
        absent.front().values[i] = kAbsent;
      }
    }
  }
  DropEmpty(&absent);
  return absent;
}

Result<StepValue> Absent(CallContext& call) {
  ASSIGN_OR_RETURN(const StepMatrix matrix, call.Vector(0));
  RETURN_IF_ERROR(call.evaluator().Hold(call.steps().count));
  return Invert(matrix, call);
}

Result<StepValue> AbsentOverTime(CallContext& call) {
  const auto present = [](const Window& /*window*/) { return std::optional<Point>(1); };
  ASSIGN_OR_RETURN(const StepMatrix matrix, call.Windows(0, present));
  RETURN_IF_ERROR(call.evaluator().Hold(call.steps().count));
  return Invert(matrix, call);
}

constexpr Function kFunctions[] = {
    {.name = "absent", .help = "1 when the vector is empty.", .args = {kVector}, .eval = Absent},
    {.name = "absent_over_time",
     .help = "1 when no series has a sample in the range.",
     .args = {kMatrix},
     .eval = AbsentOverTime},
};

}  // namespace

std::span<const Function> AbsentFunctions() { return kFunctions; }

}  // namespace promql
