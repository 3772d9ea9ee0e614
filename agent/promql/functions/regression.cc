// Trends: least squares and exponential smoothing.
#include <cmath>
#include <limits>

#include <fmt/format.h>

#include "agent/promql/functions/groups.h"
#include "agent/promql/kahan.h"
#include "agent/promql/notes.h"

namespace promql {
namespace {

constexpr size_t kMinSamples = 2;

struct Line {
  double slope = 0;
  double intercept = 0;  // At the time asked for.
};

bool IsConstant(std::span<const model::Sample> samples) {
  for (const model::Sample& sample : samples) {
    if (sample.value != samples.front().value) {
      return false;
    }
  }
  return true;
}

// Least squares, with x in seconds after `origin_ms`.
Line Fit(std::span<const model::Sample> samples, int64_t origin_ms) {
  if (IsConstant(samples)) {
    const double value = samples.front().value;
    const double nan = std::numeric_limits<double>::quiet_NaN();
    return std::isinf(value) ? Line{nan, nan} : Line{0, value};
  }
  KahanSum x_sum;
  KahanSum y_sum;
  KahanSum xy_sum;
  KahanSum xx_sum;
  for (const model::Sample& sample : samples) {
    const double x = static_cast<double>(sample.timestamp_ms - origin_ms) / 1000;
    x_sum.Add(x);
    y_sum.Add(sample.value);
    xy_sum.Add(x * sample.value);
    xx_sum.Add(x * x);
  }
  const auto n = static_cast<double>(samples.size());
  const double x = x_sum.sum + x_sum.compensation;
  const double y = y_sum.sum + y_sum.compensation;
  const double covariance = xy_sum.sum + xy_sum.compensation - x * y / n;
  const double variance = xx_sum.sum + xx_sum.compensation - x * x / n;
  const double slope = covariance / variance;
  return {slope, y / n - slope * x / n};
}

std::optional<Point> Deriv(const Window& window) {
  if (window.samples.size() < kMinSamples) {
    return std::nullopt;
  }
  return Fit(window.samples, window.samples.front().timestamp_ms).slope;
}

std::optional<Point> PredictLinear(const Window& window) {
  if (window.samples.size() < kMinSamples) {
    return std::nullopt;
  }
  const Line line = Fit(window.samples, window.eval_ms);
  return line.slope * window.scalars[0] + line.intercept;
}

bool CheckFactor(const Window& window, std::string_view name, char symbol, double factor) {
  if (factor > 0 && factor < 1) {
    return true;
  }
  window.notes->Fail(
      fmt::format("invalid {} factor. Expected: 0 < {}f < 1, got: {:f}", name, symbol, factor));
  return false;
}

// Holt's linear method: a smoothed value and a smoothed trend.
std::optional<Point> DoubleExponentialSmoothing(const Window& window) {
  const double smoothing = window.scalars[0];
  const double trending = window.scalars[1];
  if (!CheckFactor(window, "smoothing", 's', smoothing) ||
      !CheckFactor(window, "trend", 't', trending)) {
    return std::nullopt;
  }
  const auto samples = window.samples;
  if (samples.size() < kMinSamples) {
    return std::nullopt;
  }
  double before = 0;
  double smoothed = samples[0].value;
  double trend = samples[1].value - samples[0].value;
  for (size_t i = 1; i < samples.size(); ++i) {
    if (i > 1) {
      trend = trending * (smoothed - before) + (1 - trending) * trend;
    }
    before = smoothed;
    smoothed = smoothing * samples[i].value + (1 - smoothing) * (smoothed + trend);
  }
  return smoothed;
}

constexpr Function kFunctions[] = {
    {.name = "deriv",
     .help = "Per-second slope by least squares, for gauges.",
     .args = {kMatrix},
     .eval = Deriv},
    {.name = "double_exponential_smoothing",
     .help = "Smoothed value: range, smoothing factor, trend factor (both between 0 and 1).",
     .args = {kMatrix, kScalar, kScalar},
     .experimental = true,
     .eval = DoubleExponentialSmoothing},
    {.name = "predict_linear",
     .help = "Value expected in so many seconds, by least squares.",
     .args = {kMatrix, kScalar},
     .traits = kUsesEvalTime,
     .eval = PredictLinear},
};

}  // namespace

std::span<const Function> RegressionFunctions() { return kFunctions; }

}  // namespace promql
