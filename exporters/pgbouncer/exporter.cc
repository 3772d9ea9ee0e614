#include "exporters/pgbouncer/exporter.h"

#include <utility>

#include "exporters/pgbouncer/collectors.h"
#include "exporters/pgbouncer/console.h"

namespace exporters::pgbouncer {
namespace {

constexpr model::MetricDesc kUp{.name = "pgbouncer_up",
                                .help = "Whether PgBouncer's console answered in this scrape."};
constexpr model::MetricDesc kProbeFailure{
    .name = "pgbouncer_probe_failure",
    .help = "Why pgbouncer_up is 0: 1 for the reason, 0 for all others.",
    .labels = {"reason"}};

}  // namespace

PgBouncerExporter::PgBouncerExporter(Options options, const base::Logger& logger)
    : options_(std::move(options)),
      logger_(logger),
      collectors_(AllCollectors(), options_.collectors, "pgbouncer", logger) {}

base::Result<std::vector<model::MetricFamily>> PgBouncerExporter::Collect(
    const ScrapeRequest& request) {
  ASSIGN_OR_RETURN(const auto rows, collectors_.Select(request));
  Scrape scrape(request.deadline);
  Console console(options_.connection, resolver_, keys_);
  base::Result<Snapshot> snapshot = console.Fetch(request.deadline, options_.max_listed_clients);
  if (snapshot.ok()) {
    snapshot->pid_file = options_.pid_file;
    ReportState(std::nullopt, console.failure_reason(), scrape);
    collectors_.Run(rows, *snapshot, scrape);
  } else {
    ReportState(snapshot.error(), console.failure_reason(), scrape);
  }
  return scrape.TakeFamilies();
}

void PgBouncerExporter::ReportState(const std::optional<base::Error>& error, FailureReason reason,
                                    Scrape& scrape) {
  scrape.Emit(kUp, error.has_value() ? 0 : 1);
  for (const FailureReason each : kAllFailureReasons) {
    scrape.Emit(kProbeFailure, error.has_value() && each == reason ? 1 : 0,
                {FailureReasonName(each)});
  }
  const std::string name = error.has_value() ? std::string(FailureReasonName(reason)) : "";
  {
    const base::MutexLock lock(mutex_);
    if (last_failure_ == name) {
      return;
    }
    last_failure_ = name;
  }
  if (error.has_value()) {
    logger_.Warn("PgBouncer cannot be read", {{"reason", name}, {"err", error->message()}});
  } else {
    logger_.Info("PgBouncer can be read again", {{"address", options_.connection.ToString()}});
  }
}

}  // namespace exporters::pgbouncer
