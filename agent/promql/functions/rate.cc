// How counters and gauges change over a range.
#include <algorithm>
#include <cmath>

#include "agent/promql/functions/groups.h"

namespace promql {
namespace {

constexpr size_t kMinSamples = 2;

double Seconds(int64_t ms) { return static_cast<double>(ms) / 1000; }

// From the first to the last sample. After a reset a counter starts again from zero, so what it had
// before is added.
double Change(std::span<const model::Sample> samples, bool counter) {
  double change = samples.back().value - samples.front().value;
  for (size_t i = 1; counter && i < samples.size(); ++i) {
    if (samples[i].value < samples[i - 1].value) {
      change += samples[i - 1].value;
    }
  }
  return change;
}

// The increase between the first and the last sample, extrapolated to the ends of the window. A
// side gap of more than 1.1 average intervals is taken for the start or end of the series, and only
// half an interval is added there. A counter is not extrapolated below zero.
std::optional<double> Extrapolated(const Window& window, bool counter) {
  const auto samples = window.samples;
  if (samples.size() < kMinSamples) {
    return std::nullopt;
  }
  const model::Sample first = samples.front();
  const model::Sample last = samples.back();
  const double change = Change(samples, counter);
  const double sampled = Seconds(last.timestamp_ms - first.timestamp_ms);
  const double interval = sampled / static_cast<double>(samples.size() - 1);
  const double threshold = interval * 1.1;

  double to_start = Seconds(first.timestamp_ms - window.start_ms);
  double to_end = Seconds(window.end_ms - last.timestamp_ms);
  if (to_start >= threshold) {
    to_start = interval / 2;
  }
  if (counter && change > 0 && first.value >= 0) {
    to_start = std::min(to_start, sampled * (first.value / change));
  }
  if (to_end >= threshold) {
    to_end = interval / 2;
  }
  return change * ((sampled + to_start + to_end) / sampled);
}

std::optional<double> Delta(const Window& window) { return Extrapolated(window, false); }

std::optional<double> Increase(const Window& window) { return Extrapolated(window, true); }

std::optional<double> Rate(const Window& window) {
  const std::optional<double> increase = Extrapolated(window, true);
  return increase ? std::optional(*increase / Seconds(window.range_ms)) : std::nullopt;
}

struct LastTwo {
  model::Sample before;
  model::Sample last;
  double seconds = 0;
};

std::optional<LastTwo> LastTwoSamples(const Window& window) {
  const auto samples = window.samples;
  if (samples.size() < kMinSamples) {
    return std::nullopt;
  }
  const LastTwo two{
      samples[samples.size() - 2], samples.back(),
      Seconds(samples.back().timestamp_ms - samples[samples.size() - 2].timestamp_ms)};
  return two.seconds == 0 ? std::nullopt : std::optional(two);
}

std::optional<double> InstantRate(const Window& window) {
  const auto two = LastTwoSamples(window);
  if (!two) {
    return std::nullopt;
  }
  const bool reset = two->last.value < two->before.value;
  return (reset ? two->last.value : two->last.value - two->before.value) / two->seconds;
}

std::optional<double> InstantDelta(const Window& window) {
  const auto two = LastTwoSamples(window);
  return two ? std::optional(two->last.value - two->before.value) : std::nullopt;
}

std::optional<double> Resets(const Window& window) {
  double resets = 0;
  for (size_t i = 1; i < window.samples.size(); ++i) {
    resets += window.samples[i].value < window.samples[i - 1].value ? 1 : 0;
  }
  return resets;
}

std::optional<double> Changes(const Window& window) {
  double changes = 0;
  for (size_t i = 1; i < window.samples.size(); ++i) {
    const double before = window.samples[i - 1].value;
    const double after = window.samples[i].value;
    changes += after != before && !(std::isnan(after) && std::isnan(before)) ? 1 : 0;
  }
  return changes;
}

constexpr Function kFunctions[] = {
    {.name = "changes",
     .help = "How often the value changed within the range.",
     .args = {kMatrix},
     .eval = Changes},
    {.name = "delta",
     .help = "Difference between the ends of the range, for gauges, extrapolated.",
     .args = {kMatrix},
     .eval = Delta},
    {.name = "idelta",
     .help = "Difference between the last two samples.",
     .args = {kMatrix},
     .eval = InstantDelta},
    {.name = "increase",
     .help = "Increase over the range, adjusted for counter resets and extrapolated.",
     .args = {kMatrix},
     .traits = kWantsCounter,
     .eval = Increase},
    {.name = "irate",
     .help = "Per-second increase between the last two samples.",
     .args = {kMatrix},
     .eval = InstantRate},
    {.name = "rate",
     .help = "Per-second increase over the range, adjusted for counter resets and extrapolated.",
     .args = {kMatrix},
     .traits = kWantsCounter,
     .eval = Rate},
    {.name = "resets",
     .help = "How often a counter was reset within the range.",
     .args = {kMatrix},
     .eval = Resets},
};

}  // namespace

std::span<const Function> RateFunctions() { return kFunctions; }

}  // namespace promql
