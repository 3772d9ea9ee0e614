// Range selectors that look beyond their window: `anchored` ones up to the lookback before it,
// `smoothed` ones on both sides.
#pragma once

#include <span>
#include <vector>

#include "agent/promql/ast.h"
#include "agent/promql/functions.h"
#include "lib/model/sample.h"

namespace promql {

// The first and last value of a window, and the samples strictly between its ends.
struct ExtendedWindow {
  double left = 0;
  double right = 0;
  std::span<const model::Sample> inner;
};
// None when nothing ended within the window. `window.samples` are those of the wider range.
std::optional<ExtendedWindow> Extend(const Window& window, bool counter);

// The values at the ends as samples, and those between them.
std::vector<model::Sample> ExtendedSamples(const Window& window);

// On a counter, a decrease towards `b` is a reset; the line then starts from zero (`left_edge`) or
// goes on from `a`.
enum class Edge { kGauge, kCounterLeft, kCounterRight };
double Interpolate(model::Sample a, model::Sample b, int64_t time_ms, Edge edge);

}  // namespace promql
