#include "exporters/host/host_exporter.h"

#include <utility>

#include "exporters/host/collectors.h"
#include "exporters/host/context.h"

namespace exporters::host {

struct HostExporter::Impl {
  Impl(HostOptions host_options, Filters filters, const base::Logger& logger,
       const base::Clock& clock)
      : options(std::move(host_options)),
        collectors(Collectors(), options.collectors, "node", logger),
        context(options, std::move(filters), logger, clock) {}

  const HostOptions options;
  CollectorSet<Context> collectors;
  Context context;
};

base::Result<std::unique_ptr<HostExporter>> HostExporter::Make(HostOptions options,
                                                               const base::Logger& logger,
                                                               const base::Clock& clock) {
  ASSIGN_OR_RETURN(Filters filters, Filters::Make(options));
  return std::unique_ptr<HostExporter>(new HostExporter(
      std::make_unique<Impl>(std::move(options), std::move(filters), logger, clock)));
}

HostExporter::HostExporter(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

HostExporter::~HostExporter() = default;

// One at a time: a collection takes a fraction of a millisecond, and a stuck mount is bounded by
// the deadline; kept file descriptors and counters need no further locks then.
base::Result<std::vector<model::MetricFamily>> HostExporter::Collect(const ScrapeRequest& request) {
  base::MutexLock lock(mutex_);
  ASSIGN_OR_RETURN(const auto rows, impl_->collectors.Select(request));
  Scrape scrape(request.deadline);
  impl_->context.BeginScrape();
  impl_->collectors.Run(rows, impl_->context, scrape);
  return scrape.TakeFamilies();
}

std::vector<CollectorRow> HostCollectorRows() {
  std::vector<CollectorRow> rows;
  for (const HostCollector* const collector : Collectors()) {
    rows.push_back({.name = collector->name,
                    .help = collector->help,
                    .enabled_by_default = collector->enabled_by_default});
  }
  return rows;
}

}  // namespace exporters::host
