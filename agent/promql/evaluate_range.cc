// Range vectors: matrix selectors and subqueries, and the windows that functions slide over them.
#include <algorithm>
#include <functional>
#include <memory>
#include <utility>

#include "agent/promql/extended_range.h"
#include "agent/promql/nodes.h"

namespace promql {
namespace {

using base::Error;
using base::Result;

// The samples of one series over all windows.
struct RangeSeries {
  model::Labels labels;
  bool drop_name = false;
  std::vector<model::Sample> samples;
  std::vector<model::HistogramSample> histograms;
};
using Visit = std::function<Result<void>(RangeSeries&)>;

// What both kinds of range have.
struct RangeShape {
  const TimeShift* shift = nullptr;
  int64_t range_ms = 0;
  Extension extension = Extension::kNone;
};

RangeShape ShapeOf(const Expr& range) {
  if (const auto* matrix = std::get_if<MatrixSelector>(&range.node)) {
    return {&matrix->vector.shift, matrix->range_ms, matrix->vector.extension};
  }
  const auto& subquery = std::get<Subquery>(range.node);
  return {&subquery.shift, subquery.range_ms};
}

// How far a window reaches beyond its ends.
struct Reach {
  int64_t before_ms = 0;
  int64_t after_ms = 0;
};
Reach ReachOf(Extension extension, const EngineOptions& options) {
  const int64_t lookback_ms = options.lookback_delta.count();
  return {extension == Extension::kNone ? 0 : lookback_ms,
          extension == Extension::kSmoothed ? lookback_ms : 0};
}

Error NoHistogramsBeyond() {
  return Error("smoothed and anchored modifiers do not work with native histograms",
               base::ErrorKind::kInvalidArgument);
}

// Whatever is not stale.
void ReadSeries(const storage::Series& series, RangeSeries* one) {
  one->labels = series.labels();
  one->samples.clear();
  one->histograms.clear();
  const auto samples = series.Samples();
  for (model::Sample sample; samples->Next(&sample);) {
    if (!model::IsStale(sample.value)) {
      one->samples.push_back(sample);
    }
  }
  const auto histograms = series.Histograms();
  for (model::HistogramSample sample; histograms != nullptr && histograms->Next(&sample);) {
    if (!model::IsStale(*sample.histogram)) {
      one->histograms.push_back(sample);
    }
  }
}

Result<void> VisitSelector(Evaluator& evaluator, const MatrixSelector& selector, const Steps& steps,
                           const Visit& visit) {
  const TimeShift& shift = selector.vector.shift;
  const int64_t first = evaluator.Reference(shift, steps.start_ms);
  const int64_t last = evaluator.Reference(shift, steps.end_ms());
  const Reach reach = ReachOf(selector.vector.extension, evaluator.options());
  ASSIGN_OR_RETURN(
      const auto found,
      evaluator.querier().Select(selector.vector.matchers,
                                 {SaturatingMinus(first, selector.range_ms - 1 + reach.before_ms),
                                  SaturatingMinus(last, -reach.after_ms)}));
  RangeSeries one;
  for (const auto& series : found) {
    ReadSeries(*series, &one);
    if (selector.vector.extension != Extension::kNone && !one.histograms.empty()) {
      return NoHistogramsBeyond();
    }
    const size_t held = one.samples.size() + one.histograms.size();
    RETURN_IF_ERROR(evaluator.Hold(held));
    RETURN_IF_ERROR(visit(one));
    evaluator.Release(held);
  }
  return {};
}

// Subqueries are evaluated at multiples of their step, whatever the query's own steps are.
Result<Steps> SubquerySteps(Evaluator& evaluator, const Subquery& subquery, const Steps& steps) {
  const int64_t step_ms =
      subquery.step_ms != 0 ? subquery.step_ms : evaluator.options().default_subquery_step.count();
  const int64_t first = evaluator.Reference(subquery.shift, steps.start_ms);
  const int64_t last = evaluator.Reference(subquery.shift, steps.end_ms());
  const int64_t open = SaturatingMinus(first, subquery.range_ms);
  int64_t start = open / step_ms * step_ms;
  start += start <= open ? step_ms : 0;
  if (start > last) {
    return Steps{.start_ms = start, .step_ms = step_ms, .count = 0};
  }
  const auto count =
      static_cast<uint64_t>(SaturatingMinus(last, start)) / static_cast<uint64_t>(step_ms) + 1;
  RETURN_IF_ERROR(evaluator.Hold(count));
  evaluator.Release(count);
  return Steps{.start_ms = start, .step_ms = step_ms, .count = count};
}

// The steps of a subquery may skip samples and repeat them, so that what is known about a reset
// since the sample before does not hold.
HistogramPtr WithoutHint(HistogramPtr histogram) {
  if (histogram->reset == model::CounterReset::kUnknown ||
      histogram->reset == model::CounterReset::kGauge) {
    return histogram;
  }
  auto copy = std::make_shared<model::NativeHistogram>(*histogram);
  copy->reset = model::CounterReset::kUnknown;
  return copy;
}

Result<void> VisitSubquery(Evaluator& evaluator, const Subquery& subquery, const Steps& steps,
                           const Visit& visit) {
  ASSIGN_OR_RETURN(const Steps inner, SubquerySteps(evaluator, subquery, steps));
  if (inner.count == 0) {
    return {};
  }
  ASSIGN_OR_RETURN(StepMatrix matrix, evaluator.Vector(*subquery.inner, inner));
  for (StepSeries& series : matrix) {
    RangeSeries one{.labels = std::move(series.labels), .drop_name = series.drop_name};
    for (size_t i = 0; i < inner.count; ++i) {
      if (!IsAbsent(series.values[i])) {
        one.samples.push_back({inner.At(i), series.values[i]});
      } else if (series.HasHistogram(i)) {
        one.histograms.push_back({inner.At(i), WithoutHint(std::move(series.histograms[i]))});
      }
    }
    RETURN_IF_ERROR(visit(one));
  }
  return {};
}

Result<void> VisitRange(Evaluator& evaluator, const Expr& range, const Steps& steps,
                        const Visit& visit) {
  if (const auto* matrix = std::get_if<MatrixSelector>(&range.node)) {
    return VisitSelector(evaluator, *matrix, steps, visit);
  }
  return VisitSubquery(evaluator, std::get<Subquery>(range.node), steps, visit);
}

// Moves a window forward over sorted samples.
template <typename Sample>
class SlidingWindow {
 public:
  explicit SlidingWindow(const std::vector<Sample>& samples) : samples_(samples) {}

  // The samples with start < t <= end; neither bound ever goes back.
  std::span<const Sample> MoveTo(int64_t start_ms, int64_t end_ms) {
    while (end_ < samples_.size() && samples_[end_].timestamp_ms <= end_ms) {
      ++end_;
    }
    while (begin_ < end_ && samples_[begin_].timestamp_ms <= start_ms) {
      ++begin_;
    }
    return samples_.subspan(begin_, end_ - begin_);
  }

 private:
  std::span<const Sample> samples_;
  size_t begin_ = 0;
  size_t end_ = 0;
};

}  // namespace

Result<StepMatrix> EvaluateWindows(Evaluator& evaluator, const WindowArgs& args,
                                   const Steps& steps) {
  const Expr& range = Unwrap(*args.range);
  const RangeShape shape = ShapeOf(range);
  const Reach reach = ReachOf(shape.extension, evaluator.options());
  StepMatrix matrix;
  std::vector<double> scalars(args.scalars.size());
  const auto evaluate = [&](RangeSeries& one) -> Result<void> {
    RETURN_IF_ERROR(evaluator.Hold(steps.count));
    StepSeries series{.labels = std::move(one.labels),
                      .drop_name = one.drop_name,
                      .values = std::vector<double>(steps.count, kAbsent)};
    SlidingWindow sliding(one.samples);
    SlidingWindow sliding_histograms(one.histograms);
    for (size_t i = 0; i < steps.count; ++i) {
      const int64_t end = evaluator.Reference(*shape.shift, steps.At(i));
      const int64_t start = SaturatingMinus(end, shape.range_ms);
      const auto samples =
          sliding.MoveTo(SaturatingMinus(start, reach.before_ms), end + reach.after_ms);
      const auto histograms = sliding_histograms.MoveTo(start, end);
      if (samples.empty() && histograms.empty()) {
        continue;
      }
      for (size_t s = 0; s < scalars.size(); ++s) {
        scalars[s] = args.scalars[s][i];
      }
      auto value = args.eval({.samples = samples,
                              .histograms = histograms,
                              .start_ms = start,
                              .end_ms = end,
                              .range_ms = shape.range_ms,
                              .extension = shape.extension,
                              .eval_ms = steps.At(i),
                              .scalars = scalars,
                              .labels = &series.labels,
                              .call = args.call,
                              .notes = &evaluator.notes()});
      if (value) {
        series.Set(i, *std::move(value));
      }
    }
    matrix.push_back(std::move(series));
    return evaluator.notes().Status();
  };
  RETURN_IF_ERROR(VisitRange(evaluator, range, steps, evaluate));
  DropEmpty(&matrix);
  return matrix;
}

Result<Matrix> EvaluateRange(Evaluator& evaluator, const Expr& range, int64_t time_ms) {
  const Expr& unwrapped = Unwrap(range);
  const RangeShape shape = ShapeOf(unwrapped);
  const int64_t end = evaluator.Reference(*shape.shift, time_ms);
  Matrix matrix;
  const auto collect = [&](RangeSeries& one) -> Result<void> {
    const int64_t start = SaturatingMinus(end, shape.range_ms);
    if (shape.extension != Extension::kNone) {
      one.samples = ExtendedSamples({.samples = one.samples,
                                     .histograms = {},
                                     .start_ms = start,
                                     .end_ms = end,
                                     .extension = shape.extension});
      if (!one.samples.empty()) {
        RETURN_IF_ERROR(evaluator.Hold(one.samples.size()));
        matrix.push_back({one.labels, std::move(one.samples)});
      }
      return {};
    }
    const auto samples = SlidingWindow(one.samples).MoveTo(start, end);
    const auto histograms = SlidingWindow(one.histograms).MoveTo(start, end);
    if (!samples.empty() || !histograms.empty()) {
      RETURN_IF_ERROR(evaluator.Hold(samples.size() + histograms.size()));
      matrix.push_back({one.drop_name ? WithoutName(one.labels) : one.labels,
                        {samples.begin(), samples.end()},
                        {histograms.begin(), histograms.end()}});
    }
    return {};
  };
  RETURN_IF_ERROR(VisitRange(evaluator, unwrapped, Steps{.start_ms = time_ms}, collect));
  return matrix;
}

}  // namespace promql
