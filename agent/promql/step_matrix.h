// What a node evaluates to: for each series one value per step of the query. An instant query has
// one step.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "lib/base/result.h"
#include "lib/model/labels.h"
#include "lib/model/sample.h"

namespace promql {

// The times a node is evaluated at.
struct Steps {
  int64_t start_ms = 0;
  int64_t step_ms = 1;
  size_t count = 1;

  int64_t At(size_t i) const { return start_ms + static_cast<int64_t>(i) * step_ms; }
  int64_t end_ms() const { return At(count - 1); }
};

// No value at this step. The stale marker cannot be a result: selectors drop it, and arithmetic
// never makes a NaN with these bits.
inline constexpr double kAbsent = model::kStaleNaN;
inline bool IsAbsent(double value) { return model::IsStale(value); }

struct StepSeries {
  model::Labels labels;
  // With delayed name removal: the name goes at the end of the query.
  bool drop_name = false;
  std::vector<double> values;  // One per step.
};

using StepMatrix = std::vector<StepSeries>;
using StepScalars = std::vector<double>;  // One per step.
using StepValue = std::variant<StepScalars, std::string, StepMatrix>;

// Drops series without any value.
void DropEmpty(StepMatrix* matrix);

// "vector cannot contain metrics with the same labelset"
base::Error DuplicateLabelsError();
// Fails when two series have the same labels.
base::Result<void> CheckUnique(const StepMatrix& matrix);
// Joins series with the same labels; fails when both have a value at one step.
base::Result<StepMatrix> MergeSameLabels(StepMatrix matrix);

model::Labels WithoutName(const model::Labels& labels);

}  // namespace promql
