#include "exporters/toolkit/self_metrics.h"

#include <algorithm>
#include <atomic>
#include <iterator>
#include <string>

#include <prometheus/counter.h>
#include <prometheus/family.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>

#include "lib/exposition/process_metrics.h"
#include "lib/exposition/prometheus_cpp.h"

namespace exporters {

struct SelfMetrics::Impl {
  prometheus::Registry registry;
  prometheus::Family<prometheus::Counter>& requests =
      prometheus::BuildCounter()
          .Name("promhttp_metric_handler_requests_total")
          .Help("Scrapes answered, by HTTP status code.")
          .Register(registry);
  prometheus::Gauge& in_flight = prometheus::BuildGauge()
                                     .Name("promhttp_metric_handler_requests_in_flight")
                                     .Help("Scrapes being answered now.")
                                     .Register(registry)
                                     .Add({});
  prometheus::Histogram& duration =
      prometheus::BuildHistogram()
          .Name("tarsier_exporter_scrape_duration_seconds")
          .Help("How long scrapes took, from the request to the finished page.")
          .Register(registry)
          .Add({}, prometheus::Histogram::BucketBoundaries{0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5,
                                                           10});
  std::atomic<int> running{0};
};

SelfMetrics::SelfMetrics() : impl_(std::make_unique<Impl>()) {
  for (const char* code : {"200", "500", "503"}) {
    impl_->requests.Add({{"code", code}});  // Present from the start, so that rates see the first.
  }
}

SelfMetrics::~SelfMetrics() = default;

int SelfMetrics::Begin() {
  impl_->in_flight.Increment();
  return ++impl_->running;
}

void SelfMetrics::End(int status, double seconds) {
  --impl_->running;
  impl_->in_flight.Decrement();
  impl_->requests.Add({{"code", std::to_string(status)}}).Increment();
  impl_->duration.Observe(seconds);
}

std::vector<model::MetricFamily> SelfMetrics::Collect() const {
  std::vector<model::MetricFamily> families = exposition::CollectProcessMetrics();
  std::vector<model::MetricFamily> own = exposition::CollectFrom(impl_->registry);
  std::move(own.begin(), own.end(), std::back_inserter(families));
  std::sort(families.begin(), families.end(),
            [](const auto& a, const auto& b) { return a.desc->name < b.desc->name; });
  return families;
}

}  // namespace exporters
