// Keeps the set of targets and scrapes each on its schedule.
//
// Every target has a thread of its own. A scrape is mostly waiting, so threads cost little, and a
// target that hangs until its timeout can hold up nobody; a pool of any fixed size could be filled
// by hanging targets. `max_targets` bounds them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "agent/discovery/target_group.h"
#include "agent/scrape/counters.h"
#include "agent/scrape/job.h"
#include "agent/scrape/metadata.h"
#include "agent/scrape/scraper.h"
#include "agent/scrape/status.h"
#include "agent/scrape/target.h"
#include "agent/storage/appender.h"
#include "exporters/toolkit/exporter.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/base/mutex.h"

namespace scrape {

inline constexpr size_t kMaxTargets = 2048;

// An exporter in this process that is a target.
struct LocalTarget {
  std::string name;           // "postgres"
  std::string address;        // What it watches, "127.0.0.1:5432": the `instance`.
  model::Labels labels = {};  // More labels.
  std::shared_ptr<exporters::Exporter> exporter;
};

struct Job {
  JobOptions options;
  std::vector<discovery::TargetGroup> groups = {};
  std::vector<LocalTarget> locals = {};
};

struct ManagerOptions {
  size_t max_targets = kMaxTargets;
  uint64_t offset_seed = 0;  // Spreads the scrapes of several agents of the same targets.
  std::string host_name;     // For global URLs.
};

// Thread-safe.
class Manager {
 public:
  // The references must outlive the manager.
  Manager(ManagerOptions options, storage::Appendable& store, const base::Clock& clock,
          const base::Logger& logger);
  ~Manager();  // Stops.

  Manager(const Manager&) = delete;
  Manager& operator=(const Manager&) = delete;

  // What is to be scraped from now on. Targets that were there before go on undisturbed; those that
  // are gone get stale markers. Waits for running scrapes of targets that stop.
  void Apply(std::vector<Job> jobs);

  // Waits for running scrapes. No stale markers: the next start goes on with the series.
  void Stop();

  TargetsStatus Status() const;
  std::vector<TargetMetadata> Metadata() const;
  std::vector<model::MetricFamily> Metrics() const;

 private:
  class Loop;
  struct Wanted;
  using Loops = std::map<std::string, std::shared_ptr<Loop>>;  // By job and target.

  Wanted MakeWanted(Job job) const;
  Loops CurrentLoops() const;
  static void EndAllBut(const Loops& kept, const Loops& loops);

  const ManagerOptions options_;
  storage::Appendable& store_;
  const base::Clock& clock_;
  const base::Logger& logger_;
  Counters counters_;
  MetadataPool metadata_pool_;

  base::Mutex apply_mutex_;  // One Apply or Stop at a time; taken before mutex_.
  mutable base::Mutex mutex_;
  Loops loops_ GUARDED_BY(mutex_);
  std::vector<TargetStatus> broken_ GUARDED_BY(mutex_);  // Targets that cannot be scraped at all.
  std::vector<DroppedTarget> dropped_ GUARDED_BY(mutex_);
  std::vector<std::pair<std::string, size_t>> dropped_counts_ GUARDED_BY(mutex_);
};

}  // namespace scrape
