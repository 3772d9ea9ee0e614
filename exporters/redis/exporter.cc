#include "exporters/redis/exporter.h"

#include <algorithm>
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

constexpr model::MetricDesc kTargetErrors{
    .name = "redis_target_scrape_request_errors_total",
    .help = "Requests to /scrape that were refused: no or a bad target, not allowed, too many.",
    .type = model::MetricType::kCounter};
constexpr model::MetricDesc kOff{
    .name = "redis_collector_off",
    .help =
        "1 for a collector that the server does not let work: no permission (noperm), or a "
        "command it does not know (unknown_command).",
    .labels = {"collector", "reason"}};

// The first scrape waits this long for the first walk through the keys, so that small servers show
// everything from the start.
constexpr std::chrono::seconds kFirstWalkTime{2};

base::Result<std::unique_ptr<Walker>> MakeWalker(const Options& options, Resolver& resolver,
                                                 const base::Logger& logger) {
  if (!options.keys.NeedsWalk() && !options.queues.discover) {
    return std::unique_ptr<Walker>();
  }
  return Walker::Start(options, resolver, logger);
}

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
      names_(options_.metric_namespace),
      walker_(MakeWalker(options_, resolver_, logger_)) {}

base::Result<void> CheckOptions(const Options& options) {
  for (const std::string& pattern : options.keys.groups) {
    RETURN_IF_ERROR(LuaPattern::Parse(pattern));
  }
  return {};
}

base::Result<std::vector<model::MetricFamily>> RedisExporter::Collect(
    const ScrapeRequest& request) {
  const base::MonotonicTime start = steady_clock::now();
  ASSIGN_OR_RETURN(const auto rows, collectors_.Select(request));
  Scrape scrape(request.deadline);
  std::unique_ptr<Conversation> conversation = TakeConversation();
  Session* session = &conversation->session();
  base::Result<Snapshot> snapshot = session->Fetch(request.deadline);
  if (snapshot.ok()) {
    ReportState(std::nullopt, session->failure_reason(), scrape);
    EmitConnection(*snapshot, scrape);
    RunCollectors(rows, conversation.get(), &*snapshot, scrape);
  } else {
    ReportState(snapshot.error(), session->failure_reason(), scrape);
  }
  KeepConversation(std::move(conversation));
  ReportSelf(base::ToSeconds(steady_clock::now() - start), scrape);
  std::vector<model::MetricFamily> families = scrape.TakeFamilies();
  names_.Rename(&families);
  return families;
}

std::unique_ptr<Conversation> RedisExporter::TakeConversation() {
  {
    const base::MutexLock lock(mutex_);
    if (idle_ != nullptr) {
      return std::move(idle_);
    }
  }
  return std::make_unique<Conversation>(options_, resolver_);
}

void RedisExporter::KeepConversation(std::unique_ptr<Conversation> conversation) {
  const base::MutexLock lock(mutex_);
  idle_.swap(conversation);  // One more than needed is closed outside the lock.
}

void RedisExporter::RunCollectors(std::span<const RedisCollector* const> rows,
                                  Conversation* conversation, Snapshot* snapshot, Scrape& scrape) {
  std::shared_ptr<const WalkResult> walk;
  if (walker_.ok() && *walker_ != nullptr) {
    walk = (*walker_)->Latest(std::min<base::MonotonicTime>(
        scrape.deadline() - std::chrono::milliseconds(100), steady_clock::now() + kFirstWalkTime));
  }
  snapshot->asker = conversation;
  snapshot->memory = &memory_;
  snapshot->walk = walk.get();
  snapshot->key_checks = options_.keys_on_masters || snapshot->info.Get("role") != "master";
  for (const RedisCollector* row : rows) {
    const base::MonotonicTime start = steady_clock::now();
    const base::Result<void> outcome =
        start >= scrape.deadline()
            ? base::Result<void>(base::Error("not started: the scrape's deadline had passed",
                                             base::ErrorKind::kDeadlineExceeded))
            : row->collect(*snapshot, scrape);
    collectors_.outcomes().Report(row->name, base::ToSeconds(steady_clock::now() - start), outcome,
                                  scrape);
    if (!outcome.ok() && outcome.error().kind() == base::ErrorKind::kPermissionDenied) {
      scrape.Emit(kOff, 1, {row->name, "noperm"});
    } else if (!outcome.ok() && outcome.error().kind() == base::ErrorKind::kUnsupported) {
      scrape.Emit(kOff, 1, {row->name, "unknown_command"});
    }
  }
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
  if (options_.target_errors != nullptr) {
    scrape.Emit(kTargetErrors, static_cast<double>(options_.target_errors->load()));
  }
  scrape.Emit(kScrapes, summary->count);
  scrape.Emit(kLastDuration, seconds);
  scrape.Emit(kDurations, model::Metric{.summary = std::move(summary)});
}

}  // namespace exporters::redis
