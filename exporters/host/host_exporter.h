// Metrics of the machine: the exporter behind tarsier-host, and the one that the agent embeds.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "exporters/host/options.h"
#include "exporters/toolkit/exporter.h"
#include "exporters/toolkit/flags.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/base/mutex.h"
#include "lib/base/result.h"

namespace exporters::host {

// Thread-safe; scrapes run one after the other. Two of them in one process do not see each other.
class HostExporter final : public Exporter {
 public:
  // `logger` and `clock` must outlive the exporter. Errors: kInvalidArgument for a bad filter.
  static base::Result<std::unique_ptr<HostExporter>> Make(HostOptions options,
                                                          const base::Logger& logger,
                                                          const base::Clock& clock);
  ~HostExporter() override;

  base::Result<std::vector<model::MetricFamily>> Collect(const ScrapeRequest& request) override;

 private:
  struct Impl;
  explicit HostExporter(std::unique_ptr<Impl> impl);

  base::Mutex mutex_;
  const std::unique_ptr<Impl> impl_ PT_GUARDED_BY(mutex_);
};

// The table of collectors, for --help and --collector.NAME.
std::vector<CollectorRow> HostCollectorRows();

}  // namespace exporters::host
