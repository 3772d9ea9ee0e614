#include "exporters/redis/exporter.h"

#include <chrono>
#include <utility>

#include "exporters/redis/collectors.h"
#include "lib/base/duration.h"

namespace exporters::redis {
namespace {

using std::chrono::steady_clock;

constexpr model::MetricDesc kUp{.name = "redis_up",
                                .help = "Whether the server answered INFO in this scrape."};
constexpr model::MetricDesc kProbeFailure{
    .name = "redis_probe_failure",
    .help = "Why redis_up is 0: 1 for the reason, 0 for all others.",
    .labels = {"reason"}};
// redis_exporter puts the error's text into the label; this is the reason, one of a closed set.
constexpr model::MetricDesc kLastError{.name = "redis_exporter_last_scrape_error",
                                       .help = "Whether this scrape failed, and why.",
                                       .labels = {"err"}};
constexpr model::MetricDesc kLastDuration{.name = "redis_exporter_last_scrape_duration_seconds",
                                          .help = "How long this scrape took, in seconds."};
constexpr model::MetricDesc kConnectTime{
    .name = "redis_exporter_last_scrape_connect_time_seconds",
    .help = "How long the connection in use took to make, in seconds."};
constexpr model::MetricDesc kPingTime{.name = "redis_exporter_last_scrape_ping_time_seconds",
                                      .help = "How long the server took for PING, in seconds."};
constexpr model::MetricDesc kScrapes{.name = "redis_exporter_scrapes_total",
                                     .help = "Scrapes since the exporter was started.",
                                     .type = model::MetricType::kCounter};
constexpr model::MetricDesc kDurations{.name = "redis_exporter_scrape_duration_seconds",
                                       .help = "How long scrapes took, in seconds.",
                                       .type = model::MetricType::kSummary};

// Key groups are no part of this exporter; the family is one of redis_exporter's defaults, and so a
// line of somebody's dashboard.
constexpr model::MetricDesc kKeyGroupsDuration{
    .name = "redis_last_key_groups_scrape_duration_milliseconds",
    .help = "How long this scrape spent on key groups, in milliseconds; there are none, so 0."};

void EmitConnection(const Snapshot& snapshot, Scrape& scrape) {
  scrape.Emit(kConnectTime, snapshot.connect_seconds);
  if (snapshot.ping_seconds.has_value()) {
    scrape.Emit(kPingTime, *snapshot.ping_seconds);
  }
}

}  // namespace

RedisExporter::RedisExporter(Options options, const base::Logger& logger)
    : options_(std::move(options)),
      logger_(logger),
      collectors_(AllCollectors(), options_.collectors, "redis", logger),
      names_(options_.metric_namespace) {}

base::Result<std::vector<model::MetricFamily>> RedisExporter::Collect(
    const ScrapeRequest& request) {
  const base::MonotonicTime start = steady_clock::now();
  ASSIGN_OR_RETURN(const auto rows, collectors_.Select(request));
  Scrape scrape(request.deadline);
  std::unique_ptr<Session> session = TakeSession();
  const base::Result<Snapshot> snapshot = session->Fetch(request.deadline);
  if (snapshot.ok()) {
    ReportState(std::nullopt, session->failure_reason(), scrape);
    EmitConnection(*snapshot, scrape);
    collectors_.Run(rows, *snapshot, scrape);
  } else {
    ReportState(snapshot.error(), session->failure_reason(), scrape);
  }
  KeepSession(std::move(session));
  ReportSelf(base::ToSeconds(steady_clock::now() - start), scrape);
  std::vector<model::MetricFamily> families = scrape.TakeFamilies();
  names_.Rename(&families);
  return families;
}

std::unique_ptr<Session> RedisExporter::TakeSession() {
  {
    const base::MutexLock lock(mutex_);
    if (idle_ != nullptr) {
      return std::move(idle_);
    }
  }
  return std::make_unique<Session>(options_, resolver_);
}

void RedisExporter::KeepSession(std::unique_ptr<Session> session) {
  const base::MutexLock lock(mutex_);
  idle_.swap(session);  // One more than needed is closed outside the lock.
}

void RedisExporter::ReportState(const std::optional<base::Error>& error, FailureReason reason,
                                Scrape& scrape) {
  scrape.Emit(kUp, error.has_value() ? 0 : 1);
  for (const FailureReason each : kAllFailureReasons) {
    scrape.Emit(kProbeFailure, error.has_value() && each == reason ? 1 : 0,
                {FailureReasonName(each)});
  }
  const std::string name = error.has_value() ? std::string(FailureReasonName(reason)) : "";
  scrape.Emit(kLastError, error.has_value() ? 1 : 0, {name});
  {
    const base::MutexLock lock(mutex_);
    if (last_failure_ == name) {
      return;
    }
    last_failure_ = name;
  }
  if (error.has_value()) {
    logger_.Warn("Redis cannot be read", {{"reason", name}, {"err", error->message()}});
  } else {
    logger_.Info("Redis can be read again", {{"address", options_.address.ToString()}});
  }
}

void RedisExporter::ReportSelf(double seconds, Scrape& scrape) {
  auto summary = std::make_unique<model::Summary>();
  {
    const base::MutexLock lock(mutex_);
    ++scrapes_;
    scrape_seconds_ += seconds;
    summary->count = static_cast<double>(scrapes_);
    summary->sum = scrape_seconds_;
  }
  scrape.Emit(kKeyGroupsDuration, 0);
  scrape.Emit(kScrapes, summary->count);
  scrape.Emit(kLastDuration, seconds);
  scrape.Emit(kDurations, model::Metric{.summary = std::move(summary)});
}

}  // namespace exporters::redis
