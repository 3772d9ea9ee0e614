// The pages of an exporter, from request to response, without a socket.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "exporters/toolkit/exporter.h"
#include "exporters/toolkit/exporter_main.h"
#include "exporters/toolkit/self_metrics.h"
#include "lib/http/message.h"
#include "lib/http/router.h"
#include "lib/model/metric_family.h"

namespace exporters {

struct FrontOptions {
  std::string name;
  std::string description;
  std::vector<std::pair<std::string, std::string>> build_info;  // Label pairs.
  std::string build_info_name;                                  // "node_exporter_build_info".
  std::string telemetry_path = "/metrics";
  int max_requests = 40;  // Scrapes at once; more are answered 503. 0 is no limit.
  bool exporter_metrics = true;
};

// Thread-safe. `exporter` and `routes` must outlive it.
class ExporterFront {
 public:
  ExporterFront(FrontOptions options, Exporter& exporter, const std::vector<Route>& routes);

  http::Response Handle(const http::Request& request);

 private:
  http::Response Landing() const;
  http::Response Metrics(const http::Request& request);
  http::Response Scrape(const http::Request& request);
  void AddOwn(std::vector<model::MetricFamily>* families) const;

  const FrontOptions options_;
  Exporter& exporter_;
  const std::vector<Route>& routes_;
  const model::DescPtr build_info_;
  SelfMetrics self_;
  const http::Router router_;
};

}  // namespace exporters
