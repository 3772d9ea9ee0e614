#include "agent/self_metrics.h"

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

struct StoreRow {
  model::MetricDesc desc;
  double (*value)(const HeadStats& stats);
};

// A size_t or uint64_t as a sample.
template <auto kField>
double Field(const HeadStats& stats) {
  return static_cast<double>(stats.*kField);
}

template <auto kField>
double Seconds(const HeadStats& stats) {
  return static_cast<double>(stats.*kField) / 1000;
}

constexpr StoreRow kStoreRows[] = {
    {{"tarsier_store_chunks", "Chunks of compressed samples in memory."},
     Field<&HeadStats::chunks>},
    {{"tarsier_store_index_bytes", "Memory of labels, postings and series."},
     Field<&HeadStats::index_bytes>},
    {{"tarsier_store_max_time_seconds", "Time of the newest sample, as a Unix time."},
     Seconds<&HeadStats::max_time_ms>},
    {{"tarsier_store_min_time_seconds", "Time of the oldest sample, as a Unix time."},
     Seconds<&HeadStats::min_time_ms>},
    {{"tarsier_store_sample_bytes", "Memory of compressed samples."},
     Field<&HeadStats::sample_bytes>},
    {{"tarsier_store_samples", "Samples in memory."}, Field<&HeadStats::samples>},
    {{"tarsier_store_samples_appended_total", "Samples that were stored.", MetricType::kCounter},
     Field<&HeadStats::samples_appended>},
    {{"tarsier_store_samples_duplicate_total",
      "Samples refused because their time has another value.", MetricType::kCounter},
     Field<&HeadStats::samples_duplicate>},
    {{"tarsier_store_samples_out_of_order_total",
      "Samples refused because a later one was there before.", MetricType::kCounter},
     Field<&HeadStats::samples_out_of_order>},
    {{"tarsier_store_samples_too_new_total", "Samples refused because they are from the future.",
      MetricType::kCounter},
     Field<&HeadStats::samples_too_new>},
    {{"tarsier_store_samples_too_old_total", "Samples refused because they are beyond retention.",
      MetricType::kCounter},
     Field<&HeadStats::samples_too_old>},
    {{"tarsier_store_series", "Series in memory."}, Field<&HeadStats::series>},
    {{"tarsier_store_series_created_total", "Series that were new.", MetricType::kCounter},
     Field<&HeadStats::series_created>},
    {{"tarsier_store_series_refused_total", "Series refused because there are too many.",
      MetricType::kCounter},
     Field<&HeadStats::series_refused>},
    {{"tarsier_store_series_removed_total", "Series dropped because their last sample was.",
      MetricType::kCounter},
     Field<&HeadStats::series_removed>},
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

std::vector<model::MetricFamily> StoreFamilies(const HeadStats& stats) {
  std::vector<model::MetricFamily> families;
  for (const StoreRow& row : kStoreRows) {
    model::MetricFamily family{.desc = &row.desc};
    family.Add(row.value(stats));
    families.push_back(std::move(family));
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
