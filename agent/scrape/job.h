// How the targets of one job are scraped: a scrape_config without its discovery.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "agent/relabel/relabel.h"
#include "lib/base/secret.h"
#include "lib/exposition/format.h"
#include "lib/http/client.h"

namespace scrape {

// High enough for the widest exporter page seen, low enough that one label gone wild does not fill
// the store.
inline constexpr uint64_t kDefaultSeriesPerTarget = 200'000;

// 0 is no limit, except that no body is ever longer than kMaxBodyBytes.
struct Limits {
  uint64_t body_bytes = 0;
  uint64_t samples = 0;
  uint64_t targets = 0;
  uint64_t labels = 0;
  uint64_t label_name_bytes = 0;
  uint64_t label_value_bytes = 0;
  uint64_t keep_dropped_targets = 0;
  // Of one target. Known series go on; new ones beyond are refused.
  uint64_t series = kDefaultSeriesPerTarget;

  bool operator==(const Limits&) const = default;
};

inline constexpr uint64_t kMaxBodyBytes = 512 << 20;
// Dropped targets kept for the API when the configuration names no number.
inline constexpr uint64_t kMaxDroppedTargets = 1000;

enum class Protocol { kOpenMetrics1, kOpenMetrics0, kText1, kText0 };

// The value of an Accept header; the first protocol is liked best.
std::string AcceptHeader(const std::vector<Protocol>& protocols);

// Credentials. Those in files are read anew for every scrape, so that they may be rotated.
struct Auth {
  bool basic = false;
  std::string username;
  std::string username_file;
  base::Secret password;
  std::string password_file;
  std::string authorization_type;  // "Bearer", …; empty is none.
  base::Secret credentials;
  std::string credentials_file;

  bool operator==(const Auth&) const = default;
};

struct JobOptions {
  std::string name;
  std::chrono::milliseconds interval{0};
  std::chrono::milliseconds timeout{0};
  bool honor_labels = false;
  bool honor_timestamps = true;
  bool track_timestamps_staleness = false;
  bool enable_compression = true;
  bool extra_metrics = false;  // scrape_timeout_seconds, scrape_sample_limit, …
  std::string metrics_path = "/metrics";
  std::string scheme = "http";
  std::vector<std::pair<std::string, std::vector<std::string>>> params;
  std::vector<Protocol> protocols = {Protocol::kOpenMetrics1, Protocol::kOpenMetrics0,
                                     Protocol::kText1, Protocol::kText0};
  std::optional<exposition::Format> fallback_format;  // For answers without a known Content-Type.
  Limits limits;
  Auth auth;
  http::ClientOptions http;
  std::vector<relabel::Rule> relabel_rules;
  std::vector<relabel::Rule> metric_relabel_rules;

  // Says the same, rule by rule.
  bool SameAs(const JobOptions& other) const;
};

}  // namespace scrape
