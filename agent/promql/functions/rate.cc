// How counters and gauges change over a range.
#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>
#include <utility>

#include "agent/promql/extended_range.h"
#include "agent/promql/functions/groups.h"
#include "agent/promql/histogram_notes.h"

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

Position PositionOf(const Window& window) { return window.call->args.front()->position; }
std::string_view MetricOf(const Window& window) { return window.labels->MetricName(); }
bool IsGauge(const model::NativeHistogram& histogram) {
  return histogram.reset == model::CounterReset::kGauge;
}

// The same of native histograms; none when they cannot be subtracted.
class HistogramChange {
 public:
  HistogramChange(const Window& window, bool counter)
      : window_(window), histograms_(window.histograms), counter_(counter) {}

  std::optional<model::NativeHistogram> Compute() const {
    CheckHints();
    // If the counter was reset right after the first sample, its buckets do not matter.
    const bool from_zero = counter_ && model::IsReset(At(0), At(1));
    const bool custom = At(from_zero ? 1 : 0).has_custom_bounds();
    int32_t schema = std::min(At(from_zero ? 1 : 0).schema, At(histograms_.size() - 1).schema);
    for (size_t i = 1; i < histograms_.size(); ++i) {
      const bool last = i + 1 == histograms_.size();
      if ((last || counter_) && At(i).has_custom_bounds() != custom) {
        return Fail(model::HistogramMismatch::kSchema);
      }
      schema = counter_ ? std::min(schema, At(i).schema) : schema;
    }
    model::NativeHistogram change = At(histograms_.size() - 1);
    model::ReduceResolution(schema, &change);
    if (!from_zero) {
      if (const auto mismatch = model::Subtract(At(0), &change); mismatch != kNone) {
        return Fail(mismatch);
      }
    }
    for (size_t i = from_zero ? 2 : 1; counter_ && i < histograms_.size(); ++i) {
      if (!model::IsReset(At(i - 1), At(i))) {
        continue;
      }
      if (const auto mismatch = model::Add(At(i - 1), &change); mismatch != kNone) {
        return Fail(mismatch);
      }
    }
    change.reset = model::CounterReset::kGauge;
    model::Compact(&change);
    return change;
  }

 private:
  static constexpr auto kNone = model::HistogramMismatch::kNone;

  const model::NativeHistogram& At(size_t i) const { return *histograms_[i].histogram; }

  std::nullopt_t Fail(model::HistogramMismatch mismatch) const {
    WarnMismatch(mismatch, PositionOf(window_), MetricOf(window_), window_.notes);
    return std::nullopt;
  }

  void CheckHints() const {
    if (counter_ && std::any_of(histograms_.begin(), histograms_.end(),
                                [](const auto& sample) { return IsGauge(*sample.histogram); })) {
      WarnNotACounter(PositionOf(window_), MetricOf(window_), window_.notes);
    }
    if (!counter_ && !(IsGauge(At(0)) && IsGauge(At(histograms_.size() - 1)))) {
      WarnNotAGauge(PositionOf(window_), MetricOf(window_), window_.notes);
    }
  }

  const Window& window_;
  std::span<const model::HistogramSample> histograms_;
  bool counter_;
};

// What extrapolation needs to know of a window's samples.
struct Sampled {
  int64_t first_ms = 0;
  int64_t last_ms = 0;
  size_t count = 0;
  double first = 0;   // The value, or the count of a histogram.
  double change = 0;  // Of that.
};

// By which a change between the first and the last sample is multiplied to reach the ends of the
// window. A side gap of more than 1.1 average intervals is taken for the start or end of the
// series, and only half an interval is added there. A counter is not extrapolated below zero.
double ExtrapolationFactor(const Window& window, const Sampled& samples, bool counter) {
  const double sampled = Seconds(samples.last_ms - samples.first_ms);
  const double interval = sampled / static_cast<double>(samples.count - 1);
  const double threshold = interval * 1.1;

  double to_start = Seconds(samples.first_ms - window.start_ms);
  double to_end = Seconds(window.end_ms - samples.last_ms);
  if (to_start >= threshold) {
    to_start = interval / 2;
  }
  if (counter && samples.change > 0 && samples.first >= 0) {
    to_start = std::min(to_start, sampled * (samples.first / samples.change));
  }
  if (to_end >= threshold) {
    to_end = interval / 2;
  }
  return (sampled + to_start + to_end) / sampled;
}

Point Scaled(model::NativeHistogram histogram, double factor) {
  model::Multiply(factor, &histogram);
  return HistogramPtr(std::make_shared<const model::NativeHistogram>(std::move(histogram)));
}

std::optional<Point> ExtrapolatedHistogram(const Window& window, bool counter, double seconds) {
  const auto histograms = window.histograms;
  if (histograms.size() < kMinSamples) {
    return std::nullopt;
  }
  auto change = HistogramChange(window, counter).Compute();
  if (!change) {
    return std::nullopt;
  }
  const Sampled sampled{histograms.front().timestamp_ms, histograms.back().timestamp_ms,
                        histograms.size(), histograms.front().histogram->count, change->count};
  return Scaled(*std::move(change), ExtrapolationFactor(window, sampled, counter) / seconds);
}

// Between the values at the ends of an anchored or smoothed window; nothing is extrapolated.
std::optional<Point> Exact(const Window& window, bool counter, double seconds) {
  const auto extended = Extend(window, counter);
  if (!extended) {
    return std::nullopt;
  }
  double change = extended->right - extended->left;
  double before = extended->left;
  for (const model::Sample& sample : extended->inner) {
    change += counter && sample.value < before ? before : 0;
    before = sample.value;
  }
  change += counter && extended->right < before ? before : 0;
  return change / seconds;
}

// The change over the whole window, divided by `seconds`.
std::optional<Point> Extrapolated(const Window& window, bool counter, double seconds) {
  if (window.extension != Extension::kNone) {
    return Exact(window, counter, seconds);
  }
  const auto samples = window.samples;
  if (!samples.empty() && !window.histograms.empty()) {
    WarnMixedSamples(PositionOf(window), MetricOf(window), window.notes);
    return std::nullopt;
  }
  if (samples.empty()) {
    return ExtrapolatedHistogram(window, counter, seconds);
  }
  if (samples.size() < kMinSamples) {
    return std::nullopt;
  }
  const double change = Change(samples, counter);
  const Sampled sampled{samples.front().timestamp_ms, samples.back().timestamp_ms, samples.size(),
                        samples.front().value, change};
  return change * (ExtrapolationFactor(window, sampled, counter) / seconds);
}

std::optional<Point> Delta(const Window& window) { return Extrapolated(window, false, 1); }

std::optional<Point> Increase(const Window& window) { return Extrapolated(window, true, 1); }

std::optional<Point> Rate(const Window& window) {
  return Extrapolated(window, true, Seconds(window.range_ms));
}

// Floats and histograms in the order of their times.
struct TimedPoint {
  int64_t timestamp_ms = 0;
  Point point;
};

std::vector<TimedPoint> MergedPoints(const Window& window) {
  std::vector<TimedPoint> points;
  points.reserve(window.samples.size() + window.histograms.size());
  auto histogram = window.histograms.begin();
  const auto take_histograms = [&](int64_t before_ms) {
    for (; histogram != window.histograms.end() && histogram->timestamp_ms < before_ms;
         ++histogram) {
      points.push_back({histogram->timestamp_ms, histogram->histogram});
    }
  };
  for (const model::Sample& sample : window.samples) {
    take_histograms(sample.timestamp_ms);
    points.push_back({sample.timestamp_ms, sample.value});
  }
  take_histograms(std::numeric_limits<int64_t>::max());
  return points;
}

// How the last two samples differ.
class LastTwo {
 public:
  LastTwo(const Window& window, bool counter) : window_(window), counter_(counter) {}

  std::optional<Point> Difference() {
    if (window_.samples.size() + window_.histograms.size() < kMinSamples) {
      return std::nullopt;
    }
    std::vector<TimedPoint> points = MergedPoints(window_);
    const TimedPoint& before = points[points.size() - 2];
    const TimedPoint& last = points.back();
    seconds_ = Seconds(last.timestamp_ms - before.timestamp_ms);
    const bool histogram = last.point.histogram != nullptr;
    if ((before.point.histogram != nullptr) != histogram) {
      WarnMixedSamples(PositionOf(window_), MetricOf(window_), window_.notes);
      return std::nullopt;
    }
    if (histogram) {
      return Histograms(*before.point.histogram, *last.point.histogram);
    }
    const bool reset = counter_ && last.point.value < before.point.value;
    return Point((last.point.value - (reset ? 0 : before.point.value)) / PerSecond());
  }

 private:
  double PerSecond() const { return counter_ ? seconds_ : 1; }

  std::optional<Point> Histograms(const model::NativeHistogram& before,
                                  const model::NativeHistogram& last) const {
    if (counter_ && (IsGauge(before) || IsGauge(last))) {
      WarnNotACounter(PositionOf(window_), MetricOf(window_), window_.notes);
    }
    if (!counter_ && !(IsGauge(before) && IsGauge(last))) {
      WarnNotAGauge(PositionOf(window_), MetricOf(window_), window_.notes);
    }
    model::NativeHistogram difference = last;
    if (!counter_ || !model::IsReset(before, last)) {
      const auto mismatch = model::Subtract(before, &difference);
      if (mismatch != model::HistogramMismatch::kNone) {
        WarnMismatch(mismatch, PositionOf(window_), MetricOf(window_), window_.notes);
        return std::nullopt;
      }
    }
    difference.reset = model::CounterReset::kGauge;
    model::Compact(&difference);
    return Scaled(std::move(difference), 1 / PerSecond());
  }

  const Window& window_;
  bool counter_;
  double seconds_ = 0;
};

std::optional<Point> InstantRate(const Window& window) {
  return LastTwo(window, true).Difference();
}

std::optional<Point> InstantDelta(const Window& window) {
  return LastTwo(window, false).Difference();
}

// How many samples differ from the one before; between a float and a histogram, all do.
template <typename Differ>
std::optional<Point> CountSteps(Window window, const Differ& differ) {
  std::vector<model::Sample> extended;
  if (window.extension != Extension::kNone) {
    extended = ExtendedSamples(window);
    window.samples = extended;
    if (extended.empty()) {
      return std::nullopt;
    }
  }
  double count = 0;
  for (size_t i = 1; window.histograms.empty() && i < window.samples.size(); ++i) {
    count += differ(Point(window.samples[i - 1].value), Point(window.samples[i].value)) ? 1 : 0;
  }
  if (window.histograms.empty()) {
    return count;
  }
  const std::vector<TimedPoint> points = MergedPoints(window);
  for (size_t i = 1; i < points.size(); ++i) {
    const Point& before = points[i - 1].point;
    const Point& after = points[i].point;
    const bool both = (before.histogram == nullptr) == (after.histogram == nullptr);
    count += !both || differ(before, after) ? 1 : 0;
  }
  return count;
}

std::optional<Point> Resets(const Window& window) {
  return CountSteps(window, [](const Point& before, const Point& after) {
    return after.histogram != nullptr ? model::IsReset(*before.histogram, *after.histogram)
                                      : after.value < before.value;
  });
}

std::optional<Point> Changes(const Window& window) {
  return CountSteps(window, [](const Point& before, const Point& after) {
    if (after.histogram != nullptr) {
      return !model::SameObservations(*before.histogram, *after.histogram);
    }
    return after.value != before.value && !(std::isnan(after.value) && std::isnan(before.value));
  });
}

constexpr Function kFunctions[] = {
    {.name = "changes",
     .help = "How often the value changed within the range.",
     .args = {kMatrix},
     .traits = kTakesHistograms | kTakesAnchored,
     .eval = Changes},
    {.name = "delta",
     .help = "Difference between the ends of the range, for gauges, extrapolated.",
     .args = {kMatrix},
     .traits = kTakesHistograms | kTakesAnchored | kTakesSmoothed,
     .eval = Delta},
    {.name = "idelta",
     .help = "Difference between the last two samples.",
     .args = {kMatrix},
     .traits = kTakesHistograms,
     .eval = InstantDelta},
    {.name = "increase",
     .help = "Increase over the range, adjusted for counter resets and extrapolated.",
     .args = {kMatrix},
     .traits = kWantsCounter | kTakesHistograms | kTakesAnchored | kTakesSmoothed,
     .eval = Increase},
    {.name = "irate",
     .help = "Per-second increase between the last two samples.",
     .args = {kMatrix},
     .traits = kTakesHistograms,
     .eval = InstantRate},
    {.name = "rate",
     .help = "Per-second increase over the range, adjusted for counter resets and extrapolated.",
     .args = {kMatrix},
     .traits = kWantsCounter | kTakesHistograms | kTakesAnchored | kTakesSmoothed,
     .eval = Rate},
    {.name = "resets",
     .help = "How often a counter was reset within the range.",
     .args = {kMatrix},
     .traits = kTakesHistograms | kTakesAnchored,
     .eval = Resets},
};

}  // namespace

std::span<const Function> RateFunctions() { return kFunctions; }

}  // namespace promql
