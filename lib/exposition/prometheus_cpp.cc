#include "lib/exposition/prometheus_cpp.h"

#include <algorithm>
#include <memory>
#include <string>
#include <utility>

#include <prometheus/collectable.h>
#include <prometheus/metric_family.h>

namespace exposition {
namespace {

using ClientMetric = prometheus::ClientMetric;

model::MetricType TypeOf(prometheus::MetricType type) {
  switch (type) {
    case prometheus::MetricType::Counter:
      return model::MetricType::kCounter;
    case prometheus::MetricType::Gauge:
      return model::MetricType::kGauge;
    case prometheus::MetricType::Summary:
      return model::MetricType::kSummary;
    case prometheus::MetricType::Histogram:
      return model::MetricType::kHistogram;
    case prometheus::MetricType::Untyped:
      break;
  }
  return model::MetricType::kUntyped;
}

double ValueOf(const ClientMetric& metric, prometheus::MetricType type) {
  switch (type) {
    case prometheus::MetricType::Counter:
      return metric.counter.value;
    case prometheus::MetricType::Gauge:
      return metric.gauge.value;
    default:
      return metric.untyped.value;
  }
}

std::unique_ptr<model::Histogram> HistogramOf(const ClientMetric::Histogram& from) {
  auto histogram = std::make_unique<model::Histogram>();
  histogram->count = static_cast<double>(from.sample_count);
  histogram->sum = from.sample_sum;
  for (const ClientMetric::Bucket& bucket : from.bucket) {
    histogram->buckets.push_back(
        {.upper_bound = bucket.upper_bound,
         .cumulative_count = static_cast<double>(bucket.cumulative_count)});
  }
  return histogram;
}

std::unique_ptr<model::Summary> SummaryOf(const ClientMetric::Summary& from) {
  auto summary = std::make_unique<model::Summary>();
  summary->count = static_cast<double>(from.sample_count);
  summary->sum = from.sample_sum;
  for (const ClientMetric::Quantile& quantile : from.quantile) {
    summary->quantiles.push_back({.quantile = quantile.quantile, .value = quantile.value});
  }
  return summary;
}

bool Contains(const std::vector<std::string>& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

// Adds the label names of `metric` to `names`, or nothing if they do not fit.
bool AddLabelNames(const ClientMetric& metric, std::vector<std::string>* names) {
  std::vector<std::string> merged = *names;
  for (const ClientMetric::Label& label : metric.label) {
    if (!Contains(merged, label.name)) {
      merged.push_back(label.name);
    }
  }
  if (merged.size() > model::LabelNames::kMax) {
    return false;
  }
  *names = std::move(merged);
  return true;
}

model::LabelValues ValuesOf(const ClientMetric& metric, const std::vector<std::string>& names) {
  model::LabelValues values;
  for (const std::string& name : names) {
    const auto label =
        std::find_if(metric.label.begin(), metric.label.end(),
                     [&name](const ClientMetric::Label& l) { return l.name == name; });
    values.Add(label == metric.label.end() ? std::string_view() : label->value);
  }
  return values;
}

model::Metric MetricOf(const ClientMetric& from, prometheus::MetricType type,
                       const std::vector<std::string>& names) {
  model::Metric metric{.labels = ValuesOf(from, names)};
  if (type == prometheus::MetricType::Histogram) {
    metric.histogram = HistogramOf(from.histogram);
  } else if (type == prometheus::MetricType::Summary) {
    metric.summary = SummaryOf(from.summary);
  } else {
    metric.value = ValueOf(from, type);
  }
  if (from.timestamp_ms != 0) {  // prometheus-cpp's "none".
    metric.timestamp_ms = from.timestamp_ms;
  }
  return metric;
}

model::MetricFamily FamilyOf(const prometheus::MetricFamily& from) {
  std::vector<std::string> names;
  std::vector<const ClientMetric*> fitting;
  for (const ClientMetric& metric : from.metric) {
    if (AddLabelNames(metric, &names)) {
      fitting.push_back(&metric);
    }
  }
  const model::DescPtr desc = model::DynamicDesc::Make(
      {.name = from.name, .help = from.help, .type = TypeOf(from.type), .labels = names});
  model::MetricFamily family{.desc = &desc->desc(), .owner = desc};
  for (const ClientMetric* metric : fitting) {
    family.metrics.push_back(MetricOf(*metric, from.type, names));
  }
  return family;
}

}  // namespace

std::vector<model::MetricFamily> CollectFrom(const prometheus::Collectable& collectable) {
  std::vector<model::MetricFamily> families;
  for (const prometheus::MetricFamily& family : collectable.Collect()) {
    families.push_back(FamilyOf(family));
  }
  std::sort(families.begin(), families.end(),
            [](const auto& a, const auto& b) { return a.desc->name < b.desc->name; });
  return families;
}

}  // namespace exposition
