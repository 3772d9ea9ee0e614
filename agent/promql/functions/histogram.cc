// Classic histograms, cumulative buckets with their upper bound in the label `le`, and native ones.
#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <map>
#include <unordered_map>

#include <fmt/format.h>

#include "agent/promql/almost_equal.h"
#include "agent/promql/call_context.h"
#include "agent/promql/functions/groups.h"
#include "agent/promql/native_quantile.h"
#include "agent/promql/quantile.h"
#include "agent/promql/quote.h"
#include "lib/base/strings.h"

namespace promql {
namespace {

using base::Result;

constexpr std::string_view kBoundLabel = "le";
// Float noise below this relative size is not a decrease.
constexpr double kTolerance = 1e-12;
constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
constexpr double kInfinity = std::numeric_limits<double>::infinity();

struct Bucket {
  double upper_bound = 0;
  double count = 0;  // Cumulative.
};
using Buckets = std::vector<Bucket>;

// Sorted, equal bounds merged. False without a +Inf bucket.
bool Normalise(Buckets* buckets) {
  std::stable_sort(buckets->begin(), buckets->end(),
                   [](const Bucket& a, const Bucket& b) { return a.upper_bound < b.upper_bound; });
  if (buckets->empty() || buckets->back().upper_bound != kInfinity) {
    return false;
  }
  Buckets merged;
  for (const Bucket& bucket : *buckets) {
    if (!merged.empty() && merged.back().upper_bound == bucket.upper_bound) {
      merged.back().count += bucket.count;
    } else {
      merged.push_back(bucket);
    }
  }
  *buckets = std::move(merged);
  return true;
}

// Counts that go down come from racing scrapes; they are lifted. True if one was more than noise.
bool ForceMonotonic(Buckets* buckets) {
  bool forced = false;
  double before = buckets->front().count;
  for (size_t i = 1; i < buckets->size(); ++i) {
    double& count = (*buckets)[i].count;
    if (AlmostEqual(before, count, kTolerance)) {
      count = before;
    } else if (count < before) {
      count = before;
      forced = true;
    } else {
      before = count;
    }
  }
  return forced;
}

// The first bucket whose count reaches `rank`; the last one if none does.
size_t FindBucket(const Buckets& buckets, double rank) {
  size_t low = 0;
  size_t high = buckets.size() - 1;
  while (low < high) {
    const size_t middle = (low + high) / 2;
    if (buckets[middle].count >= rank) {
      high = middle;
    } else {
      low = middle + 1;
    }
  }
  return low;
}

// Linear interpolation within the bucket that holds the rank; the first one starts at 0.
double BucketQuantile(double q, Buckets buckets, bool* forced) {
  *forced = false;
  if (std::isnan(q)) {
    return kNaN;
  }
  if (q < 0 || q > 1) {
    return q < 0 ? -kInfinity : kInfinity;
  }
  if (!Normalise(&buckets)) {
    return kNaN;
  }
  *forced = ForceMonotonic(&buckets);
  const double observations = buckets.back().count;
  if (buckets.size() < 2 || observations == 0) {
    return kNaN;
  }
  double rank = q * observations;
  const size_t found = FindBucket(buckets, rank);
  if (found == buckets.size() - 1) {
    return buckets[found - 1].upper_bound;
  }
  const double end = buckets[found].upper_bound;
  if (found == 0 && end <= 0) {
    return end;
  }
  double start = 0;
  double count = buckets[found].count;
  if (found > 0) {
    start = buckets[found - 1].upper_bound;
    count -= buckets[found - 1].count;
    rank -= buckets[found - 1].count;
  }
  return start + (end - start) * (rank / count);
}

// How many observations are at or below `value`, interpolated.
double RankOf(double value, const Buckets& buckets) {
  double below = 0;
  for (size_t i = 0; i < buckets.size(); ++i) {
    const Bucket& bucket = buckets[i];
    double start = i > 0 ? buckets[i - 1].upper_bound : -kInfinity;
    if (i == 0 && bucket.upper_bound > 0) {
      start = 0;
    }
    if (start >= value) {
      return below;
    }
    if (bucket.upper_bound > value) {
      return std::isinf(start) || std::isinf(bucket.upper_bound)
                 ? below
                 : below + (bucket.count - below) * (value - start) / (bucket.upper_bound - start);
    }
    below = bucket.count;
  }
  return below;
}

double BucketFraction(double lower, double upper, Buckets buckets) {
  if (!Normalise(&buckets)) {
    return kNaN;
  }
  const double count = buckets.back().count;
  if (count == 0 || std::isnan(lower) || std::isnan(upper)) {
    return kNaN;
  }
  if (lower >= upper) {
    return 0;
  }
  return (std::min(RankOf(upper, buckets), count) - std::min(RankOf(lower, buckets), count)) /
         count;
}

// One classic histogram: the series that differ in `le` only.
struct Classic {
  StepSeries output;
  std::vector<std::pair<double, const StepSeries*>> buckets;

  Buckets At(size_t step) const {
    Buckets at;
    for (const auto& [bound, series] : buckets) {
      if (!IsAbsent(series->values[step])) {
        at.push_back({bound, series->values[step]});
      }
    }
    return at;
  }
};

model::Labels WithoutBound(const model::Labels& labels) {
  model::LabelsBuilder builder(labels);
  builder.Remove(kBoundLabel);
  return builder.Build();
}

// What a histogram at one step is worth; `metric` is its name.
struct Estimate {
  std::function<double(Buckets buckets, std::string_view metric, size_t step)> classic;
  std::function<double(const model::NativeHistogram& histogram, std::string_view metric,
                       size_t step)>
      native;
};

// Applies an estimate to all histograms of a vector.
class HistogramVector {
 public:
  // The matrix must outlive this object.
  HistogramVector(const StepMatrix& matrix, const Expr& arg, CallContext& call)
      : position_(arg.position), call_(call) {
    for (const StepSeries& series : matrix) {
      if (!series.histograms.empty()) {
        native_.emplace(series.labels, &series);
      }
      if (!std::all_of(series.values.begin(), series.values.end(), IsAbsent)) {
        AddBucket(series);
      }
    }
  }

  // Adds one series for each histogram. `rename` may change the labels of the results.
  void Evaluate(const Estimate& estimate, const std::function<void(StepSeries*)>& rename,
                StepMatrix* results) {
    for (Classic& histogram : classic_) {
      StepSeries output = histogram.output;
      EvaluateClassic(estimate, histogram, &output);
      rename(&output);
      results->push_back(std::move(output));
    }
    for (const auto& [labels, series] : native_) {
      StepSeries output = Empty(labels);
      EvaluateNative(estimate, *series, &output);
      rename(&output);
      results->push_back(std::move(output));
    }
  }

 private:
  StepSeries Empty(const model::Labels& labels) const {
    return {.labels = labels, .values = std::vector<double>(call_.steps().count, kAbsent)};
  }

  void AddBucket(const StepSeries& series) {
    const std::string_view bound_text = series.labels.Get(kBoundLabel);
    const auto bound = base::ParseDouble(bound_text);
    if (!bound) {
      call_.notes().Warn(
          position_, fmt::format("bucket label \"le\" is missing or has a malformed value of {} "
                                 "for metric name {}",
                                 Quote(bound_text), Quote(series.labels.MetricName())));
      return;
    }
    const auto [at, inserted] = by_labels_.emplace(WithoutBound(series.labels), classic_.size());
    if (inserted) {
      classic_.push_back({.output = Empty(at->first)});
    }
    classic_[at->second].buckets.emplace_back(*bound, &series);
  }

  void EvaluateClassic(const Estimate& estimate, const Classic& histogram, StepSeries* output) {
    const auto native = native_.find(output->labels);
    for (size_t i = 0; i < output->values.size(); ++i) {
      Buckets buckets = histogram.At(i);
      if (buckets.empty()) {
        continue;
      }
      if (native != native_.end() && native->second->HasHistogram(i)) {
        call_.notes().Warn(position_,
                           fmt::format("vector contains a mix of classic and native histograms for "
                                       "metric name {}",
                                       Quote(output->labels.MetricName())));
        continue;
      }
      output->values[i] = estimate.classic(std::move(buckets), output->labels.MetricName(), i);
    }
  }

  void EvaluateNative(const Estimate& estimate, const StepSeries& series,
                      StepSeries* output) const {
    const auto classic = by_labels_.find(series.labels);
    for (size_t i = 0; i < output->values.size(); ++i) {
      const bool mixed = classic != by_labels_.end() && !classic_[classic->second].At(i).empty();
      if (series.HasHistogram(i) && !mixed) {
        output->values[i] = estimate.native(*series.histograms[i], series.labels.MetricName(), i);
      }
    }
  }

  Position position_;
  CallContext& call_;
  std::vector<Classic> classic_;
  std::unordered_map<model::Labels, size_t> by_labels_;
  std::map<model::Labels, const StepSeries*> native_;
};

Result<StepValue> Collect(StepMatrix matrix, const Evaluator& evaluator) {
  for (StepSeries& series : matrix) {
    evaluator.DropName(&series);
  }
  DropEmpty(&matrix);
  if (!evaluator.options().delayed_name_removal) {
    ASSIGN_OR_RETURN(matrix, MergeSameLabels(std::move(matrix)));
  }
  return StepValue(std::move(matrix));
}

void Inform(std::string text, std::string_view metric, Position at, Notes& notes) {
  if (!metric.empty()) {
    text += fmt::format(" for metric name {}", Quote(metric));
  }
  notes.Info(at, text);
}

Estimate QuantileEstimate(const StepScalars& quantiles, Position at, Notes& notes) {
  const auto classic = [&quantiles, at, &notes](Buckets buckets, std::string_view metric,
                                                size_t step) {
    bool forced = false;
    const double value = BucketQuantile(quantiles[step], std::move(buckets), &forced);
    if (forced) {
      Inform(
          "input to histogram_quantile needed to be fixed for monotonicity (see "
          "https://prometheus.io/docs/prometheus/latest/querying/functions/#histogram_quantile)",
          metric, at, notes);
    }
    return value;
  };
  const auto native = [&quantiles, at, &notes](const model::NativeHistogram& histogram,
                                               std::string_view metric, size_t step) {
    const NativeQuantileResult result = NativeQuantile(quantiles[step], histogram);
    if (result.nan != NanEffect::kNone) {
      Inform(fmt::format("input to histogram_quantile has NaN observations, result is {}",
                         result.nan == NanEffect::kResult ? "NaN" : "skewed higher"),
             metric, at, notes);
    }
    return result.value;
  };
  return {classic, native};
}

void WarnOfQuantiles(const StepScalars& quantiles, Position at, Notes& notes) {
  for (const double q : quantiles) {
    if (const std::string warning = QuantileWarning(q); !warning.empty()) {
      notes.Warn(at, warning);
    }
  }
}

Result<StepValue> HistogramQuantile(CallContext& call) {
  constexpr size_t kVectorArg = 1;
  ASSIGN_OR_RETURN(const StepScalars quantiles, call.Scalars(0));
  ASSIGN_OR_RETURN(const StepMatrix matrix, call.Vector(kVectorArg));
  WarnOfQuantiles(quantiles, call.Arg(0).position, call.notes());
  StepMatrix results;
  HistogramVector(matrix, call.Arg(kVectorArg), call)
      .Evaluate(
          QuantileEstimate(quantiles, call.Arg(kVectorArg).position, call.notes()),
          [](StepSeries*) {}, &results);
  return Collect(std::move(results), call.evaluator());
}

// As OpenMetrics writes numbers in labels: with a point.
std::string LabelValue(double q) {
  std::string text = base::FormatDouble(q);
  return text.find_first_not_of("-0123456789") == std::string::npos ? text + ".0" : text;
}

// Several quantiles at once, each named by a label.
Result<StepValue> HistogramQuantiles(CallContext& call) {
  ASSIGN_OR_RETURN(const StepMatrix matrix, call.Vector(0));
  ASSIGN_OR_RETURN(const std::string label, call.Text(1));
  if (label.empty() || !base::IsValidUtf8(label)) {
    return call.Fail(fmt::format("invalid label name in histogram_quantiles(): {}", Quote(label)));
  }
  HistogramVector histograms(matrix, call.Arg(0), call);
  StepMatrix results;
  for (size_t arg = 2; arg < call.args(); ++arg) {
    ASSIGN_OR_RETURN(const StepScalars quantiles, call.Scalars(arg));
    WarnOfQuantiles(quantiles, call.Arg(arg).position, call.notes());
    const std::string value = LabelValue(quantiles.front());
    const auto rename = [&](StepSeries* series) {
      model::LabelsBuilder builder(series->labels);
      builder.Set(label, value);
      series->labels = builder.Build();
    };
    histograms.Evaluate(QuantileEstimate(quantiles, call.Arg(0).position, call.notes()), rename,
                        &results);
  }
  return Collect(std::move(results), call.evaluator());
}

Result<StepValue> HistogramFraction(CallContext& call) {
  constexpr size_t kVectorArg = 2;
  ASSIGN_OR_RETURN(const StepScalars lower, call.Scalars(0));
  ASSIGN_OR_RETURN(const StepScalars upper, call.Scalars(1));
  ASSIGN_OR_RETURN(const StepMatrix matrix, call.Vector(kVectorArg));
  const Estimate estimate{
      [&](Buckets buckets, std::string_view /*metric*/, size_t step) {
        return BucketFraction(lower[step], upper[step], std::move(buckets));
      },
      [&](const model::NativeHistogram& histogram, std::string_view metric, size_t step) {
        if (std::isnan(histogram.sum)) {
          Inform(
              "input to histogram_fraction has NaN observations, which are excluded from all "
              "fractions",
              metric, call.Arg(kVectorArg).position, call.notes());
        }
        return NativeFraction(lower[step], upper[step], histogram);
      }};
  StepMatrix results;
  HistogramVector(matrix, call.Arg(kVectorArg), call)
      .Evaluate(
          estimate, [](StepSeries*) {}, &results);
  return Collect(std::move(results), call.evaluator());
}

double CountOf(const model::NativeHistogram& histogram) { return histogram.count; }
double SumOf(const model::NativeHistogram& histogram) { return histogram.sum; }
double AverageOf(const model::NativeHistogram& histogram) {
  return histogram.sum / histogram.count;
}
double DeviationOf(const model::NativeHistogram& histogram) {
  return std::sqrt(NativeVariance(histogram));
}

constexpr Function kFunctions[] = {
    {.name = "histogram_avg",
     .help = "Average of native histograms.",
     .args = {kVector},
     .eval = AverageOf},
    {.name = "histogram_count",
     .help = "Number of observations of native histograms.",
     .args = {kVector},
     .eval = CountOf},
    {.name = "histogram_fraction",
     .help = "Share of the observations between two bounds.",
     .args = {kScalar, kScalar, kVector},
     .eval = HistogramFraction},
    {.name = "histogram_quantile",
     .help = "Quantile (0 to 1) estimated from histogram buckets.",
     .args = {kScalar, kVector},
     .eval = HistogramQuantile},
    {.name = "histogram_quantiles",
     .help =
         "Quantiles (0 to 1) from histogram buckets: vector, label for the quantile, quantiles.",
     .args = {kVector, kString, kScalar, kScalar},
     .variadic = 9,
     .experimental = true,
     .eval = HistogramQuantiles},
    {.name = "histogram_stddev",
     .help = "Estimated standard deviation of native histograms.",
     .args = {kVector},
     .eval = DeviationOf},
    {.name = "histogram_stdvar",
     .help = "Estimated variance of native histograms.",
     .args = {kVector},
     .eval = NativeVariance},
    {.name = "histogram_sum",
     .help = "Sum of the observations of native histograms.",
     .args = {kVector},
     .eval = SumOf},
};

}  // namespace

std::span<const Function> HistogramFunctions() { return kFunctions; }

}  // namespace promql
