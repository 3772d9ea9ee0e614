// Instant vectors: at each step the latest sample of the last `lookback_delta`, unless it is stale.
#include <algorithm>
#include <iterator>
#include <memory>
#include <utility>

#include "agent/promql/extended_range.h"
#include "agent/promql/nodes.h"

namespace promql {
namespace {

using base::Result;

struct Lookup {
  const Evaluator& evaluator;
  const TimeShift& shift;
  const Steps& steps;
  int64_t lookback_ms = 0;
  SelectorValue what = SelectorValue::kSample;
};

// The latest sample that a cursor had up to some time, which never goes back.
template <typename Cursor, typename Sample>
class Latest {
 public:
  explicit Latest(std::unique_ptr<Cursor> cursor)
      : cursor_(std::move(cursor)), has_next_(cursor_ != nullptr && cursor_->Next(&next_)) {}

  void MoveTo(int64_t time_ms) {
    while (has_next_ && next_.timestamp_ms <= time_ms) {
      std::swap(sample_, next_);
      has_sample_ = true;
      has_next_ = cursor_->Next(&next_);
    }
  }
  bool IsAfter(int64_t time_ms) const { return has_sample_ && sample_.timestamp_ms > time_ms; }
  const Sample& sample() const { return sample_; }

 private:
  std::unique_ptr<Cursor> cursor_;
  Sample sample_;
  Sample next_;
  bool has_sample_ = false;
  bool has_next_;
};

Point ValueOf(const Lookup& lookup, int64_t timestamp_ms, Point point) {
  return lookup.what == SelectorValue::kSample ? std::move(point)
                                               : Point(static_cast<double>(timestamp_ms) / 1000);
}

StepSeries SeriesOf(const Lookup& lookup, const storage::Series& series) {
  StepSeries out{.labels = series.labels(),
                 .values = std::vector<double>(lookup.steps.count, kAbsent)};
  Latest<storage::SampleCursor, model::Sample> floats(series.Samples());
  Latest<storage::HistogramCursor, model::HistogramSample> histograms(series.Histograms());
  for (size_t i = 0; i < lookup.steps.count; ++i) {
    const int64_t reference = lookup.evaluator.Reference(lookup.shift, lookup.steps.At(i));
    int64_t after = SaturatingMinus(reference, lookup.lookback_ms);
    floats.MoveTo(reference);
    histograms.MoveTo(reference);
    if (floats.IsAfter(after)) {
      const model::Sample& sample = floats.sample();
      after = sample.timestamp_ms;
      out.values[i] = model::IsStale(sample.value)
                          ? kAbsent
                          : ValueOf(lookup, sample.timestamp_ms, sample.value).value;
    }
    if (histograms.IsAfter(after)) {
      const model::HistogramSample& sample = histograms.sample();
      out.Set(i, model::IsStale(*sample.histogram)
                     ? kAbsent
                     : ValueOf(lookup, sample.timestamp_ms, sample.histogram));
    }
  }
  return out;
}

// At each step the value on the line between the samples around it; the latest one where none
// follows within the lookback.
Result<StepSeries> SmoothedSeries(const Lookup& lookup, const storage::Series& series) {
  std::vector<model::Sample> samples;
  const auto cursor = series.Samples();
  for (model::Sample sample; cursor->Next(&sample);) {
    if (!model::IsStale(sample.value)) {
      samples.push_back(sample);
    }
  }
  model::HistogramSample histogram;
  const auto histograms = series.Histograms();
  if (histograms != nullptr && histograms->Next(&histogram)) {
    return base::Error("smoothed and anchored modifiers do not work with native histograms",
                       base::ErrorKind::kInvalidArgument);
  }
  StepSeries out{.labels = series.labels(),
                 .values = std::vector<double>(lookup.steps.count, kAbsent)};
  for (size_t i = 0; i < lookup.steps.count; ++i) {
    const int64_t reference = lookup.evaluator.Reference(lookup.shift, lookup.steps.At(i));
    const auto next = std::lower_bound(
        samples.begin(), samples.end(), reference,
        [](const model::Sample& sample, int64_t time) { return sample.timestamp_ms < time; });
    const bool has_next =
        next != samples.end() && next->timestamp_ms <= reference + lookup.lookback_ms;
    if (has_next && next->timestamp_ms == reference) {
      out.values[i] = next->value;
      continue;
    }
    if (next == samples.begin() ||
        std::prev(next)->timestamp_ms <= SaturatingMinus(reference, lookup.lookback_ms)) {
      continue;
    }
    out.values[i] = has_next ? Interpolate(*std::prev(next), *next, reference, Edge::kGauge)
                             : std::prev(next)->value;
  }
  return out;
}

}  // namespace

Result<StepMatrix> EvaluateSelector(Evaluator& evaluator, const VectorSelector& selector,
                                    const Steps& steps, SelectorValue what) {
  const Lookup lookup{evaluator, selector.shift, steps, evaluator.options().lookback_delta.count(),
                      what};
  const int64_t first = evaluator.Reference(selector.shift, steps.start_ms);
  const int64_t last = evaluator.Reference(selector.shift, steps.end_ms());
  const bool smoothed = selector.extension == Extension::kSmoothed;
  const int64_t after_ms = smoothed ? lookup.lookback_ms : 0;
  ASSIGN_OR_RETURN(
      const auto found,
      evaluator.querier().Select(selector.matchers, {SaturatingMinus(first, lookup.lookback_ms - 1),
                                                     SaturatingMinus(last, -after_ms)}));
  StepMatrix matrix;
  matrix.reserve(found.size());
  for (const auto& series : found) {
    RETURN_IF_ERROR(evaluator.Hold(steps.count));
    if (smoothed) {
      ASSIGN_OR_RETURN(StepSeries one, SmoothedSeries(lookup, *series));
      matrix.push_back(std::move(one));
    } else {
      matrix.push_back(SeriesOf(lookup, *series));
    }
  }
  DropEmpty(&matrix);
  return matrix;
}

}  // namespace promql
