// What the scrape side tells the API and the web page about its targets: plain values, copied out.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "lib/base/clock.h"
#include "lib/model/labels.h"

namespace scrape {

enum class Health { kUnknown, kUp, kDown };  // Unknown until the first scrape ends.

// "unknown", "up" or "down".
std::string_view HealthName(Health health);

struct TargetStatus {
  std::string scrape_pool;          // The job's name in the configuration.
  model::Labels discovered_labels;  // Before relabelling, `__address__` and the like among them.
  model::Labels labels;             // Those that every series of the target gets.
  std::string scrape_url;           // Without credentials. Of an embedded exporter "embedded:NAME".
  std::string global_url;           // The same with localhost replaced by this host's name.
  std::string last_error;           // Empty after a successful scrape.
  base::WallTime last_scrape{};     // The epoch: never.
  std::chrono::nanoseconds last_scrape_duration{};
  Health health = Health::kUnknown;
  std::chrono::milliseconds scrape_interval{};
  std::chrono::milliseconds scrape_timeout{};
};

// A target that relabelling dropped.
struct DroppedTarget {
  std::string scrape_pool;
  model::Labels discovered_labels;
};

struct TargetsStatus {
  std::vector<TargetStatus> active;    // By scrape pool, then labels.
  std::vector<DroppedTarget> dropped;  // At most keep_dropped_targets a pool.
  std::vector<std::pair<std::string, size_t>> dropped_counts;  // By scrape pool, all of them.
};

// Thread-safe.
using TargetsStatusFunc = std::function<TargetsStatus()>;

}  // namespace scrape
