// The agent as a whole: store, scrapes, rules, notifications and web, wired together.
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "agent/alert_sink.h"
#include "agent/promql/engine.h"
#include "exporters/toolkit/flags.h"
#include "lib/base/log.h"
#include "lib/base/result.h"
#include "lib/base/secret.h"

namespace agent {

struct AgentOptions {
  std::string config_file;  // Empty: no configuration.
  // What it does on top of the configuration; by default only without one.
  std::optional<bool> discover_local;
  std::optional<bool> bundled_rules;
  std::vector<std::string> rule_files;  // Patterns, beside those of the configuration.

  // Without a configuration.
  std::chrono::milliseconds scrape_interval{15'000};
  std::chrono::milliseconds evaluation_interval{15'000};

  std::vector<std::string> listen_addresses;
  std::string web_config_file;
  std::string external_url;  // Empty: this host's name and the first port.
  bool lifecycle = true;     // POST /-/reload.

  Destinations destinations;
  std::chrono::milliseconds resend_delay{60'000};

  // Where samples, alert states, silences and notifications are kept; empty: in memory only.
  std::string state_directory;
  // Without it the agent does not start; otherwise it goes on in memory and says so.
  bool state_required = true;
  std::chrono::milliseconds retention{0};
  uint64_t retention_bytes = 0;
  std::string retention_text;  // For the API.
  size_t max_series = 0;
  uint64_t memory_limit = 0;
  uint64_t series_per_target = 0;  // 0 is no limit.
  promql::EngineOptions engine;

  std::string host_name;
  exporters::EnvironmentFunc environment;
  std::vector<std::pair<std::string, std::string>> flags;  // For the API; secrets taken out.
};

// How often local servers and target files are looked for.
inline constexpr std::chrono::seconds kDiscoveryPeriod{30};
inline constexpr std::chrono::seconds kTargetFilePeriod{5};
// How long notifications may take to leave when the agent stops.
inline constexpr std::chrono::seconds kNotifyDrain{5};

// Thread-safe.
class Agent {
 public:
  // Listens and scrapes when it returns. `logger` must outlive the agent. Errors: the
  // configuration, rule files, the listening address.
  static base::Result<std::unique_ptr<Agent>> Start(AgentOptions options,
                                                    const base::Logger& logger);
  ~Agent();  // Stops: no new scrapes or evaluations, then what is queued is sent.

  // Reads configuration and rules anew. On an error everything goes on as it was.
  base::Result<void> Reload();

  const std::vector<int>& ports() const;  // In the order of listen_addresses.

  // What runs, in plain words, a line each.
  std::vector<std::string> Describe() const;

 private:
  class Impl;
  explicit Agent(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace agent
