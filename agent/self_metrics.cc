#include "agent/self_metrics.h"

#include <span>
#include <string>
#include <utility>

#include <prometheus/counter.h>
#include <prometheus/family.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>

#include "lib/base/duration.h"
#include "lib/base/version.h"
#include "lib/exposition/prometheus_cpp.h"

namespace agent {
namespace {

using model::MetricType;
using storage::HeadStats;
using storage::StoreStats;

struct StoreRow {
  model::MetricDesc desc;
  double (*value)(const StoreStats& stats);
};

// A size_t or uint64_t as a sample.
template <auto kField>
double Head(const StoreStats& stats) {
  return static_cast<double>(stats.head.*kField);
}

template <auto kField>
double HeadSeconds(const StoreStats& stats) {
  return static_cast<double>(stats.head.*kField) / 1000;
}

template <auto kField>
double Store(const StoreStats& stats) {
  return static_cast<double>(stats.*kField);
}

constexpr StoreRow kStoreRows[] = {
    {{"tarsier_store_chunks", "Chunks of compressed samples in memory."}, Head<&HeadStats::chunks>},
    {{"tarsier_store_index_bytes", "Memory of labels, postings and series."},
     Head<&HeadStats::index_bytes>},
    {{"tarsier_store_max_time_seconds", "Time of the newest sample, as a Unix time."},
     HeadSeconds<&HeadStats::max_time_ms>},
    {{"tarsier_store_min_time_seconds", "Time of the oldest sample, as a Unix time."},
     HeadSeconds<&HeadStats::min_time_ms>},
    {{"tarsier_store_memory_bytes",
      "Memory of series, samples and queue, which --storage.memory-limit bounds."},
     Store<&StoreStats::memory_bytes>},
    {{"tarsier_store_sample_bytes", "Memory of compressed samples."},
     Head<&HeadStats::sample_bytes>},
    {{"tarsier_store_samples", "Samples in memory."}, Head<&HeadStats::samples>},
    {{"tarsier_store_samples_appended_total", "Samples that were stored.", MetricType::kCounter},
     Head<&HeadStats::samples_appended>},
    {{"tarsier_store_samples_duplicate_total",
      "Samples refused because their time has another value.", MetricType::kCounter},
     Head<&HeadStats::samples_duplicate>},
    {{"tarsier_store_samples_out_of_order_total",
      "Samples refused because a later one was there before.", MetricType::kCounter},
     Head<&HeadStats::samples_out_of_order>},
    {{"tarsier_store_samples_shed_total",
      "Samples dropped before their time because memory ran out.", MetricType::kCounter},
     Head<&HeadStats::samples_shed>},
    {{"tarsier_store_samples_too_new_total", "Samples refused because they are from the future.",
      MetricType::kCounter},
     Head<&HeadStats::samples_too_new>},
    {{"tarsier_store_samples_too_old_total", "Samples refused because they are beyond retention.",
      MetricType::kCounter},
     Head<&HeadStats::samples_too_old>},
    {{"tarsier_store_series", "Series that are known."}, Head<&HeadStats::series>},
    {{"tarsier_store_series_created_total", "Series that were new.", MetricType::kCounter},
     Head<&HeadStats::series_created>},
    {{"tarsier_store_series_refused_total", "Series refused because there are too many.",
      MetricType::kCounter},
     Head<&HeadStats::series_refused>},
    {{"tarsier_store_series_removed_total", "Series dropped because their last sample was.",
      MetricType::kCounter},
     Head<&HeadStats::series_removed>},
};

// Of the state file. Where Prometheus has the same figure of its own files, under its name.
constexpr StoreRow kFileRows[] = {
    {{"prometheus_tsdb_blocks_loaded", "Blocks of chunks in the state file."},
     Store<&StoreStats::blocks>},
    {{"prometheus_tsdb_size_retentions_total",
      "Times that the oldest blocks were removed because the file was too large.",
      MetricType::kCounter},
     Store<&StoreStats::size_retentions>},
    {{"prometheus_tsdb_storage_blocks_bytes", "Bytes of the blocks in the state file."},
     Store<&StoreStats::block_bytes>},
    {{"prometheus_tsdb_time_retentions_total",
      "Times that blocks were removed because they were too old.", MetricType::kCounter},
     Store<&StoreStats::time_retentions>},
    {{"tarsier_store_block_samples", "Samples in the blocks of the state file."},
     Store<&StoreStats::block_samples>},
    {{"tarsier_store_checkpoints_total", "Checkpoints that were written.", MetricType::kCounter},
     Store<&StoreStats::checkpoints>},
    {{"tarsier_store_damaged_records_total", "Records of the state file that were passed over.",
      MetricType::kCounter},
     Store<&StoreStats::damaged_records>},
    {{"tarsier_store_degraded", "1 while the state file cannot be written, else 0."},
     Store<&StoreStats::degraded>},
    {{"tarsier_store_file_bytes", "Bytes of the state file and its log of writes."},
     Store<&StoreStats::file_bytes>},
    {{"tarsier_store_journal_writes_total", "Transactions of the journal.", MetricType::kCounter},
     Store<&StoreStats::journal_writes>},
    {{"tarsier_store_load_duration_seconds", "How long the last start read the state file."},
     Store<&StoreStats::load_seconds>},
    {{"tarsier_store_queued_samples", "Samples that wait for the journal."},
     Store<&StoreStats::queued_samples>},
    {{"tarsier_store_unjournaled_samples_total",
      "Samples that did not reach the journal, because its queue was full or the file could not be "
      "written.",
      MetricType::kCounter},
     Store<&StoreStats::unjournaled_samples>},
    {{"tarsier_store_write_failures_total", "Writes to the state file that failed.",
      MetricType::kCounter},
     Store<&StoreStats::write_failures>},
};

constexpr model::MetricDesc kBuildInfo{.name = "tarsier_agent_build_info",
                                       .help = "What was built, always 1.",
                                       .labels = {"version", "revision", "branch", "compiler"}};

class SelfExporter final : public exporters::Exporter {
 public:
  explicit SelfExporter(FamiliesFunc families) : families_(std::move(families)) {}
  base::Result<std::vector<model::MetricFamily>> Collect(
      const exporters::ScrapeRequest& /*request*/) override {
    return families_();
  }

 private:
  const FamiliesFunc families_;
};

}  // namespace

struct RequestCounter::Impl {
  prometheus::Registry registry;
  prometheus::Family<prometheus::Counter>* requests = nullptr;
  prometheus::Histogram* seconds = nullptr;
};

RequestCounter::RequestCounter() : impl_(std::make_unique<Impl>()) {
  impl_->requests = &prometheus::BuildCounter()
                         .Name("tarsier_http_requests_total")
                         .Help("HTTP requests answered, by status code.")
                         .Register(impl_->registry);
  impl_->seconds = &prometheus::BuildHistogram()
                        .Name("tarsier_http_request_duration_seconds")
                        .Help("How long answers took.")
                        .Register(impl_->registry)
                        .Add({}, prometheus::Histogram::BucketBoundaries{0.001, 0.01, 0.1, 1, 10});
}

RequestCounter::~RequestCounter() = default;

void RequestCounter::Count(int status, std::chrono::nanoseconds took) {
  impl_->requests->Add({{"code", std::to_string(status)}}).Increment();
  impl_->seconds->Observe(base::ToSeconds(took));
}

std::vector<model::MetricFamily> RequestCounter::Metrics() const {
  return exposition::CollectFrom(impl_->registry);
}

std::vector<model::MetricFamily> StoreFamilies(const StoreStats& stats) {
  std::vector<model::MetricFamily> families;
  const auto add = [&families, &stats](std::span<const StoreRow> rows) {
    for (const StoreRow& row : rows) {
      model::MetricFamily family{.desc = &row.desc};
      family.Add(row.value(stats));
      families.push_back(std::move(family));
    }
  };
  add(kStoreRows);
  if (stats.durable) {
    add(kFileRows);
  }
  return families;
}

model::MetricFamily BuildInfo() {
  model::MetricFamily family{.desc = &kBuildInfo};
  family.Add(1, {base::Version(), base::Revision(), base::Branch(), base::Compiler()});
  return family;
}

std::unique_ptr<exporters::Exporter> MakeSelfExporter(FamiliesFunc families) {
  return std::make_unique<SelfExporter>(std::move(families));
}

}  // namespace agent
