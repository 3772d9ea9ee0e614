// Instant vectors: at each step the latest sample of the last `lookback_delta`, unless it is stale.
#include <memory>
#include <utility>

#include "agent/promql/nodes.h"

namespace promql {
namespace {

using base::Result;

struct Lookup {
  const Evaluator& evaluator;
  const TimeShift& shift;
  const Steps& steps;
  int64_t lookback_ms = 0;
  SelectorValue what = SelectorValue::kSample;
};

std::vector<double> ValuesOf(const Lookup& lookup, storage::SampleCursor& cursor) {
  std::vector<double> values(lookup.steps.count, kAbsent);
  model::Sample latest;
  model::Sample next;
  bool have_latest = false;
  bool have_next = cursor.Next(&next);
  for (size_t i = 0; i < lookup.steps.count; ++i) {
    const int64_t reference = lookup.evaluator.Reference(lookup.shift, lookup.steps.At(i));
    while (have_next && next.timestamp_ms <= reference) {
      latest = next;
      have_latest = true;
      have_next = cursor.Next(&next);
    }
    if (have_latest && latest.timestamp_ms > SaturatingMinus(reference, lookup.lookback_ms) &&
        !model::IsStale(latest.value)) {
      values[i] = lookup.what == SelectorValue::kSample
                      ? latest.value
                      : static_cast<double>(latest.timestamp_ms) / 1000;
    }
  }
  return values;
}

}  // namespace

Result<StepMatrix> EvaluateSelector(Evaluator& evaluator, const VectorSelector& selector,
                                    const Steps& steps, SelectorValue what) {
  const Lookup lookup{evaluator, selector.shift, steps, evaluator.options().lookback_delta.count(),
                      what};
  const int64_t first = evaluator.Reference(selector.shift, steps.start_ms);
  const int64_t last = evaluator.Reference(selector.shift, steps.end_ms());
  ASSIGN_OR_RETURN(const auto found,
                   evaluator.querier().Select(
                       selector.matchers, {SaturatingMinus(first, lookup.lookback_ms - 1), last}));
  StepMatrix matrix;
  matrix.reserve(found.size());
  for (const auto& series : found) {
    RETURN_IF_ERROR(evaluator.Hold(steps.count));
    const auto cursor = series->Samples();
    matrix.push_back({.labels = series->labels(), .values = ValuesOf(lookup, *cursor)});
  }
  DropEmpty(&matrix);
  return matrix;
}

}  // namespace promql
