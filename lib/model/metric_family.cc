#include "lib/model/metric_family.h"

#include <cstring>
#include <iterator>

namespace model {

std::string_view TextTypeName(MetricType type) {
  switch (type) {
    case MetricType::kCounter:
      return "counter";
    case MetricType::kHistogram:
    case MetricType::kGaugeHistogram:
      return "histogram";
    case MetricType::kSummary:
      return "summary";
    case MetricType::kUntyped:
      return "untyped";
    case MetricType::kGauge:
    case MetricType::kInfo:
    case MetricType::kStateSet:
      return "gauge";
  }
  return "untyped";
}

std::string_view OpenMetricsTypeName(MetricType type) {
  switch (type) {
    case MetricType::kCounter:
      return "counter";
    case MetricType::kGauge:
      return "gauge";
    case MetricType::kHistogram:
      return "histogram";
    case MetricType::kSummary:
      return "summary";
    case MetricType::kUntyped:
      return "unknown";
    case MetricType::kInfo:
      return "info";
    case MetricType::kStateSet:
      return "stateset";
    case MetricType::kGaugeHistogram:
      return "gaugehistogram";
  }
  return "unknown";
}

LabelValues::LabelValues(std::initializer_list<std::string_view> values) {
  for (const std::string_view value : values) {
    Add(value);
  }
}

LabelValues::LabelValues(std::span<const std::string> values) {
  for (const std::string& value : values) {
    Add(value);
  }
}

void LabelValues::Add(std::string_view value) {
  const auto length = static_cast<uint32_t>(value.size());
  char bytes[sizeof(length)];
  std::memcpy(bytes, &length, sizeof(length));
  encoded_.append(bytes, sizeof(bytes));
  encoded_ += value;
}

std::string_view LabelValues::Iterator::operator*() const {
  uint32_t length = 0;
  std::memcpy(&length, at_, sizeof(length));
  return {at_ + sizeof(length), length};
}

LabelValues::Iterator& LabelValues::Iterator::operator++() {
  const std::string_view value = **this;
  at_ = value.data() + value.size();
  return *this;
}

size_t LabelValues::size() const {
  size_t count = 0;
  for (Iterator at = begin(); at != end(); ++at) {
    ++count;
  }
  return count;
}

std::shared_ptr<const DynamicDesc> DynamicDesc::Make(Spec spec) {
  return std::shared_ptr<const DynamicDesc>(
      new DynamicDesc(std::move(spec)));  // The constructor is private.
}

DynamicDesc::DynamicDesc(Spec spec)
    : spec_(std::move(spec)),
      desc_{.name = spec_.name,
            .help = spec_.help,
            .type = spec_.type,
            .labels = {},
            .unit = spec_.unit} {
  for (const std::string& name : spec_.labels) {
    desc_.labels.Add(name);
  }
}

}  // namespace model
