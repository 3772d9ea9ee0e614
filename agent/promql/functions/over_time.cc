// One value out of all samples of a range.
#include <algorithm>
#include <cmath>
#include <memory>
#include <utility>

#include "agent/promql/functions/groups.h"
#include "agent/promql/histogram_math.h"
#include "agent/promql/histogram_notes.h"
#include "agent/promql/kahan.h"
#include "agent/promql/notes.h"
#include "agent/promql/quantile.h"

namespace promql {
namespace {

double Seconds(int64_t ms) { return static_cast<double>(ms) / 1000; }

std::vector<double> Values(const Window& window) {
  std::vector<double> values;
  values.reserve(window.samples.size());
  for (const model::Sample& sample : window.samples) {
    values.push_back(sample.value);
  }
  return values;
}

bool AnyMix(const Window& window) {
  if (window.samples.empty() || window.histograms.empty()) {
    return false;
  }
  WarnMixedSamples(window.call->args.front()->position, window.labels->MetricName(), window.notes);
  return true;
}

// The histograms of a range without floats.
std::optional<Point> Folded(const Window& window, HistogramFold fold) {
  auto result = std::make_shared<model::NativeHistogram>(*window.histograms.front().histogram);
  for (size_t i = 1; i < window.histograms.size(); ++i) {
    const auto mismatch = fold(i + 1, *window.histograms[i].histogram, result.get());
    if (mismatch != model::HistogramMismatch::kNone) {
      WarnMismatch(mismatch, window.call->args.front()->position, window.labels->MetricName(),
                   window.notes);
      return std::nullopt;
    }
  }
  model::Compact(result.get());
  return Point(HistogramPtr(std::move(result)));
}

std::optional<Point> Avg(const Window& window) {
  if (AnyMix(window)) {
    return std::nullopt;
  }
  if (window.samples.empty()) {
    return Folded(window, FoldMean);
  }
  KahanMean mean;
  for (const model::Sample& sample : window.samples) {
    mean.Add(sample.value);
  }
  return mean.Mean();
}

std::optional<Point> Sum(const Window& window) {
  if (AnyMix(window)) {
    return std::nullopt;
  }
  if (window.samples.empty()) {
    return Folded(window, FoldSum);
  }
  KahanSum sum;
  for (const model::Sample& sample : window.samples) {
    sum.Add(sample.value);
  }
  return sum.Total();
}

std::optional<Point> Count(const Window& window) {
  return static_cast<double>(window.samples.size() + window.histograms.size());
}

std::optional<Point> Present(const Window& /*window*/) { return 1; }

// The first sample that no other one beats; NaN only if there is nothing else.
template <typename Beats>
model::Sample Best(const Window& window, const Beats& beats) {
  model::Sample best = window.samples.front();
  for (const model::Sample& sample : window.samples) {
    if (std::isnan(best.value) || beats(sample.value, best.value)) {
      best = sample;
    }
  }
  return best;
}

std::optional<Point> Min(const Window& window) {
  return Best(window, [](double a, double b) { return a < b; }).value;
}

std::optional<Point> Max(const Window& window) {
  return Best(window, [](double a, double b) { return a > b; }).value;
}

std::optional<Point> TimeOfMin(const Window& window) {
  return Seconds(Best(window, [](double a, double b) { return a <= b; }).timestamp_ms);
}

std::optional<Point> TimeOfMax(const Window& window) {
  return Seconds(Best(window, [](double a, double b) { return a >= b; }).timestamp_ms);
}

struct TimedPoint {
  int64_t timestamp_ms = 0;
  Point point;
};

TimedPoint OldestOf(const Window& window) {
  const bool histogram = window.samples.empty() ||
                         (!window.histograms.empty() && window.histograms.front().timestamp_ms <
                                                            window.samples.front().timestamp_ms);
  return histogram ? TimedPoint{window.histograms.front().timestamp_ms,
                                window.histograms.front().histogram}
                   : TimedPoint{window.samples.front().timestamp_ms, window.samples.front().value};
}

TimedPoint LatestOf(const Window& window) {
  const bool histogram = window.samples.empty() ||
                         (!window.histograms.empty() && window.histograms.back().timestamp_ms >
                                                            window.samples.back().timestamp_ms);
  return histogram
             ? TimedPoint{window.histograms.back().timestamp_ms, window.histograms.back().histogram}
             : TimedPoint{window.samples.back().timestamp_ms, window.samples.back().value};
}

std::optional<Point> First(const Window& window) { return OldestOf(window).point; }
std::optional<Point> Last(const Window& window) { return LatestOf(window).point; }
std::optional<Point> TimeOfFirst(const Window& window) {
  return Seconds(OldestOf(window).timestamp_ms);
}
std::optional<Point> TimeOfLast(const Window& window) {
  return Seconds(LatestOf(window).timestamp_ms);
}

std::optional<Point> QuantileOverTime(const Window& window) {
  const double q = window.scalars[0];
  if (const std::string warning = QuantileWarning(q); !warning.empty()) {
    window.notes->Warn(window.call->args.front()->position, warning);
  }
  return Quantile(q, Values(window));
}

double VarianceOf(const Window& window) {
  Variance variance;
  for (const model::Sample& sample : window.samples) {
    variance.Add(sample.value);
  }
  return variance.Value();
}

std::optional<Point> StdVar(const Window& window) { return VarianceOf(window); }
std::optional<Point> StdDev(const Window& window) { return std::sqrt(VarianceOf(window)); }

// Median absolute deviation.
std::optional<Point> Mad(const Window& window) {
  std::vector<double> values = Values(window);
  const double median = Quantile(0.5, values);
  for (double& value : values) {
    value = std::fabs(value - median);
  }
  return Quantile(0.5, std::move(values));
}

constexpr Function kFunctions[] = {
    {.name = "avg_over_time",
     .help = "Average of the samples in the range.",
     .args = {kMatrix},
     .traits = kTakesHistograms,
     .eval = Avg},
    {.name = "count_over_time",
     .help = "Number of samples in the range.",
     .args = {kMatrix},
     .traits = kTakesHistograms,
     .eval = Count},
    {.name = "first_over_time",
     .help = "Oldest sample in the range.",
     .args = {kMatrix},
     .traits = kKeepsName | kTakesHistograms,
     .eval = First},
    {.name = "last_over_time",
     .help = "Latest sample in the range.",
     .args = {kMatrix},
     .traits = kKeepsName | kTakesHistograms,
     .eval = Last},
    {.name = "mad_over_time",
     .help = "Median absolute deviation of the samples in the range.",
     .args = {kMatrix},
     .experimental = true,
     .eval = Mad},
    {.name = "max_over_time",
     .help = "Greatest sample in the range.",
     .args = {kMatrix},
     .eval = Max},
    {.name = "min_over_time",
     .help = "Smallest sample in the range.",
     .args = {kMatrix},
     .eval = Min},
    {.name = "present_over_time",
     .help = "1 for every series with a sample in the range.",
     .args = {kMatrix},
     .traits = kTakesHistograms,
     .eval = Present},
    {.name = "quantile_over_time",
     .help = "Quantile (0 to 1) of the samples in the range.",
     .args = {kScalar, kMatrix},
     .eval = QuantileOverTime},
    {.name = "stddev_over_time",
     .help = "Population standard deviation of the samples in the range.",
     .args = {kMatrix},
     .eval = StdDev},
    {.name = "stdvar_over_time",
     .help = "Population variance of the samples in the range.",
     .args = {kMatrix},
     .eval = StdVar},
    {.name = "sum_over_time",
     .help = "Sum of the samples in the range.",
     .args = {kMatrix},
     .traits = kTakesHistograms,
     .eval = Sum},
    {.name = "ts_of_first_over_time",
     .help = "Time of the oldest sample in the range, in seconds since the epoch.",
     .args = {kMatrix},
     .traits = kTakesHistograms,
     .experimental = true,
     .eval = TimeOfFirst},
    {.name = "ts_of_last_over_time",
     .help = "Time of the latest sample in the range, in seconds since the epoch.",
     .args = {kMatrix},
     .traits = kTakesHistograms,
     .experimental = true,
     .eval = TimeOfLast},
    {.name = "ts_of_max_over_time",
     .help = "Time of the last greatest sample in the range, in seconds since the epoch.",
     .args = {kMatrix},
     .experimental = true,
     .eval = TimeOfMax},
    {.name = "ts_of_min_over_time",
     .help = "Time of the last smallest sample in the range, in seconds since the epoch.",
     .args = {kMatrix},
     .experimental = true,
     .eval = TimeOfMin},
};

}  // namespace

std::span<const Function> OverTimeFunctions() { return kFunctions; }

}  // namespace promql
