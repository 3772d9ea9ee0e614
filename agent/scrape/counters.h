// What all targets of an agent count together.
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "lib/base/mutex.h"
#include "lib/model/metric_family.h"

namespace scrape {

// Series refused by the limit of a target, by job and label. Thread-safe.
class RefusedSeries {
 public:
  void Add(const std::string& job, const std::string& label, uint64_t count);
  std::map<std::pair<std::string, std::string>, uint64_t> Get() const;

 private:
  mutable base::Mutex mutex_;
  std::map<std::pair<std::string, std::string>, uint64_t> counts_ GUARDED_BY(mutex_);
};

// Rows of RefusedSeries; further ones are counted with an empty label.
inline constexpr size_t kMaxRefusedRows = 100;

// Thread-safe.
struct Counters {
  std::atomic<uint64_t> scrapes{0};
  std::atomic<uint64_t> failed_scrapes{0};
  std::atomic<uint64_t> skipped_scrapes{0};  // Their tick passed while the one before still ran.
  std::atomic<uint64_t> samples{0};
  std::atomic<uint64_t> duplicate_samples{0};  // A series twice on one page.
  std::atomic<uint64_t> rejected_samples{0};   // Out of order, too old, another value at its time.
  std::atomic<uint64_t> refused_series{0};     // The store is full.
  std::atomic<uint64_t> sample_limit_hits{0};
  std::atomic<uint64_t> label_limit_hits{0};
  std::atomic<uint64_t> body_limit_hits{0};
  std::atomic<uint64_t> stale_markers{0};
  RefusedSeries series_limit;
};

std::vector<model::MetricFamily> CounterFamilies(const Counters& counters);

}  // namespace scrape
