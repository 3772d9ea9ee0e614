#include "agent/promql/histogram_notes.h"

#include <fmt/format.h>

#include "agent/promql/quote.h"

namespace promql {

void WarnMixedSamples(Position at, std::string_view metric, Notes* notes) {
  notes->Warn(at, fmt::format("encountered a mix of histograms and floats for metric name {}",
                              Quote(metric)));
}

void InformIgnoredInRange(Position at, std::string_view metric, Notes* notes) {
  notes->Info(at, fmt::format("ignored histograms in a range containing both floats and histograms "
                              "for metric name {}",
                              Quote(metric)));
}

void InformIgnoredInAggregation(Position at, std::string_view aggregation, Notes* notes) {
  notes->Info(at, fmt::format("ignored histogram in {} aggregation", aggregation));
}

void WarnMismatch(model::HistogramMismatch mismatch, Position at, std::string_view metric,
                  Notes* notes) {
  const std::string_view what =
      mismatch == model::HistogramMismatch::kSchema
          ? "a mix of histograms with exponential and custom buckets schemas"
          : "histograms with incompatible custom buckets";
  notes->Warn(at, fmt::format("vector contains {} for metric name {}", what, Quote(metric)));
}

void WarnNotACounter(Position at, std::string_view metric, Notes* notes) {
  notes->Warn(at, fmt::format("this native histogram metric is not a counter: {}", Quote(metric)));
}

void WarnNotAGauge(Position at, std::string_view metric, Notes* notes) {
  notes->Warn(at, fmt::format("this native histogram metric is not a gauge: {}", Quote(metric)));
}

}  // namespace promql
