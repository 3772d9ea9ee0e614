// The PgBouncer exporter as a value: options in, families out. The binary's main and the agent both
// make one.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "exporters/pgbouncer/context.h"
#include "exporters/pgbouncer/failure.h"
#include "exporters/pgbouncer/options.h"
#include "exporters/pgbouncer/scram.h"
#include "exporters/toolkit/collector_set.h"
#include "exporters/toolkit/exporter.h"
#include "exporters/toolkit/resolver.h"
#include "lib/base/log.h"
#include "lib/base/mutex.h"
#include "lib/base/result.h"
#include "lib/model/metric_family.h"

namespace exporters::pgbouncer {

// Thread-safe.
class PgBouncerExporter final : public Exporter {
 public:
  // `logger` must outlive the exporter. The server need not be up.
  PgBouncerExporter(Options options, const base::Logger& logger);

  base::Result<std::vector<model::MetricFamily>> Collect(const ScrapeRequest& request) override;

 private:
  // Emits pgbouncer_up and why it is 0; logs when that changes.
  void ReportState(const std::optional<base::Error>& error, FailureReason reason, Scrape& scrape);

  const Options options_;
  const base::Logger& logger_;
  Resolver resolver_;
  ScramKeyCache keys_;
  CollectorSet<const Snapshot> collectors_;

  base::Mutex mutex_;
  std::string last_failure_ GUARDED_BY(mutex_);
};

}  // namespace exporters::pgbouncer
