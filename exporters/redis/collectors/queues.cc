// Job queues: how many jobs wait, run, failed; how old the oldest is; who works. See queues.h.
#include "exporters/redis/queues.h"

#include <chrono>
#include <string>

#include <fmt/format.h>

#include "exporters/redis/context.h"
#include "exporters/redis/memory.h"
#include "exporters/redis/walker.h"
#include "lib/base/duration.h"
#include "lib/base/strings.h"

namespace exporters::redis {
namespace {

constexpr model::LabelNames kLabels = {"db", "system", "queue"};
constexpr auto kCounter = model::MetricType::kCounter;

struct QueueMetric {
  model::MetricDesc desc;
  std::optional<double> QueueFact::*value;
};

constexpr QueueMetric kMetrics[] = {
    {{.name = "redis_queue_depth",
      .help = "Number of jobs that wait to be run now.",
      .labels = kLabels},
     &QueueFact::depth},
    {{.name = "redis_queue_delayed_jobs",
      .help = "Number of jobs that are to run later.",
      .labels = kLabels},
     &QueueFact::delayed},
    {{.name = "redis_queue_running_jobs",
      .help = "Number of jobs that workers have taken and not finished.",
      .labels = kLabels},
     &QueueFact::running},
    {{.name = "redis_queue_failed_jobs",
      .help = "Number of jobs kept as failed for good; systems trim this list.",
      .labels = kLabels},
     &QueueFact::failed},
    {{.name = "redis_queue_retrying_jobs",
      .help = "Number of jobs that failed and will be tried again.",
      .labels = kLabels},
     &QueueFact::retrying},
    {{.name = "redis_queue_overdue_jobs",
      .help = "Number of delayed jobs that were due more than a minute ago and were not taken: "
              "nobody works.",
      .labels = kLabels},
     &QueueFact::overdue},
    {{.name = "redis_queue_expired_reservations",
      .help = "Number of running jobs whose worker has not finished in its time: it died or hangs. "
              "Of BullMQ 0 or 1, about the oldest.",
      .labels = kLabels},
     &QueueFact::expired},
    {{.name = "redis_queue_oldest_job_age_seconds",
      .help = "How long the job that is next has waited, in seconds.",
      .labels = kLabels},
     &QueueFact::oldest_age},
    {{.name = "redis_queue_oldest_running_job_age_seconds",
      .help = "How long the oldest running job has been running, in seconds.",
      .labels = kLabels},
     &QueueFact::oldest_running_age},
    {{.name = "redis_queue_added_total",
      .help = "Jobs ever added.",
      .type = kCounter,
      .labels = kLabels},
     &QueueFact::added},
    {{.name = "redis_queue_processed_total",
      .help = "Jobs that workers have finished.",
      .type = kCounter,
      .labels = kLabels},
     &QueueFact::processed},
    {{.name = "redis_queue_failures_total",
      .help = "Times that a job failed.",
      .type = kCounter,
      .labels = kLabels},
     &QueueFact::failures},
    {{.name = "redis_queue_workers",
      .help = "Number of workers: threads in Sidekiq, processes in RQ, masters in Horizon.",
      .labels = kLabels},
     &QueueFact::workers},
    {{.name = "redis_queue_busy_workers",
      .help = "Number of workers that run a job.",
      .labels = kLabels},
     &QueueFact::busy_workers},
    {{.name = "redis_queue_paused", .help = "Whether the queue is paused.", .labels = kLabels},
     &QueueFact::paused},
};

constexpr model::MetricDesc kDrain{
    .name = "redis_queue_drain_seconds",
    .help =
        "How long until the queue is empty if it goes on as in the last five minutes; +Inf "
        "while it does not shrink.",
    .labels = kLabels};

QueueSet FoundQueues(const Snapshot& snapshot) {
  const QueueOptions& options = snapshot.options->queues;
  QueueSet found(options.named.begin(), options.named.end());
  if (options.discover && snapshot.walk != nullptr) {
    const QueueSet& walked = snapshot.walk->queues.queues();
    found.insert(walked.begin(), walked.end());
  }
  return found;
}

base::Result<void> CollectQueues(const Snapshot& snapshot, Scrape& scrape) {
  if (!snapshot.options->queues.Any() || snapshot.asker == nullptr || snapshot.memory == nullptr) {
    return {};
  }
  const base::MonotonicTime now = std::chrono::steady_clock::now();
  QueueSet known;
  {
    const base::MutexLock lock(snapshot.memory->mutex);
    known = snapshot.memory->queues.Remember(FoundQueues(snapshot), now);
  }
  const double unix_now = base::ToSeconds(std::chrono::system_clock::now().time_since_epoch());
  ASSIGN_OR_RETURN(const std::vector<QueueFact> facts,
                   FetchQueues(*snapshot.asker, known, unix_now, snapshot.deadline));
  const base::MutexLock lock(snapshot.memory->mutex);
  for (const QueueFact& fact : facts) {
    const std::string db = fmt::format("db{}", fact.queue.db);
    const std::string label = base::ToValidUtf8(fact.label);
    for (const QueueMetric& metric : kMetrics) {
      if (const std::optional<double>& value = fact.*metric.value) {
        scrape.Emit(metric.desc, *value, {db, fact.queue.system, label});
      }
    }
    if (!fact.depth.has_value()) {
      continue;
    }
    if (const auto drain = snapshot.memory->queues.DrainSeconds(fact.queue, *fact.depth, now)) {
      scrape.Emit(kDrain, *drain, {db, fact.queue.system, label});
    }
  }
  return {};
}

}  // namespace

extern constexpr RedisCollector kQueues{
    .name = "queues",
    .help =
        "Job queues of Laravel, Horizon, Sidekiq, BullMQ, RQ and Celery (with --queues or "
        "--discover-queues).",
    .collect = CollectQueues};

}  // namespace exporters::redis
