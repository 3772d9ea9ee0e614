// What a Redis exporter is told: by flags in its own binary, by the agent's configuration there.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "exporters/redis/address.h"
#include "exporters/redis/key_selector.h"
#include "exporters/toolkit/collector_set.h"
#include "exporters/toolkit/transport.h"

namespace exporters::redis {

// Which keys to look at, beyond what INFO tells of all of them.
struct KeyOptions {
  std::vector<KeySelector> single_keys;     // --check-single-keys
  std::vector<KeySelector> patterns;        // --check-keys
  std::vector<KeySelector> counts;          // --count-keys
  std::vector<KeySelector> single_streams;  // --check-single-streams
  std::vector<KeySelector> streams;         // --check-streams
  std::vector<std::string> groups;          // --check-key-groups: Lua patterns.
  size_t max_groups = 100;                  // By memory; the others are one group "overflow".
  size_t batch_size = 1000;                 // COUNT of each SCAN.
  bool stream_consumers = true;
  bool values = true;  // Also what is in a string, if it is short.

  bool NeedsWalk() const {
    return !patterns.empty() || !counts.empty() || !streams.empty() || !groups.empty();
  }
};

struct QueueOptions {
  std::vector<QueueSelector> named;
  bool discover = false;

  bool Any() const { return discover || !named.empty(); }
};

struct Options {
  Address address;
  std::string password_file;  // Read at each connect; see ParsePasswords.
  // A password file that names no addresses is not for this server: a request named the server.
  bool only_bound_passwords = false;
  TlsOptions tls;  // Used when the address says TLS.
  std::chrono::milliseconds connection_timeout{
      15000};  // All of a scrape, if its deadline is later.

  std::string metric_namespace = "redis";
  std::string client_name = "tarsier-redis";  // For CLIENT SETNAME; empty sends none.
  std::string config_command = "CONFIG";      // As renamed on the server; "-" asks for no settings.
  bool ping_on_connect = false;
  bool include_config_metrics = false;
  bool include_system_metrics = true;
  bool include_empty_databases = true;
  bool include_modules = false;
  bool latency_histogram = true;
  bool client_list = false;     // A series for each connection …
  bool client_port = false;     // … with the port in its label.
  bool is_cluster = false;      // Keys may be on other nodes: follow them there.
  bool keys_on_masters = true;  // Check keys whichever role the server has.
  KeyOptions keys;
  QueueOptions queues;
  std::chrono::milliseconds scan_interval{30000};  // From the start of a walk to the next.
  Selection collectors;
  // Requests to /scrape that could not be answered, where there are such requests.
  std::shared_ptr<std::atomic<uint64_t>> target_errors = nullptr;
};

}  // namespace exporters::redis
