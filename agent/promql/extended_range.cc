#include "agent/promql/extended_range.h"

#include <algorithm>

namespace promql {
namespace {

// The first of `samples` before `limit` that is at or after `time_ms`; `limit` if none is.
size_t FirstNotBefore(std::span<const model::Sample> samples, size_t limit, int64_t time_ms) {
  const auto at = std::lower_bound(
      samples.begin(), samples.begin() + static_cast<std::ptrdiff_t>(limit), time_ms,
      [](const model::Sample& sample, int64_t time) { return sample.timestamp_ms < time; });
  return static_cast<size_t>(at - samples.begin());
}

}  // namespace

double Interpolate(model::Sample a, model::Sample b, int64_t time_ms, Edge edge) {
  if (b.value < a.value && edge == Edge::kCounterLeft) {
    a.value = 0;
  } else if (b.value < a.value && edge == Edge::kCounterRight) {
    b.value += a.value;
  }
  return a.value + (b.value - a.value) * static_cast<double>(time_ms - a.timestamp_ms) /
                       static_cast<double>(b.timestamp_ms - a.timestamp_ms);
}

std::optional<ExtendedWindow> Extend(const Window& window, bool counter) {
  const auto samples = window.samples;
  if (samples.empty()) {
    return std::nullopt;
  }
  const bool smoothed = window.extension == Extension::kSmoothed;
  size_t last = samples.size() - 1;
  const size_t after_start = FirstNotBefore(samples, last, window.start_ms + 1);
  size_t first = after_start == 0 ? 0 : after_start - 1;
  if (smoothed) {
    last = FirstNotBefore(samples, last, window.end_ms);
  }
  if (samples[last].timestamp_ms <= window.start_ms) {
    return std::nullopt;
  }
  ExtendedWindow extended{.left = samples[first].value, .right = samples[last].value, .inner = {}};
  if (smoothed && samples[first].timestamp_ms < window.start_ms) {
    extended.left = Interpolate(samples[first], samples[first + 1], window.start_ms,
                                counter ? Edge::kCounterLeft : Edge::kGauge);
  }
  if (smoothed && last > 0 && samples[last].timestamp_ms > window.end_ms) {
    extended.right = Interpolate(samples[last - 1], samples[last], window.end_ms,
                                 counter ? Edge::kCounterRight : Edge::kGauge);
  }
  first += samples[first].timestamp_ms <= window.start_ms ? 1U : 0U;
  const size_t end = last + (samples[last].timestamp_ms >= window.end_ms ? 0U : 1U);
  extended.inner = first < end ? samples.subspan(first, end - first) : samples.subspan(0, 0);
  return extended;
}

std::vector<model::Sample> ExtendedSamples(const Window& window) {
  const auto extended = Extend(window, false);
  if (!extended) {
    return {};
  }
  std::vector<model::Sample> samples{{window.start_ms, extended->left}};
  samples.insert(samples.end(), extended->inner.begin(), extended->inner.end());
  samples.push_back({window.end_ms, extended->right});
  return samples;
}

}  // namespace promql
