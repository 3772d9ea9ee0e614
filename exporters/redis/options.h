// What a Redis exporter is told: by flags in its own binary, by the agent's configuration there.
#pragma once

#include <chrono>
#include <string>

#include "exporters/redis/address.h"
#include "exporters/toolkit/collector_set.h"
#include "exporters/toolkit/transport.h"

namespace exporters::redis {

struct Options {
  Address address;
  std::string password_file;  // Read at each connect; see ParsePasswords.
  TlsOptions tls;             // Used when the address says TLS.
  std::chrono::milliseconds connection_timeout{
      15000};  // All of a scrape, if its deadline is later.

  std::string metric_namespace = "redis";
  std::string client_name = "tarsier-redis";  // For CLIENT SETNAME; empty sends none.
  std::string config_command = "CONFIG";      // As renamed on the server; "-" asks for no settings.
  bool ping_on_connect = false;
  bool include_config_metrics = false;
  bool include_system_metrics = true;
  bool include_empty_databases = true;
  bool latency_histogram = true;
  Selection collectors;
};

}  // namespace exporters::redis
