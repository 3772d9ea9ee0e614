#include "agent/promql/aggregations.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include <fmt/format.h>

#include "agent/promql/kahan.h"
#include "agent/promql/label_hash.h"
#include "agent/promql/notes.h"
#include "agent/promql/quantile.h"
#include "lib/base/strings.h"

namespace promql {
namespace {

using Values = std::span<const double>;

double Sum(Values values, double /*parameter*/) {
  KahanSum sum;
  for (const double value : values) {
    sum.Add(value);
  }
  return sum.Total();
}

double Avg(Values values, double /*parameter*/) {
  KahanMean mean;
  for (const double value : values) {
    mean.Add(value);
  }
  return mean.Mean();
}

double Count(Values values, double /*parameter*/) { return static_cast<double>(values.size()); }

double One(Values /*values*/, double /*parameter*/) { return 1; }

// NaN only if there is nothing else.
double Min(Values values, double /*parameter*/) {
  double least = values.front();
  for (const double value : values) {
    least = std::isnan(least) || value < least ? value : least;
  }
  return least;
}

double Max(Values values, double /*parameter*/) {
  double greatest = values.front();
  for (const double value : values) {
    greatest = std::isnan(greatest) || value > greatest ? value : greatest;
  }
  return greatest;
}

double StdVar(Values values, double /*parameter*/) {
  Variance variance;
  for (const double value : values) {
    variance.Add(value);
  }
  return variance.Value();
}

double StdDev(Values values, double parameter) { return std::sqrt(StdVar(values, parameter)); }

double QuantileOf(Values values, double q) { return Quantile(q, {values.begin(), values.end()}); }

void CheckQuantile(double* q, Position at, Notes* notes) {
  if (const std::string warning = QuantileWarning(*q); !warning.empty()) {
    notes->Warn(at, warning);
  }
}

void CheckCount(double* k, Position /*at*/, Notes* notes) {
  constexpr double kLimit = 9223372036854775808.0;  // 2^63
  if (std::isnan(*k)) {
    notes->Fail("Parameter value is NaN");
  } else if (*k >= kLimit) {
    notes->Fail(fmt::format("Scalar value {} overflows int64", base::FormatDouble(*k)));
  } else if (*k <= -kLimit) {
    notes->Fail(fmt::format("Scalar value {} underflows int64", base::FormatDouble(*k)));
  }
}

void CheckRatio(double* ratio, Position at, Notes* notes) {
  if (std::isnan(*ratio)) {
    notes->Fail("Ratio value is NaN");
    return;
  }
  if (*ratio < -1 || *ratio > 1) {
    const double capped = *ratio < 0 ? -1 : 1;
    notes->Warn(at, fmt::format("ratio value should be between -1 and 1, got {}, capping to {}",
                                base::FormatDouble(*ratio), base::FormatDouble(capped)));
    *ratio = capped;
  }
}

// How many elements k (≥ 1) asks for, of those that are there.
size_t Limit(double k, size_t available) {
  return k < 1 ? 0 : k >= static_cast<double>(available) ? available : static_cast<size_t>(k);
}

// Which of equal elements stay depends on how the candidates are kept, so it is the same here as in
// Prometheus: a binary heap of the k best whose root is the one to go next.
template <typename Worse>
void KeepBest(double k, const Worse& worse, std::vector<GroupElement>* elements) {
  const size_t limit = Limit(k, elements->size());
  if (limit == 0) {
    elements->clear();
    return;
  }
  std::vector<GroupElement> heap;
  const auto before = [&](size_t a, size_t b) { return worse(heap[a].value, heap[b].value); };
  const auto sift_up = [&](size_t at) {
    while (at > 0 && before(at, (at - 1) / 2)) {
      std::swap(heap[at], heap[(at - 1) / 2]);
      at = (at - 1) / 2;
    }
  };
  const auto sift_down = [&] {
    for (size_t at = 0;;) {
      size_t child = 2 * at + 1;
      if (child >= heap.size()) {
        return;
      }
      if (child + 1 < heap.size() && before(child + 1, child)) {
        ++child;
      }
      if (!before(child, at)) {
        return;
      }
      std::swap(heap[at], heap[child]);
      at = child;
    }
  };
  for (const GroupElement& element : *elements) {
    if (heap.size() < limit) {
      heap.push_back(element);
      sift_up(heap.size() - 1);
    } else if (worse(heap.front().value, element.value) && !std::isnan(element.value)) {
      heap.front() = element;
      sift_down();
    }
  }
  std::stable_sort(heap.begin(), heap.end(), [&](const GroupElement& a, const GroupElement& b) {
    return worse(b.value, a.value);
  });
  *elements = std::move(heap);
}

void TopK(double k, std::vector<GroupElement>* elements) {
  KeepBest(
      k, [](double a, double b) { return std::isnan(a) ? !std::isnan(b) : a < b; }, elements);
}

void BottomK(double k, std::vector<GroupElement>* elements) {
  KeepBest(
      k, [](double a, double b) { return std::isnan(a) ? !std::isnan(b) : a > b; }, elements);
}

void LimitK(double k, std::vector<GroupElement>* elements) {
  elements->resize(Limit(k, elements->size()));
}

// Where a series lies between 0 and 1: always the same place for the same labels.
double RatioOffset(const model::Labels& labels) {
  return static_cast<double>(PrometheusHash(labels)) /
         static_cast<double>(std::numeric_limits<uint64_t>::max());
}

// A negative ratio keeps exactly what its positive complement leaves.
void LimitRatio(double ratio, std::vector<GroupElement>* elements) {
  std::erase_if(*elements, [ratio](const GroupElement& element) {
    const double offset = RatioOffset(*element.labels);
    return ratio >= 0 ? offset >= ratio : offset < 1 + ratio;
  });
}

constexpr Aggregation kAggregations[] = {
    {.name = "avg",
     .help = "Average of the group.",
     .eval = Avg,
     .histograms = HistogramUse::kFolded,
     .fold = FoldMean},
    {.name = "bottomk",
     .help = "The k smallest elements of the group.",
     .parameter = ValueType::kScalar,
     .eval = BottomK,
     .check_parameter = CheckCount},
    {.name = "count",
     .help = "Number of elements in the group.",
     .eval = Count,
     .histograms = HistogramUse::kTaken},
    {.name = "count_values",
     .help = "How often each value occurs in the group.",
     .parameter = ValueType::kString,
     .eval = CountValues{},
     .histograms = HistogramUse::kTaken},
    {.name = "group",
     .help = "1 for every group.",
     .eval = One,
     .histograms = HistogramUse::kTaken},
    {.name = "limit_ratio",
     .help = "A fixed share of the group, chosen by labels.",
     .parameter = ValueType::kScalar,
     .experimental = true,
     .eval = LimitRatio,
     .histograms = HistogramUse::kTaken,
     .check_parameter = CheckRatio},
    {.name = "limitk",
     .help = "Any k elements of the group.",
     .parameter = ValueType::kScalar,
     .experimental = true,
     .eval = LimitK,
     .histograms = HistogramUse::kTaken,
     .check_parameter = CheckCount},
    {.name = "max", .help = "Greatest element of the group.", .eval = Max},
    {.name = "min", .help = "Smallest element of the group.", .eval = Min},
    {.name = "quantile",
     .help = "Quantile (0 to 1) of the group.",
     .parameter = ValueType::kScalar,
     .eval = QuantileOf,
     .check_parameter = CheckQuantile},
    {.name = "stddev", .help = "Population standard deviation of the group.", .eval = StdDev},
    {.name = "stdvar", .help = "Population variance of the group.", .eval = StdVar},
    {.name = "sum",
     .help = "Sum of the group.",
     .eval = Sum,
     .histograms = HistogramUse::kFolded,
     .fold = FoldSum},
    {.name = "topk",
     .help = "The k greatest elements of the group.",
     .parameter = ValueType::kScalar,
     .eval = TopK,
     .check_parameter = CheckCount},
};

}  // namespace

std::span<const Aggregation> AllAggregations() { return kAggregations; }

const Aggregation* FindAggregation(std::string_view name) {
  const auto* found =
      std::find_if(std::begin(kAggregations), std::end(kAggregations),
                   [name](const Aggregation& aggregation) { return aggregation.name == name; });
  return found == std::end(kAggregations) ? nullptr : found;
}

}  // namespace promql
