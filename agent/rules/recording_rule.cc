#include "agent/rules/recording_rule.h"

#include <unordered_set>

#include <fmt/format.h>

namespace rules {

base::Result<Outcome> RecordingRule::Advance(const promql::Vector& vector) const {
  if (limit_ > 0 && vector.size() > limit_) {
    return base::Error(fmt::format("{} series exceed the limit of {}", vector.size(), limit_),
                       base::ErrorKind::kResourceExhausted);
  }
  Outcome outcome;
  std::unordered_set<model::Labels> seen;
  for (const promql::VectorElement& element : vector) {
    if (element.histogram != nullptr) {
      return base::Error(fmt::format("{} is a native histogram, which cannot be recorded; record "
                                     "histogram_quantile or another number of it",
                                     element.labels.ToString()),
                         base::ErrorKind::kUnsupported);
    }
    model::LabelsBuilder builder(element.labels);
    builder.Set(model::kMetricNameLabel, name_);
    for (const auto& [name, value] : labels_) {
      builder.Set(name, value);
    }
    model::Labels labels = builder.Build();
    if (!seen.insert(labels).second) {
      return base::Error(fmt::format("vector contains metrics with the same labelset after "
                                     "applying rule labels: {}",
                                     labels.ToString()),
                         base::ErrorKind::kInvalidArgument);
    }
    outcome.samples.push_back({std::move(labels), element.value});
  }
  return outcome;
}

}  // namespace rules
