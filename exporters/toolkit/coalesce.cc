#include "exporters/toolkit/coalesce.h"

#include <algorithm>
#include <optional>
#include <utility>

namespace exporters {
namespace {

using Families = std::vector<model::MetricFamily>;

model::Metric Copy(const model::Metric& metric) {
  return {.labels = metric.labels,
          .value = metric.value,
          .histogram =
              metric.histogram ? std::make_unique<model::Histogram>(*metric.histogram) : nullptr,
          .summary = metric.summary ? std::make_unique<model::Summary>(*metric.summary) : nullptr,
          .timestamp_ms = metric.timestamp_ms,
          .exemplar = metric.exemplar};
}

Families Copy(const Families& families) {
  Families copy;
  copy.reserve(families.size());
  for (const model::MetricFamily& family : families) {
    copy.push_back({.desc = family.desc, .owner = family.owner});
    copy.back().metrics.reserve(family.metrics.size());
    for (const model::Metric& metric : family.metrics) {
      copy.back().metrics.push_back(Copy(metric));
    }
  }
  return copy;
}

base::Result<Families> Copy(const base::Result<Families>& result) {
  return result.ok() ? base::Result<Families>(Copy(*result)) : result.error();
}

// Equal for requests that filter alike, in whatever order. Names hold no control characters that
// survive SelectByName, and one that does only costs a scrape of its own.
std::string Key(const ScrapeRequest& request) {
  std::string key;
  for (const auto* names : {&request.collect, &request.exclude}) {
    std::vector<std::string> sorted = *names;
    std::sort(sorted.begin(), sorted.end());
    for (const std::string& name : sorted) {
      key += name;
      key += '\n';
    }
    key += '\0';
  }
  return key;
}

}  // namespace

// A collection that is running, or that its waiters have not fetched yet.
struct CoalescingExporter::Flight {
  base::CondVar landed;
  size_t waiters = 0;
  std::optional<base::Result<Families>> result;
};

CoalescingExporter::CoalescingExporter(std::unique_ptr<Exporter> exporter)
    : exporter_(std::move(exporter)) {}

CoalescingExporter::~CoalescingExporter() = default;

base::Result<Families> CoalescingExporter::Collect(const ScrapeRequest& request) {
  const std::string key = Key(request);
  std::shared_ptr<Flight> flight;
  {
    base::MutexLock lock(mutex_);
    const auto [at, first] = flights_.try_emplace(key, nullptr);
    if (!first) {
      flight = at->second;
      return Join(*flight, request.deadline);
    }
    flight = at->second = std::make_shared<Flight>();
  }
  base::Result<Families> result = exporter_->Collect(request);
  base::MutexLock lock(mutex_);
  flights_.erase(key);
  if (flight->waiters > 0) {
    flight->result.emplace(Copy(result));
    flight->landed.NotifyAll();
  }
  return result;
}

base::Result<Families> CoalescingExporter::Join(Flight& flight, base::MonotonicTime deadline) {
  ++flight.waiters;
  ++waiting_;
  while (!flight.result) {
    if (!flight.landed.WaitUntil(mutex_, deadline) && !flight.result) {
      --flight.waiters;
      --waiting_;
      return base::Error("the collection that another scrape started did not end in time",
                         base::ErrorKind::kDeadlineExceeded);
    }
  }
  --waiting_;
  if (--flight.waiters == 0) {
    return std::move(*flight.result);
  }
  return Copy(*flight.result);
}

size_t CoalescingExporter::waiting() const {
  base::MutexLock lock(mutex_);
  return waiting_;
}

}  // namespace exporters
