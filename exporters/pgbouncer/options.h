// What a PgBouncer exporter is told: by flags in its own binary, by the agent's configuration
// there.
#pragma once

#include <cstddef>
#include <string>

#include "exporters/pgbouncer/connection_string.h"
#include "exporters/pgbouncer/shows.h"
#include "exporters/toolkit/collector_set.h"

namespace exporters::pgbouncer {

struct Options {
  ConnectionInfo connection;
  std::string pid_file;  // "" for none.
  Selection collectors;
  size_t max_listed_clients = kDefaultMaxListedClients;
};

}  // namespace exporters::pgbouncer
