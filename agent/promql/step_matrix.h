// What a node evaluates to: for each series one value per step of the query. An instant query has
// one step.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "agent/promql/value.h"
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

// No value at this step: a NaN with bits that no store and no arithmetic makes. A quiet one, unlike
// the stale marker, which g++ turns into another NaN in some conditional expressions.
inline constexpr uint64_t kAbsentBits = 0x7ff8ab5e00000000ULL;
inline constexpr double kAbsent = std::bit_cast<double>(kAbsentBits);
inline bool IsAbsent(double value) { return std::bit_cast<uint64_t>(value) == kAbsentBits; }

// A float or a native histogram.
struct Point {
  // NOLINTNEXTLINE(google-explicit-constructor)
  Point(double v) : value(v) {}
  // NOLINTNEXTLINE(google-explicit-constructor)
  Point(HistogramPtr h) : value(kAbsent), histogram(std::move(h)) {}

  double value;
  HistogramPtr histogram;  // Where it is set, `value` is absent.
};

struct StepSeries {
  model::Labels labels;
  // With delayed name removal: the name goes at the end of the query.
  bool drop_name = false;
  std::vector<double> values;  // One per step.
  // Native histograms at steps without a value: one per step, or none at all, as nearly always.
  std::vector<HistogramPtr> histograms = {};

  bool Has(size_t i) const { return !IsAbsent(values[i]) || HasHistogram(i); }
  bool HasHistogram(size_t i) const { return !histograms.empty() && histograms[i] != nullptr; }
  Point At(size_t i) const { return HasHistogram(i) ? Point(histograms[i]) : Point(values[i]); }
  void Set(size_t i, Point point);
  void Clear(size_t i) { Set(i, kAbsent); }
};

using StepMatrix = std::vector<StepSeries>;
using StepScalars = std::vector<double>;  // One per step.
using StepValue = std::variant<StepScalars, std::string, StepMatrix>;

// Drops native histograms, and series without anything else.
void KeepFloats(StepMatrix* matrix);

// Drops series without any value.
void DropEmpty(StepMatrix* matrix);

// "vector cannot contain metrics with the same labelset"
base::Error DuplicateLabelsError();
// Fails when two series have the same labels.
base::Result<void> CheckUnique(const StepMatrix& matrix);
// Joins series with the same labels; fails when both have a value at one step.
base::Result<StepMatrix> MergeSameLabels(StepMatrix matrix);

// The name, and the type and unit that some exporters of OpenTelemetry add as labels.
bool GoesWithName(std::string_view label);
model::Labels WithoutName(const model::Labels& labels);

}  // namespace promql
