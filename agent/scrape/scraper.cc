#include "agent/scrape/scraper.h"

#include <algorithm>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "agent/scrape/sample_labels.h"
#include "lib/base/duration.h"
#include "lib/base/url.h"
#include "lib/model/sample.h"

namespace scrape {

using base::Error;
using base::ErrorKind;

constexpr int kMetadataPeriod = 20;  // In scrapes.

// What the report series say about one scrape.
struct Scraper::Report {
  bool up = false;
  std::chrono::nanoseconds duration{0};
  uint64_t scraped = 0;
  uint64_t after_relabelling = 0;
  uint64_t added = 0;
  int64_t body_bytes = 0;  // -1 when the body was too long.
  Refusal refused;
};

// Puts the samples of one page into an appender.
class Scraper::Ingest final : public SampleVisitor {
 public:
  Ingest(Scraper& scraper, storage::Appender& appender, int64_t timestamp_ms, Report* report)
      : scraper_(scraper),
        job_(*scraper.plan_.job),
        cache_(scraper.cache_),
        appender_(appender),
        timestamp_ms_(timestamp_ms),
        report_(report) {}

  std::string_view Expected() const override { return cache_.Expected(); }

  bool WantsMetadata() const override {
    return scraper_.pool_ != nullptr && scraper_.scrapes_until_metadata_ == 0;
  }
  void Describe(const PageMetadata& line) override {
    const auto [at, inserted] = metadata_.try_emplace(std::string(line.metric));
    if (inserted && metadata_.size() > kMaxMetadataPerTarget) {
      metadata_.erase(at);
      return;
    }
    scrape::Metadata& metadata = at->second;
    metadata.metric = line.metric;
    if (line.type || metadata.type.empty()) {
      metadata.type = model::OpenMetricsTypeName(line.type.value_or(model::MetricType::kUntyped));
    }
    metadata.help = line.help ? std::string(line.help->substr(0, kMaxHelpBytes)) : metadata.help;
    metadata.unit = line.unit ? std::string(*line.unit) : metadata.unit;
  }
  std::map<std::string, scrape::Metadata> TakeMetadata() { return std::move(metadata_); }

  base::Result<void> Visit(const PageSample& sample, const LabelSource& labels) override {
    ++report_->scraped;
    SeriesCache::Entry* entry = cache_.Find(sample.series);
    if (entry != nullptr && entry->dropped) {
      MarkSeenOnce(*entry);
      return {};
    }
    if (entry == nullptr || entry->ref == 0) {
      return VisitUnknown(sample, labels, entry);
    }
    return VisitKnown(sample, labels, *entry);
  }

  bool TakeSeriesSlot() {
    if (job_.limits.series == 0 || cache_.size() < job_.limits.series) {
      return true;
    }
    if (!kept_) {
      kept_ = cache_.CountKept();
    }
    return (*kept_)++ < job_.limits.series;
  }

  base::Result<void> Finish() const {
    const uint64_t limit = job_.limits.samples;
    if (limit == 0 || report_->after_relabelling <= limit) {
      return {};
    }
    ++scraper_.counters_.sample_limit_hits;
    return Error(fmt::format("sample_limit exceeded: {} samples, limit {}",
                             report_->after_relabelling, limit),
                 ErrorKind::kResourceExhausted);
  }

 private:
  base::Result<void> VisitUnknown(const PageSample& sample, const LabelSource& source,
                                  SeriesCache::Entry* entry) {
    ASSIGN_OR_RETURN(const std::optional<model::Labels> labels, Stored(source));
    report_->after_relabelling += labels ? 1U : 0U;
    if (OverSampleLimit()) {
      return {};
    }
    const bool is_new = entry == nullptr;
    if (is_new && labels && !TakeSeriesSlot()) {
      report_->refused.Add(*labels);
      return {};
    }
    if (is_new) {
      entry = &cache_.Add(sample.series);
    }
    if (IsDuplicate(*entry, sample)) {
      return {};
    }
    MarkSeenOnce(*entry);
    if (!labels) {
      entry->dropped = true;
      return {};
    }
    if (AppendByLabels(*labels, sample, *entry) && is_new) {
      ++report_->added;
    }
    return {};
  }

  base::Result<void> VisitKnown(const PageSample& sample, const LabelSource& source,
                                SeriesCache::Entry& entry) {
    ++report_->after_relabelling;
    if (IsDuplicate(entry, sample) || OverSampleLimit()) {
      return {};
    }
    MarkSeenOnce(entry);
    SetTracked(sample, &entry);
    const auto appended = appender_.Append(entry.ref, TimestampOf(sample), sample.value);
    if (appended.ok()) {
      return {};
    }
    if (appended.error().kind() != ErrorKind::kNotFound) {
      Count(appended.error());
      return {};
    }
    // The store dropped the series meanwhile.
    ASSIGN_OR_RETURN(const std::optional<model::Labels> labels, Stored(source));
    if (labels) {
      AppendByLabels(*labels, sample, entry);
    }
    return {};
  }

  base::Result<std::optional<model::Labels>> Stored(const LabelSource& source) const {
    model::LabelsBuilder builder;
    source.BuildLabels(&builder);
    ASSIGN_OR_RETURN(std::optional<model::Labels> labels,
                     StoredLabels(scraper_.plan_.target.labels, job_, std::move(builder)));
    if (labels) {
      if (auto checked = CheckLabelLimits(*labels, job_.limits); !checked.ok()) {
        ++scraper_.counters_.label_limit_hits;
        return checked.error();
      }
    }
    return labels;
  }

  bool AppendByLabels(const model::Labels& labels, const PageSample& sample,
                      SeriesCache::Entry& entry) {
    SetTracked(sample, &entry);
    const auto ref = appender_.Append(labels, TimestampOf(sample), sample.value);
    if (!ref.ok()) {
      entry.ref = 0;
      Count(ref.error());
      return false;
    }
    entry.ref = *ref;
    return true;
  }

  void MarkSeenOnce(SeriesCache::Entry& entry) {
    if (!cache_.SeenBefore(entry)) {
      cache_.MarkSeen(entry);
    }
  }

  // With a time stamp of its own a series may come several times.
  bool IsDuplicate(const SeriesCache::Entry& entry, const PageSample& sample) {
    if (!cache_.SeenBefore(entry) || ExplicitTime(sample)) {
      return false;
    }
    ++scraper_.counters_.duplicate_samples;
    return true;
  }

  bool OverSampleLimit() const {
    return job_.limits.samples != 0 && report_->after_relabelling > job_.limits.samples;
  }

  bool ExplicitTime(const PageSample& sample) const {
    return job_.honor_timestamps && sample.timestamp_ms.has_value();
  }

  int64_t TimestampOf(const PageSample& sample) const {
    return ExplicitTime(sample) ? *sample.timestamp_ms : timestamp_ms_;
  }

  void SetTracked(const PageSample& sample, SeriesCache::Entry* entry) const {
    entry->tracked = !ExplicitTime(sample) || job_.track_timestamps_staleness;
  }

  void Count(const Error& error) {
    ++(error.kind() == ErrorKind::kResourceExhausted ? scraper_.counters_.refused_series
                                                     : scraper_.counters_.rejected_samples);
  }

  Scraper& scraper_;
  const JobOptions& job_;
  SeriesCache& cache_;
  storage::Appender& appender_;
  const int64_t timestamp_ms_;
  Report* const report_;
  std::map<std::string, scrape::Metadata> metadata_;
  std::optional<size_t> kept_;  // Series of the target; counted only near the limit.
};

Scraper::Scraper(Plan plan, storage::Appendable& store, const base::Clock& clock,
                 const base::Logger& logger, Counters& counters, MetadataPool* pool)
    : store_(store),
      clock_(clock),
      logger_(logger),
      counters_(counters),
      pool_(pool),
      plan_(std::move(plan)) {
  const base::MutexLock lock(mutex_);
  DescribePlanLocked(plan_);
}

void Scraper::DescribePlanLocked(const Plan& plan) {
  status_.scrape_pool = plan.job->name;
  status_.discovered_labels = plan.target.discovered_labels;
  status_.labels = plan.target.labels;
  status_.scrape_url = base::RedactUrls(plan.target.url);
  status_.scrape_interval = plan.target.interval;
  status_.scrape_timeout = plan.target.timeout;
}

void Scraper::SetPlan(Plan plan) {
  const base::MutexLock lock(mutex_);
  DescribePlanLocked(plan);
  next_plan_ = std::move(plan);
  plan_changed_ = true;
}

TargetStatus Scraper::Status() const {
  const base::MutexLock lock(mutex_);
  return status_;
}

TargetMetadata Scraper::Metadata() const {
  const base::MutexLock lock(mutex_);
  return {.scrape_pool = status_.scrape_pool, .target = status_.labels, .metrics = metadata_};
}

void Scraper::PublishMetadata(std::map<std::string, scrape::Metadata>&& metadata) {
  std::vector<MetadataPtr> interned;
  interned.reserve(metadata.size());
  for (auto& [metric, one] : metadata) {
    interned.push_back(pool_->Intern(std::move(one)));
  }
  const base::MutexLock lock(mutex_);
  metadata_ = std::move(interned);
}

void Scraper::TakePlan() {
  const base::MutexLock lock(mutex_);
  if (!plan_changed_) {
    return;
  }
  plan_changed_ = false;
  if (!next_plan_.job->SameAs(*plan_.job)) {
    cache_.ForgetMeanings();
  }
  plan_ = std::move(next_plan_);
}

void Scraper::Scrape(int64_t timestamp_ms) {
  TakePlan();
  last_timestamp_ms_ = timestamp_ms;
  Report report;
  const base::MonotonicTime start = clock_.Monotonic();
  const base::Result<void> outcome = FetchAndAppend(timestamp_ms, &report);
  report.duration = clock_.Monotonic() - start;
  report.up = outcome.ok();
  if (!outcome.ok()) {
    MarkAllStale(timestamp_ms);
  }
  AppendReport(report, false, timestamp_ms);
  ++counters_.scrapes;
  counters_.failed_scrapes += outcome.ok() ? 0U : 1U;
  counters_.samples += report.scraped;
  NoteRefused(report.refused);
  Publish(report, outcome);
}

// One line when it begins, however long it lasts.
void Scraper::NoteRefused(const Refusal& refused) {
  const bool refusing = refused.count() > 0;
  if (refusing) {
    counters_.series_limit.Add(plan_.job->name, refused.Label(), refused.count());
  }
  if (refusing && !refusing_) {
    logger_.Warn("new series of a target are refused: it has too many",
                 {{"job", plan_.job->name},
                  {"target", plan_.target.url},
                  {"limit", std::to_string(plan_.job->limits.series)},
                  {"refused", std::to_string(refused.count())},
                  {"label", refused.Label()}});
  }
  refusing_ = refusing;
}

void Scraper::End(int64_t timestamp_ms) {
  // A second sample at the time of the last scrape would be refused as a duplicate.
  timestamp_ms = std::max(timestamp_ms, last_timestamp_ms_ + 1);
  MarkAllStale(timestamp_ms);
  AppendReport({}, true, timestamp_ms);
}

base::Result<void> Scraper::FetchAndAppend(int64_t timestamp_ms, Report* report) {
  if (!plan_.forced_error.empty()) {
    return Error(plan_.forced_error, ErrorKind::kResourceExhausted);
  }
  auto page = plan_.source->Fetch(plan_.target.timeout);
  if (!page.ok()) {
    if (page.error().kind() == ErrorKind::kResourceExhausted) {
      ++counters_.body_limit_hits;
      report->body_bytes = -1;
    }
    return page.error();
  }
  report->body_bytes = static_cast<int64_t>((*page)->bytes());
  return AppendPage(**page, timestamp_ms, report);
}

base::Result<void> Scraper::AppendPage(const Page& page, int64_t timestamp_ms, Report* report) {
  const std::unique_ptr<storage::Appender> appender = store_.NewAppender();
  cache_.BeginScrape();
  Ingest ingest(*this, *appender, timestamp_ms, report);
  base::Result<void> outcome = page.Read(ingest);
  if (outcome.ok()) {
    outcome = ingest.Finish();
  }
  if (outcome.ok()) {
    AppendStaleMarkers(*appender, cache_.TakeVanished(), timestamp_ms);
    outcome = appender->Commit();
  }
  if (outcome.ok()) {
    cache_.EndScrape();
    if (ingest.WantsMetadata()) {
      PublishMetadata(ingest.TakeMetadata());
      scrapes_until_metadata_ = kMetadataPeriod;
    } else {
      // New series may be described by new lines.
      scrapes_until_metadata_ = report->added > 0 ? 0 : scrapes_until_metadata_ - 1;
    }
  } else {
    cache_.AbandonScrape();
  }
  return outcome;
}

void Scraper::AppendStaleMarkers(storage::Appender& appender,
                                 const std::vector<storage::SeriesRef>& series,
                                 int64_t timestamp_ms) {
  for (const storage::SeriesRef ref : series) {
    // A series that the store dropped, or that another line of the page continues, needs none.
    if (appender.Append(ref, timestamp_ms, model::kStaleNaN).ok()) {
      ++counters_.stale_markers;
    }
  }
}

void Scraper::MarkAllStale(int64_t timestamp_ms) {
  const std::vector<storage::SeriesRef> live = cache_.TakeAllLive();
  if (live.empty()) {
    return;
  }
  const std::unique_ptr<storage::Appender> appender = store_.NewAppender();
  AppendStaleMarkers(*appender, live, timestamp_ms);
  if (const auto committed = appender->Commit(); !committed.ok()) {
    logger_.Error("stale markers could not be stored",
                  {{"target", plan_.target.url}, {"error", committed.error().message()}});
  }
}

void Scraper::AppendReport(const Report& report, bool stale, int64_t timestamp_ms) {
  struct Row {
    std::string_view name;
    double value;
    bool extra;
  };
  const JobOptions& job = *plan_.job;
  const Row rows[] = {
      {"up", report.up ? 1.0 : 0.0, false},
      {"scrape_duration_seconds", base::ToSeconds(report.duration), false},
      {"scrape_samples_scraped", static_cast<double>(report.scraped), false},
      {"scrape_samples_post_metric_relabeling", static_cast<double>(report.after_relabelling),
       false},
      {"scrape_series_added", static_cast<double>(report.added), false},
      {"scrape_timeout_seconds", base::ToSeconds(plan_.target.timeout), true},
      {"scrape_sample_limit", static_cast<double>(job.limits.samples), true},
      {"scrape_body_size_bytes", static_cast<double>(report.body_bytes), true},
  };
  const std::unique_ptr<storage::Appender> appender = store_.NewAppender();
  for (const Row& row : rows) {
    if (!row.extra || job.extra_metrics) {
      AppendReportSample(*appender, row.name, stale ? model::kStaleNaN : row.value, timestamp_ms);
    }
  }
  if (const auto committed = appender->Commit(); !committed.ok()) {
    logger_.Error("report series could not be stored",
                  {{"target", plan_.target.url}, {"error", committed.error().message()}});
  }
}

void Scraper::AppendReportSample(storage::Appender& appender, std::string_view name, double value,
                                 int64_t timestamp_ms) {
  storage::SeriesRef& ref = report_refs_[name];
  if (ref != 0) {
    const auto appended = appender.Append(ref, timestamp_ms, value);
    if (appended.ok() || appended.error().kind() != ErrorKind::kNotFound) {
      counters_.rejected_samples += appended.ok() ? 0U : 1U;
      return;
    }
  }
  model::LabelsBuilder labels(plan_.target.labels);
  labels.Set(model::kMetricNameLabel, name);
  const auto added = appender.Append(labels.Build(), timestamp_ms, value);
  ref = added.ok() ? *added : 0;
  counters_.rejected_samples += added.ok() ? 0U : 1U;
}

void Scraper::Publish(const Report& report, const base::Result<void>& outcome) {
  const std::string error = outcome.ok() ? "" : outcome.error().message();
  std::string before;
  bool was_down = false;
  {
    const base::MutexLock lock(mutex_);
    before = std::exchange(status_.last_error, error);
    was_down = status_.health == Health::kDown;
    status_.health = outcome.ok() ? Health::kUp : Health::kDown;
    status_.last_scrape = clock_.Now();
    status_.last_scrape_duration = report.duration;
  }
  if (!outcome.ok() && error != before) {
    logger_.Warn("scrape failed",
                 {{"job", plan_.job->name}, {"target", plan_.target.url}, {"error", error}});
  } else if (outcome.ok() && was_down) {
    logger_.Info("scrape works again", {{"job", plan_.job->name}, {"target", plan_.target.url}});
  }
}

}  // namespace scrape
