// What a PostgresExporter is told: by main.cc from flags and environment, by the agent from its
// configuration.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "exporters/pq/conninfo.h"
#include "exporters/pq/session.h"
#include "exporters/toolkit/collector_set.h"
#include "lib/base/clock.h"

namespace exporters::postgres {

struct StatStatementsOptions {
  bool include_query = false;
  int64_t query_length = 120;
  int64_t limit = 100;
  std::vector<std::string> exclude_databases = {};
  std::vector<std::string> exclude_users = {};
};

struct PostgresOptions {
  pq::Conninfo conninfo = {};
  Selection selection = {};
  StatStatementsOptions stat_statements = {};
  std::vector<std::string> exclude_databases = {};  // Of the collectors that go through databases.
  std::chrono::milliseconds collection_timeout{60000};  // No scrape takes longer.
  std::chrono::milliseconds statement_timeout{3000};
  std::chrono::milliseconds lock_timeout{250};
  std::chrono::milliseconds sizes_interval{300000};  // How old sizes on disk may grow.
  // When the configuration file was read; nullopt without one.
  std::optional<base::WallTime> config_loaded_at = std::nullopt;
  pq::SessionFactory session_factory = nullptr;  // libpq when empty.
};

}  // namespace exporters::postgres
