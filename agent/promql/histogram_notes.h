// What is said about native histograms that an expression could not use.
#pragma once

#include <string_view>

#include "agent/promql/ast.h"
#include "agent/promql/notes.h"
#include "lib/model/native_histogram.h"

namespace promql {

// One range of one series has both.
void WarnMixedSamples(Position at, std::string_view metric, Notes* notes);
// A range function for floats had to leave histograms out.
void InformIgnoredInRange(Position at, std::string_view metric, Notes* notes);
void InformIgnoredInAggregation(Position at, std::string_view aggregation, Notes* notes);
// Two histograms cannot be added or subtracted.
void WarnMismatch(model::HistogramMismatch mismatch, Position at, std::string_view metric,
                  Notes* notes);
void WarnNotACounter(Position at, std::string_view metric, Notes* notes);
void WarnNotAGauge(Position at, std::string_view metric, Notes* notes);

}  // namespace promql
