// The agent's HTTP surface: the Prometheus API v1, its own metrics, health, and plain status pages.
// Every handler is a pure function of a request and read-only views.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "agent/notify/notifier.h"
#include "agent/promql/engine.h"
#include "agent/rules/status.h"
#include "agent/scrape/metadata.h"
#include "agent/scrape/status.h"
#include "agent/storage/querier.h"
#include "lib/base/clock.h"
#include "lib/base/result.h"
#include "lib/http/router.h"
#include "lib/model/metric_family.h"

namespace web {

struct Alertmanagers {
  std::vector<std::string> active;  // URLs of their alerts endpoint, without credentials.
  std::vector<std::string> dropped;
};

// What the store holds right now.
struct StoreStats {
  uint64_t series = 0;
  uint64_t chunks = 0;
  int64_t min_time_ms = 0;
  int64_t max_time_ms = 0;
};

struct ConfigState {
  std::string yaml;  // In force, secrets taken out.
  base::WallTime loaded_at{};
  bool last_reload_ok = true;
};

// All functions are thread-safe and copy; none may be empty unless it says so.
struct Views {
  promql::EngineOptions engine;
  const storage::Queryable* storage = nullptr;  // These two outlive the router.
  const base::Clock* clock = nullptr;

  scrape::TargetsStatusFunc targets;
  std::function<rules::RulesStatus()> rules;
  std::function<Alertmanagers()> alertmanagers;
  scrape::TargetsMetadataFunc metadata;
  std::function<model::Labels()> external_labels;  // For /federate; may be empty.
  std::function<StoreStats()> store;
  std::function<ConfigState()> config;
  std::function<std::vector<model::MetricFamily>()> metrics;  // Sorted by name.
  // Null until the agent is ready.
  std::function<std::shared_ptr<notify::Notifier>()> notifier;
  std::function<bool()> ready;
  // POST /-/reload; empty where it is not enabled: 403.
  std::function<base::Result<void>()> reload;

  std::vector<std::pair<std::string, std::string>> flags;  // Secrets taken out.
  std::string retention;                                   // "7d or 1GiB".
  base::WallTime started_at{};
  std::string external_url;  // "http://host:9095", for links.
};

// One table of routes; see routes.cc.
http::Router MakeRoutes(Views views);

}  // namespace web
