// What the agent says about itself on /metrics, and scrapes from itself.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <vector>

#include "agent/storage/store.h"
#include "exporters/toolkit/exporter.h"
#include "lib/model/metric_family.h"

namespace agent {

// Requests by status code, in a prometheus-cpp registry. Thread-safe.
class RequestCounter {
 public:
  RequestCounter();
  ~RequestCounter();

  void Count(int status, std::chrono::nanoseconds took);
  std::vector<model::MetricFamily> Metrics() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

std::vector<model::MetricFamily> StoreFamilies(const storage::StoreStats& stats);

// tarsier_agent_build_info.
model::MetricFamily BuildInfo();

using FamiliesFunc = std::function<std::vector<model::MetricFamily>()>;

// `families` as an exporter, so that the agent is a target of its own.
std::unique_ptr<exporters::Exporter> MakeSelfExporter(FamiliesFunc families);

}  // namespace agent
