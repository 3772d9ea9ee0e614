// --namespace: another word than "redis" at the front of every metric name.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "lib/base/mutex.h"
#include "lib/model/metric_family.h"

namespace exporters::redis {

// Thread-safe.
class MetricNames {
 public:
  explicit MetricNames(std::string metric_namespace);

  // "redis_up" becomes "NAMESPACE_up", or "up" when the namespace is empty. Keeps the order.
  void Rename(std::vector<model::MetricFamily>* families);

 private:
  model::DescPtr Renamed(const model::MetricDesc& desc);

  const std::string prefix_;
  base::Mutex mutex_;
  std::map<std::string, model::DescPtr, std::less<>> descs_ GUARDED_BY(mutex_);
};

}  // namespace exporters::redis
