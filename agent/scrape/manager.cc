#include "agent/scrape/manager.h"

#include <algorithm>
#include <optional>
#include <thread>

#include <fmt/format.h>

#include "agent/scrape/http_source.h"
#include "agent/scrape/local_source.h"
#include "agent/scrape/schedule.h"
#include "lib/base/duration.h"
#include "lib/http/client.h"

namespace scrape {

// The thread of one target.
class Manager::Loop {
 public:
  Loop(Plan plan, Manager& manager)
      : manager_(manager),
        plan_(plan),
        scraper_(std::move(plan), manager.store_, manager.clock_, manager.logger_,
                 manager.counters_, &manager.metadata_pool_) {
    Start();
  }
  ~Loop() { StopAndWait(); }
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  TargetStatus Status() const { return scraper_.Status(); }
  TargetMetadata Metadata() const { return scraper_.Metadata(); }
  void RequestStop() { stop_->Request(); }
  void StopAndWait() {
    RequestStop();
    if (thread_.joinable()) {
      thread_.join();
    }
  }

  // Stopped for good.
  void End() {
    StopAndWait();
    scraper_.End(base::ToMillis(manager_.clock_.Now()));
  }

  void Update(Plan plan) {
    const bool same = plan.job->SameAs(*plan_.job) && plan.forced_error == plan_.forced_error &&
                      plan.target.discovered_labels == plan_.target.discovered_labels;
    const bool other_times = plan.target.interval != plan_.target.interval ||
                             plan.target.timeout != plan_.target.timeout;
    if (same && !other_times) {
      return;
    }
    if (other_times) {
      StopAndWait();
    }
    plan_ = plan;
    scraper_.SetPlan(std::move(plan));
    if (other_times) {
      Start();
    }
  }

 private:
  void Start() {
    stop_ = std::make_unique<base::StopSignal>();
    thread_ = std::thread([this, interval = plan_.target.interval, key = plan_.target.Key(),
                           stop = stop_.get()] { Run(interval, key, *stop); });
  }

  void Run(std::chrono::milliseconds interval, const std::string& key,
           const base::StopSignal& stop) {
    const base::Clock& clock = manager_.clock_;
    Schedule schedule(interval, ScrapeOffset(key, manager_.options_.offset_seed, interval), clock);
    while (!clock.SleepUntil(schedule.next(), stop)) {
      scraper_.Scrape(schedule.Timestamp(clock));
      manager_.counters_.skipped_scrapes +=
          static_cast<uint64_t>(schedule.Advance(clock.Monotonic()));
    }
  }

  Manager& manager_;
  Plan plan_;  // The newest.
  Scraper scraper_;
  std::unique_ptr<base::StopSignal> stop_;
  std::thread thread_;
};

// The targets that one job asks for.
struct Manager::Wanted {
  std::string pool;
  std::vector<Plan> plans;
  std::vector<TargetStatus> broken;
  std::vector<DroppedTarget> dropped;
  size_t dropped_count = 0;
};

namespace {

TargetStatus BrokenTarget(const std::string& pool, const Target& target, std::string error) {
  return {.scrape_pool = pool,
          .discovered_labels = target.discovered_labels,
          .labels = target.labels,
          .scrape_url = target.url,
          .last_error = std::move(error),
          .health = Health::kDown,
          .scrape_interval = target.interval,
          .scrape_timeout = target.timeout};
}

Target MakeLocal(const JobOptions& job, const LocalTarget& local) {
  model::LabelsBuilder labels(local.labels);
  labels.Set("job", job.name);
  labels.Set("instance", local.address);
  model::LabelsBuilder discovered = labels;
  discovered.Set("__address__", local.address);
  return {.discovered_labels = discovered.Build(),
          .labels = labels.Build(),
          .url = fmt::format("embedded:{}/{}", local.name, local.address),
          .interval = job.interval,
          .timeout = job.timeout};
}

// Targets of a job that discovery names twice are one.
void RemoveRepeated(std::vector<Plan>* plans) {
  std::vector<Plan> unique;
  std::map<std::string, bool> seen;
  for (Plan& plan : *plans) {
    if (seen.emplace(plan.target.Key(), true).second) {
      unique.push_back(std::move(plan));
    }
  }
  *plans = std::move(unique);
}

}  // namespace

Manager::Manager(ManagerOptions options, storage::Appendable& store, const base::Clock& clock,
                 const base::Logger& logger)
    : options_(std::move(options)), store_(store), clock_(clock), logger_(logger) {}

Manager::~Manager() { Stop(); }

Manager::Wanted Manager::MakeWanted(Job job) const {
  Wanted wanted{.pool = job.options.name};
  const auto options = std::make_shared<const JobOptions>(std::move(job.options));
  const auto client = std::make_shared<http::Client>(options->http);
  for (const discovery::TargetGroup& group : job.groups) {
    for (const std::string& address : group.targets) {
      auto made = MakeTarget(*options, group, address);
      if (!made.ok()) {
        logger_.Warn(
            "target cannot be scraped",
            {{"job", options->name}, {"address", address}, {"error", made.error().message()}});
        Target target{.discovered_labels = group.labels};
        wanted.broken.push_back(BrokenTarget(options->name, target, made.error().message()));
      } else if (!made->target) {
        ++wanted.dropped_count;
        wanted.dropped.push_back({options->name, made->discovered_labels});
      } else {
        auto source = MakeHttpSource(options, client, made->target->url);
        wanted.plans.push_back({*std::move(made->target), options, std::move(source), ""});
      }
    }
  }
  for (const LocalTarget& local : job.locals) {
    wanted.plans.push_back(
        {MakeLocal(*options, local), options, MakeLocalSource(local.exporter, clock_), ""});
  }
  RemoveRepeated(&wanted.plans);
  const uint64_t limit = options->limits.targets;
  if (limit != 0 && wanted.plans.size() > limit) {
    for (Plan& plan : wanted.plans) {
      plan.forced_error =
          fmt::format("target_limit exceeded: {} targets, limit {}", wanted.plans.size(), limit);
    }
  }
  const uint64_t keep = options->limits.keep_dropped_targets;
  wanted.dropped.resize(
      std::min<size_t>(wanted.dropped.size(), keep == 0 ? kMaxDroppedTargets : keep));
  return wanted;
}

void Manager::Apply(std::vector<Job> jobs) {
  const base::MutexLock applying(apply_mutex_);
  const Loops current = CurrentLoops();
  Loops next;
  std::vector<TargetStatus> broken;
  std::vector<DroppedTarget> dropped;
  std::vector<std::pair<std::string, size_t>> dropped_counts;
  for (Job& job : jobs) {
    Wanted wanted = MakeWanted(std::move(job));
    for (Plan& plan : wanted.plans) {
      const std::string key = wanted.pool + '\xff' + plan.target.Key();
      const auto known = current.find(key);
      if (known != current.end()) {
        known->second->Update(std::move(plan));
        next.insert(*known);
      } else if (next.size() < options_.max_targets) {
        next.emplace(key, std::make_shared<Loop>(std::move(plan), *this));
      } else {
        broken.push_back(BrokenTarget(wanted.pool, plan.target,
                                      fmt::format("more than {} targets", options_.max_targets)));
      }
    }
    std::move(wanted.broken.begin(), wanted.broken.end(), std::back_inserter(broken));
    std::move(wanted.dropped.begin(), wanted.dropped.end(), std::back_inserter(dropped));
    dropped_counts.emplace_back(wanted.pool, wanted.dropped_count);
  }
  {
    const base::MutexLock lock(mutex_);
    loops_ = next;
    broken_ = std::move(broken);
    dropped_ = std::move(dropped);
    dropped_counts_ = std::move(dropped_counts);
  }
  EndAllBut(next, current);
}

// Ends those of `loops` that are not in `kept`; their running scrapes end side by side.
void Manager::EndAllBut(const Loops& kept, const Loops& loops) {
  for (const auto& [key, loop] : loops) {
    if (kept.find(key) == kept.end()) {
      loop->RequestStop();
    }
  }
  for (const auto& [key, loop] : loops) {
    if (kept.find(key) == kept.end()) {
      loop->End();
    }
  }
}

Manager::Loops Manager::CurrentLoops() const {
  const base::MutexLock lock(mutex_);
  return loops_;
}

void Manager::Stop() {
  const base::MutexLock applying(apply_mutex_);
  Loops loops = CurrentLoops();
  for (const auto& [key, loop] : loops) {
    loop->RequestStop();
  }
  for (const auto& [key, loop] : loops) {
    loop->StopAndWait();
  }
}

TargetsStatus Manager::Status() const {
  TargetsStatus status;
  Loops loops;
  {
    const base::MutexLock lock(mutex_);
    loops = loops_;
    status.active = broken_;
    status.dropped = dropped_;
    status.dropped_counts = dropped_counts_;
  }
  for (const auto& [key, loop] : loops) {
    status.active.push_back(loop->Status());
  }
  for (TargetStatus& target : status.active) {
    target.global_url = GlobalUrl(target.scrape_url, options_.host_name);
  }
  std::sort(
      status.active.begin(), status.active.end(), [](const TargetStatus& a, const TargetStatus& b) {
        return a.scrape_pool != b.scrape_pool ? a.scrape_pool < b.scrape_pool : a.labels < b.labels;
      });
  return status;
}

std::vector<TargetMetadata> Manager::Metadata() const {
  std::vector<TargetMetadata> metadata;
  for (const auto& [key, loop] : CurrentLoops()) {
    metadata.push_back(loop->Metadata());
  }
  std::sort(metadata.begin(), metadata.end(), [](const auto& a, const auto& b) {
    return a.scrape_pool != b.scrape_pool ? a.scrape_pool < b.scrape_pool : a.target < b.target;
  });
  return metadata;
}

std::vector<model::MetricFamily> Manager::Metrics() const { return CounterFamilies(counters_); }

}  // namespace scrape
