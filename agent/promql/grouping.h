// Label sets cut down to what `by`, `without`, `on` and `ignoring` name.
#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include "lib/model/labels.h"

namespace promql {

inline bool Names(const std::vector<std::string>& names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

inline model::Labels KeepLabels(const model::Labels& labels,
                                const std::vector<std::string>& names) {
  model::LabelsBuilder builder;
  for (const model::Label label : labels) {
    if (Names(names, label.name)) {
      builder.Set(label.name, label.value);
    }
  }
  return builder.Build();
}

// The metric name goes as well.
inline model::Labels DropLabels(const model::Labels& labels,
                                const std::vector<std::string>& names) {
  model::LabelsBuilder builder;
  for (const model::Label label : labels) {
    if (label.name != model::kMetricNameLabel && !Names(names, label.name)) {
      builder.Set(label.name, label.value);
    }
  }
  return builder.Build();
}

}  // namespace promql
