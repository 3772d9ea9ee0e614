#include "agent/scrape/sample_labels.h"

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

namespace scrape {
namespace {

constexpr size_t kMaxQuotedBytes = 80;  // Of a label in an error.

void SetExported(const std::string& name, const std::string& value, model::LabelsBuilder* builder) {
  std::string exported = name;
  do {
    exported.insert(0, "exported_");
  } while (!builder->Get(exported).empty());
  builder->Set(exported, value);
}

base::Error LimitError(std::string_view limit, std::string_view metric, const std::string& detail) {
  return base::Error(fmt::format("{} exceeded by metric \"{}\": {}", limit,
                                 metric.substr(0, kMaxQuotedBytes), detail),
                     base::ErrorKind::kResourceExhausted);
}

}  // namespace

void AddTargetLabels(const model::Labels& target, bool honor_labels,
                     model::LabelsBuilder* builder) {
  std::vector<std::pair<std::string, std::string>> clashing;
  for (const model::Label label : target) {
    const std::string_view scraped = builder->Get(label.name);
    if (!scraped.empty()) {
      if (honor_labels) {
        continue;
      }
      clashing.emplace_back(label.name, scraped);
    }
    builder->Set(label.name, label.value);
  }
  // Shorter names first, so that "a" takes exported_a before "exported_a" looks for its place.
  std::stable_sort(clashing.begin(), clashing.end(),
                   [](const auto& a, const auto& b) { return a.first.size() < b.first.size(); });
  for (const auto& [name, value] : clashing) {
    SetExported(name, value, builder);
  }
}

base::Result<std::optional<model::Labels>> StoredLabels(const model::Labels& target,
                                                        const JobOptions& job,
                                                        model::LabelsBuilder builder) {
  AddTargetLabels(target, job.honor_labels, &builder);
  if (!relabel::Apply(job.metric_relabel_rules, &builder)) {
    return std::optional<model::Labels>();
  }
  model::Labels labels = builder.Build();
  if (labels.empty()) {
    return std::optional<model::Labels>();
  }
  if (!labels.Has(model::kMetricNameLabel)) {
    return base::Error("relabelling left a series without __name__: " + labels.ToString(),
                       base::ErrorKind::kInvalidArgument);
  }
  return std::optional<model::Labels>(std::move(labels));
}

base::Result<void> CheckLabelLimits(const model::Labels& labels, const Limits& limits) {
  const std::string_view metric = labels.MetricName();
  if (limits.labels != 0 && labels.size() > limits.labels) {
    return LimitError("label_limit", metric,
                      fmt::format("{} labels, limit {}", labels.size(), limits.labels));
  }
  for (const model::Label label : labels) {
    const std::string_view shown = label.name.substr(0, kMaxQuotedBytes);
    if (limits.label_name_bytes != 0 && label.name.size() > limits.label_name_bytes) {
      return LimitError("label_name_length_limit", metric,
                        fmt::format("label \"{}\" has {} bytes, limit {}", shown, label.name.size(),
                                    limits.label_name_bytes));
    }
    if (limits.label_value_bytes != 0 && label.value.size() > limits.label_value_bytes) {
      return LimitError("label_value_length_limit", metric,
                        fmt::format("the value of label \"{}\" has {} bytes, limit {}", shown,
                                    label.value.size(), limits.label_value_bytes));
    }
  }
  return {};
}

}  // namespace scrape
