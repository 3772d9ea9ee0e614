// What a PostgresExporter is told: by main.cc from flags and environment, by the agent from its
// configuration.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
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

class CustomQueries;

// A session with another database of the same server.
using DatabaseSessionFactory =
    std::function<std::unique_ptr<pq::Session>(const std::string& database)>;

struct PostgresOptions {
  pq::Conninfo conninfo = {};
  Selection selection = {};
  StatStatementsOptions stat_statements = {};
  // Of the collectors that go through databases.
  std::vector<std::string> exclude_databases = {};
  std::vector<std::string> include_databases = {};  // Only these, when not empty.
  size_t databases_limit = 1000;                    // Beside that of the connection.
  size_t tables_limit = 1000;                       // Of each database.
  // A database is looked at this often, with this much time between one and the next.
  std::chrono::milliseconds databases_interval{60000};
  std::chrono::milliseconds databases_gap{1000};
  std::chrono::milliseconds collection_timeout{60000};  // No scrape takes longer.
  std::chrono::milliseconds statement_timeout{3000};
  std::chrono::milliseconds lock_timeout{250};
  std::chrono::milliseconds sizes_interval{300000};  // How old sizes on disk may grow.
  // When the configuration file was read; nullopt without one.
  std::optional<base::WallTime> config_loaded_at = std::nullopt;
  // Queries of the user's own; may be null.
  std::shared_ptr<const CustomQueries> custom_queries = nullptr;
  std::vector<std::pair<std::string, std::string>> constant_labels = {};
  std::string metric_prefix = "pg";  // Of the families that postgres_exporter lets one rename.
  bool old_names = true;             // Also those that families had in earlier versions of it.
  pq::SessionFactory session_factory = nullptr;  // libpq when empty.
  // For other databases of the server; libpq when both are empty, none when only this one is.
  DatabaseSessionFactory database_session_factory = nullptr;
};

}  // namespace exporters::postgres
