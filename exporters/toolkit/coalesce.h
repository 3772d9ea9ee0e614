// Scrapes that come while an equal one is running wait for it and share what it found, so that a
// second Prometheus, or an impatient one, costs the server nothing.
#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "exporters/toolkit/exporter.h"
#include "lib/base/mutex.h"

namespace exporters {

// Thread-safe. Requests are equal when they filter the same collectors. One that would have waited
// past its own deadline gets kDeadlineExceeded; the collection it waited for goes on.
class CoalescingExporter final : public Exporter {
 public:
  explicit CoalescingExporter(std::unique_ptr<Exporter> exporter);
  ~CoalescingExporter() override;

  base::Result<std::vector<model::MetricFamily>> Collect(const ScrapeRequest& request) override;

  // How many scrapes wait for another one's collection.
  size_t waiting() const;

 private:
  struct Flight;

  base::Result<std::vector<model::MetricFamily>> Join(Flight& flight, base::MonotonicTime deadline)
      REQUIRES_LOCK(mutex_);

  const std::unique_ptr<Exporter> exporter_;
  mutable base::Mutex mutex_;
  std::map<std::string, std::shared_ptr<Flight>> flights_ GUARDED_BY(mutex_);
  size_t waiting_ GUARDED_BY(mutex_) = 0;
};

}  // namespace exporters
