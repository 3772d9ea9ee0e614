#include "agent/promql/step_matrix.h"

#include <algorithm>
#include <unordered_map>
#include <unordered_set>
#include <utility>

namespace promql {

void StepSeries::Set(size_t i, Point point) {
  values[i] = point.value;
  if (point.histogram != nullptr && histograms.empty()) {
    histograms.resize(values.size());
  }
  if (!histograms.empty()) {
    histograms[i] = std::move(point.histogram);
  }
}

void KeepFloats(StepMatrix* matrix) {
  for (StepSeries& series : *matrix) {
    series.histograms.clear();
  }
  DropEmpty(matrix);
}

void DropEmpty(StepMatrix* matrix) {
  std::erase_if(*matrix, [](const StepSeries& series) {
    return std::all_of(series.values.begin(), series.values.end(), IsAbsent) &&
           std::all_of(series.histograms.begin(), series.histograms.end(),
                       [](const HistogramPtr& histogram) { return histogram == nullptr; });
  });
}

base::Error DuplicateLabelsError() {
  return base::Error("vector cannot contain metrics with the same labelset",
                     base::ErrorKind::kInvalidArgument);
}

base::Result<void> CheckUnique(const StepMatrix& matrix) {
  if (matrix.size() < 2) {
    return {};
  }
  std::unordered_set<model::Labels> seen;
  for (const StepSeries& series : matrix) {
    if (!seen.insert(series.labels).second) {
      return DuplicateLabelsError();
    }
  }
  return {};
}

base::Result<StepMatrix> MergeSameLabels(StepMatrix matrix) {
  if (matrix.size() < 2) {
    return matrix;
  }
  std::unordered_map<model::Labels, size_t> first;
  StepMatrix merged;
  merged.reserve(matrix.size());
  for (StepSeries& series : matrix) {
    const auto [at, inserted] = first.emplace(series.labels, merged.size());
    if (inserted) {
      merged.push_back(std::move(series));
      continue;
    }
    StepSeries& into = merged[at->second];
    for (size_t i = 0; i < series.values.size(); ++i) {
      if (!series.Has(i)) {
        continue;
      }
      if (into.Has(i)) {
        return DuplicateLabelsError();
      }
      into.Set(i, series.At(i));
    }
  }
  return merged;
}

bool GoesWithName(std::string_view label) {
  return label == model::kMetricNameLabel || label == "__type__" || label == "__unit__";
}

model::Labels WithoutName(const model::Labels& labels) {
  if (std::none_of(labels.begin(), labels.end(),
                   [](const model::Label label) { return GoesWithName(label.name); })) {
    return labels;
  }
  model::LabelsBuilder builder;
  for (const model::Label label : labels) {
    if (!GoesWithName(label.name)) {
      builder.Set(label.name, label.value);
    }
  }
  return builder.Build();
}

}  // namespace promql
