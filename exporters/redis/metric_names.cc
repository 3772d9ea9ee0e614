#include "exporters/redis/metric_names.h"

#include <algorithm>
#include <memory>
#include <string_view>
#include <utility>

namespace exporters::redis {
namespace {

constexpr std::string_view kPrefix = "redis_";

}  // namespace

MetricNames::MetricNames(std::string metric_namespace)
    : prefix_(metric_namespace.empty() ? "" : std::move(metric_namespace) + "_") {}

model::DescPtr MetricNames::Renamed(const model::MetricDesc& desc) {
  const base::MutexLock lock(mutex_);
  const auto known = descs_.find(desc.name);
  if (known != descs_.end() &&
      std::equal(desc.labels.begin(), desc.labels.end(), known->second->desc().labels.begin(),
                 known->second->desc().labels.end())) {
    return known->second;
  }
  model::DynamicDesc::Spec spec{.name = prefix_ + std::string(desc.name.substr(kPrefix.size())),
                                .help = std::string(desc.help),
                                .type = desc.type};
  spec.labels.assign(desc.labels.begin(), desc.labels.end());
  model::DescPtr renamed = model::DynamicDesc::Make(std::move(spec));
  descs_.insert_or_assign(std::string(desc.name), renamed);
  return renamed;
}

void MetricNames::Rename(std::vector<model::MetricFamily>* families) {
  if (prefix_ == kPrefix) {
    return;
  }
  for (model::MetricFamily& family : *families) {
    if (family.desc->name.substr(0, kPrefix.size()) == kPrefix) {
      const model::DescPtr renamed = Renamed(*family.desc);
      family.desc = &renamed->desc();
      family.owner = renamed;
    }
  }
}

}  // namespace exporters::redis
