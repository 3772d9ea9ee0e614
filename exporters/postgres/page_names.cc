#include "exporters/postgres/page_names.h"

#include <algorithm>

namespace exporters::postgres {
namespace {

constexpr OldName kOldNames[] = {
    {"pg_database_size_bytes", "pg_database_size"},
    {"pg_replication_lag_seconds", "pg_replication_lag"},
    {"pg_stat_bgwriter_buffers_alloc_total", "pg_stat_bgwriter_buffers_alloc"},
    {"pg_stat_bgwriter_buffers_backend_fsync_total", "pg_stat_bgwriter_buffers_backend_fsync"},
    {"pg_stat_bgwriter_buffers_backend_total", "pg_stat_bgwriter_buffers_backend"},
    {"pg_stat_bgwriter_buffers_checkpoint_total", "pg_stat_bgwriter_buffers_checkpoint"},
    {"pg_stat_bgwriter_buffers_clean_total", "pg_stat_bgwriter_buffers_clean"},
    {"pg_stat_bgwriter_checkpoint_sync_time_total", "pg_stat_bgwriter_checkpoint_sync_time"},
    {"pg_stat_bgwriter_checkpoint_write_time_total", "pg_stat_bgwriter_checkpoint_write_time"},
    {"pg_stat_bgwriter_checkpoints_req_total", "pg_stat_bgwriter_checkpoints_req"},
    {"pg_stat_bgwriter_checkpoints_timed_total", "pg_stat_bgwriter_checkpoints_timed"},
    {"pg_stat_bgwriter_maxwritten_clean_total", "pg_stat_bgwriter_maxwritten_clean"},
    {"pg_stat_statements_calls_total", "pg_stat_statements_calls"},
    {"pg_stat_statements_seconds_total", "pg_stat_statements_total_time_seconds"},
};

// What postgres_exporter's --metric-prefix changes: the families of its older half.
constexpr std::string_view kPrefixed[] = {
    "pg_exporter_",
    "pg_replication_slots_",
    "pg_settings_",
    "pg_stat_activity_",
    "pg_stat_archiver_",
    "pg_stat_database_conflicts_",
    "pg_stat_replication_",
    "pg_static",
    "pg_up",
};

bool TakesPrefix(std::string_view name) {
  return std::any_of(std::begin(kPrefixed), std::end(kPrefixed),
                     [&](std::string_view start) { return name.starts_with(start); });
}

}  // namespace

std::span<const OldName> OldNames() { return kOldNames; }

model::DescPtr PageNames::Renamed(const model::MetricDesc& desc, std::string name,
                                  std::span<const std::pair<std::string, std::string>> labels) {
  // An old name has a desc of its own labels, then one with those of the user.
  std::string key = labels.empty() ? name : name + "{}";
  auto found = descs_.find(key);
  if (found == descs_.end()) {
    std::vector<std::string> names(desc.labels.begin(), desc.labels.end());
    for (const auto& [label, value] : labels) {
      names.push_back(label);
    }
    model::DescPtr made = model::DynamicDesc::Make({.name = std::move(name),
                                                    .help = std::string(desc.help),
                                                    .type = desc.type,
                                                    .labels = std::move(names),
                                                    .unit = std::string(desc.unit)});
    found = descs_.emplace(std::move(key), std::move(made)).first;
  }
  return found->second;
}

void PageNames::AddOldNames(std::vector<model::MetricFamily>* families) {
  const size_t count = families->size();
  size_t i = 0;
  for (const OldName& old : kOldNames) {
    while (i < count && (*families)[i].desc->name < old.now) {
      ++i;
    }
    if (i == count) {
      break;
    }
    if ((*families)[i].desc->name != old.now) {
      continue;
    }
    model::DescPtr desc = Renamed(*(*families)[i].desc, std::string(old.before), {});
    model::MetricFamily family{.desc = &desc->desc(), .owner = desc};
    for (const model::Metric& metric : (*families)[i].metrics) {
      family.metrics.push_back({.labels = metric.labels, .value = metric.value});
    }
    families->push_back(std::move(family));
  }
}

void PageNames::Rename(model::MetricFamily* family) {
  std::string name(family->desc->name);
  if (options_.metric_prefix != "pg" && TakesPrefix(name)) {
    name = options_.metric_prefix + name.substr(2);
  }
  std::vector<std::pair<std::string, std::string>> added;
  for (const auto& label : options_.constant_labels) {
    const auto& names = family->desc->labels;
    if (std::find(names.begin(), names.end(), label.first) == names.end() &&
        names.size() + added.size() < model::LabelNames::kMax) {
      added.push_back(label);
    }
  }
  model::DescPtr desc = Renamed(*family->desc, std::move(name), added);
  family->desc = &desc->desc();
  family->owner = desc;
  for (model::Metric& metric : family->metrics) {
    for (const auto& [label, value] : added) {
      metric.labels.Add(value);
    }
  }
}

void PageNames::Apply(std::vector<model::MetricFamily>* families) {
  if (options_.old_names) {
    AddOldNames(families);
  }
  if (options_.metric_prefix != "pg" || !options_.constant_labels.empty()) {
    for (model::MetricFamily& family : *families) {
      Rename(&family);
    }
  }
  std::stable_sort(families->begin(), families->end(),
                   [](const model::MetricFamily& a, const model::MetricFamily& b) {
                     return a.desc->name < b.desc->name;
                   });
}

}  // namespace exporters::postgres
