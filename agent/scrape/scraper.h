// Scrapes one target: fetch, relabel, append, stale markers, report series.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "agent/scrape/counters.h"
#include "agent/scrape/job.h"
#include "agent/scrape/metadata.h"
#include "agent/scrape/refusal.h"
#include "agent/scrape/series_cache.h"
#include "agent/scrape/source.h"
#include "agent/scrape/status.h"
#include "agent/scrape/target.h"
#include "agent/storage/appender.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/base/mutex.h"

namespace scrape {

// What is scraped and how; replaced as a whole when the configuration changes.
struct Plan {
  Target target;
  std::shared_ptr<const JobOptions> job;
  std::shared_ptr<Source> source;
  // Not empty: every scrape fails with it, as when a job has more targets than target_limit.
  std::string forced_error;
};

// Scrape and End belong to one thread at a time; Status and SetPlan are thread-safe.
class Scraper {
 public:
  // The references must outlive the scraper.
  // Without a pool no metadata is kept.
  Scraper(Plan plan, storage::Appendable& store, const base::Clock& clock,
          const base::Logger& logger, Counters& counters, MetadataPool* pool = nullptr);

  // One scrape, its samples stamped with `timestamp_ms`.
  void Scrape(int64_t timestamp_ms);
  // The target is gone: stale markers for everything it had.
  void End(int64_t timestamp_ms);

  // From the next scrape on. The labels of the target must be those it has.
  void SetPlan(Plan plan);
  TargetStatus Status() const;
  TargetMetadata Metadata() const;

 private:
  struct Report;
  class Ingest;

  void DescribePlanLocked(const Plan& plan) REQUIRES_LOCK(mutex_);
  void TakePlan();
  base::Result<void> FetchAndAppend(int64_t timestamp_ms, Report* report);
  base::Result<void> AppendPage(const Page& page, int64_t timestamp_ms, Report* report);
  void PublishMetadata(std::map<std::string, scrape::Metadata>&& metadata);
  void AppendStaleMarkers(storage::Appender& appender,
                          const std::vector<storage::SeriesRef>& series, int64_t timestamp_ms);
  void MarkAllStale(int64_t timestamp_ms);
  void AppendReport(const Report& report, bool stale, int64_t timestamp_ms);
  void AppendReportSample(storage::Appender& appender, std::string_view name, double value,
                          int64_t timestamp_ms);
  void NoteRefused(const Refusal& refused);
  void Publish(const Report& report, const base::Result<void>& outcome);

  storage::Appendable& store_;
  const base::Clock& clock_;
  const base::Logger& logger_;
  Counters& counters_;

  MetadataPool* const pool_;

  // Of the scraping thread.
  Plan plan_;
  SeriesCache cache_;
  int64_t last_timestamp_ms_ = 0;
  bool refusing_ = false;
  std::map<std::string_view, storage::SeriesRef> report_refs_;  // By name; literals.

  // Metadata is read again when this is 0: it seldom changes, and reading it costs as much as the
  // samples.
  int scrapes_until_metadata_ = 0;

  mutable base::Mutex mutex_;
  std::vector<MetadataPtr> metadata_ GUARDED_BY(mutex_);
  TargetStatus status_ GUARDED_BY(mutex_);
  Plan next_plan_ GUARDED_BY(mutex_);
  bool plan_changed_ GUARDED_BY(mutex_) = false;
};

}  // namespace scrape
