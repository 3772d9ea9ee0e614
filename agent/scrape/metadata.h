// What targets say about their metrics in TYPE, HELP and UNIT.
#pragma once

#include <compare>
#include <cstddef>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "lib/base/mutex.h"
#include "lib/model/labels.h"

namespace scrape {

inline constexpr size_t kMaxMetadataPerTarget = 10'000;  // Metrics; more are left out.
inline constexpr size_t kMaxHelpBytes = 1024;            // The rest is cut off.

struct Metadata {
  std::string metric;
  std::string type;  // "counter", as OpenMetrics has it; "unknown" without one.
  std::string help;
  std::string unit;
  auto operator<=>(const Metadata&) const = default;
};
using MetadataPtr = std::shared_ptr<const Metadata>;

struct TargetMetadata {
  std::string scrape_pool;
  model::Labels target;
  std::vector<MetadataPtr> metrics;  // By metric.
};

// By scrape pool, then labels. Thread-safe.
using TargetsMetadataFunc = std::function<std::vector<TargetMetadata>()>;

// Keeps what many targets say alike once. Thread-safe.
class MetadataPool {
 public:
  MetadataPtr Intern(Metadata metadata);
  size_t size() const;

 private:
  struct Less {
    using is_transparent = void;
    bool operator()(const MetadataPtr& a, const MetadataPtr& b) const { return *a < *b; }
    bool operator()(const MetadataPtr& a, const Metadata& b) const { return *a < b; }
    bool operator()(const Metadata& a, const MetadataPtr& b) const { return a < *b; }
  };

  mutable base::Mutex mutex_;
  std::set<MetadataPtr, Less> pool_ GUARDED_BY(mutex_);
  size_t next_purge_ GUARDED_BY(mutex_) = 1024;
};

}  // namespace scrape
