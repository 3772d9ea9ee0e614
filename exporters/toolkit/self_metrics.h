// What an exporter says about itself, under the names that Go's promhttp handler uses: requests by
// code, requests in flight, and how long scrapes take. Kept in a prometheus-cpp registry.
#pragma once

#include <memory>
#include <vector>

#include "lib/model/metric_family.h"

namespace exporters {

// Thread-safe.
class SelfMetrics {
 public:
  SelfMetrics();
  ~SelfMetrics();

  // How many are in flight now, this one included. Every Begin has its End.
  int Begin();
  void End(int status, double seconds);

  // With process_*, sorted by name.
  std::vector<model::MetricFamily> Collect() const;

 private:
  struct Impl;
  const std::unique_ptr<Impl> impl_;
};

}  // namespace exporters
