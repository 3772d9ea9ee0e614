// Classic histograms: cumulative buckets with their upper bound in the label `le`. The functions of
// native histograms ignore float elements, as they do in Prometheus.
#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>
#include <unordered_map>

#include <fmt/format.h>

#include "agent/promql/almost_equal.h"
#include "agent/promql/call_context.h"
#include "agent/promql/functions/groups.h"
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

// One histogram: the series that differ in `le` only.
struct Histogram {
  StepSeries output;
  std::string_view metric_name;
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

// Refers to `matrix`.
std::vector<Histogram> GroupByBound(const StepMatrix& matrix, size_t vector_arg,
                                    CallContext& call) {
  std::vector<Histogram> histograms;
  std::unordered_map<model::Labels, size_t> by_labels;
  for (const StepSeries& series : matrix) {
    const std::string_view bound_text = series.labels.Get(kBoundLabel);
    const auto bound = base::ParseDouble(bound_text);
    if (!bound) {
      call.notes().Warn(call.Arg(vector_arg).position,
                        fmt::format("bucket label \"le\" is missing or has a malformed value of {} "
                                    "for metric name {}",
                                    Quote(bound_text), Quote(series.labels.MetricName())));
      continue;
    }
    const auto [at, inserted] = by_labels.emplace(WithoutBound(series.labels), histograms.size());
    if (inserted) {
      histograms.push_back({.metric_name = series.labels.MetricName()});
      StepSeries& output = histograms.back().output;
      output.labels = at->first;
      output.values.assign(call.steps().count, kAbsent);
      call.evaluator().DropName(&output);
    }
    histograms[at->second].buckets.emplace_back(*bound, &series);
  }
  return histograms;
}

Result<StepValue> Collect(std::vector<Histogram> histograms, const Evaluator& evaluator) {
  StepMatrix matrix;
  for (Histogram& histogram : histograms) {
    matrix.push_back(std::move(histogram.output));
  }
  DropEmpty(&matrix);
  if (!evaluator.options().delayed_name_removal) {
    ASSIGN_OR_RETURN(matrix, MergeSameLabels(std::move(matrix)));
  }
  return StepValue(std::move(matrix));
}

void InformForced(const Histogram& histogram, Position at, Notes& notes) {
  std::string text =
      "input to histogram_quantile needed to be fixed for monotonicity (see "
      "https://prometheus.io/docs/prometheus/latest/querying/functions/#histogram_quantile)";
  if (!histogram.metric_name.empty()) {
    text += fmt::format(" for metric name {}", Quote(histogram.metric_name));
  }
  notes.Info(at, text);
}

Result<StepValue> HistogramQuantile(CallContext& call) {
  constexpr size_t kVectorArg = 1;
  ASSIGN_OR_RETURN(const StepScalars quantiles, call.Scalars(0));
  ASSIGN_OR_RETURN(const StepMatrix matrix, call.Vector(kVectorArg));
  for (const double q : quantiles) {
    if (const std::string warning = QuantileWarning(q); !warning.empty()) {
      call.notes().Warn(call.Arg(0).position, warning);
    }
  }
  std::vector<Histogram> histograms = GroupByBound(matrix, kVectorArg, call);
  for (Histogram& histogram : histograms) {
    for (size_t i = 0; i < quantiles.size(); ++i) {
      Buckets buckets = histogram.At(i);
      if (buckets.empty()) {
        continue;
      }
      bool forced = false;
      histogram.output.values[i] = BucketQuantile(quantiles[i], std::move(buckets), &forced);
      if (forced) {
        InformForced(histogram, call.Arg(kVectorArg).position, call.notes());
      }
    }
  }
  return Collect(std::move(histograms), call.evaluator());
}

Result<StepValue> HistogramFraction(CallContext& call) {
  constexpr size_t kVectorArg = 2;
  ASSIGN_OR_RETURN(const StepScalars lower, call.Scalars(0));
  ASSIGN_OR_RETURN(const StepScalars upper, call.Scalars(1));
  ASSIGN_OR_RETURN(const StepMatrix matrix, call.Vector(kVectorArg));
  std::vector<Histogram> histograms = GroupByBound(matrix, kVectorArg, call);
  for (Histogram& histogram : histograms) {
    for (size_t i = 0; i < lower.size(); ++i) {
      Buckets buckets = histogram.At(i);
      if (!buckets.empty()) {
        histogram.output.values[i] = BucketFraction(lower[i], upper[i], std::move(buckets));
      }
    }
  }
  return Collect(std::move(histograms), call.evaluator());
}

std::optional<double> IgnoreFloats(double /*value*/, std::span<const double> /*scalars*/) {
  return std::nullopt;
}

constexpr Function kFunctions[] = {
    {.name = "histogram_avg",
     .help = "Average of native histograms.",
     .args = {kVector},
     .eval = IgnoreFloats},
    {.name = "histogram_count",
     .help = "Number of observations of native histograms.",
     .args = {kVector},
     .eval = IgnoreFloats},
    {.name = "histogram_fraction",
     .help = "Share of the observations between two bounds.",
     .args = {kScalar, kScalar, kVector},
     .eval = HistogramFraction},
    {.name = "histogram_quantile",
     .help = "Quantile (0 to 1) estimated from histogram buckets.",
     .args = {kScalar, kVector},
     .eval = HistogramQuantile},
    {.name = "histogram_stddev",
     .help = "Estimated standard deviation of native histograms.",
     .args = {kVector},
     .eval = IgnoreFloats},
    {.name = "histogram_stdvar",
     .help = "Estimated variance of native histograms.",
     .args = {kVector},
     .eval = IgnoreFloats},
    {.name = "histogram_sum",
     .help = "Sum of the observations of native histograms.",
     .args = {kVector},
     .eval = IgnoreFloats},
};

}  // namespace

std::span<const Function> HistogramFunctions() { return kFunctions; }

}  // namespace promql
