// SHOW CONFIG: the settings that limit something. 0 means without limit, except for pool sizes.
#include "exporters/pgbouncer/context.h"

namespace exporters::pgbouncer {
namespace {

constexpr NamedValue kValues[] = {
    {"max_client_conn",
     {.name = "pgbouncer_config_max_client_connections",
      .help = "Setting max_client_conn: number of client connections at most."}},
    {"max_client_conn",
     {.name = "pgbouncer_config_max_client_conn",
      .help =
          "The same as pgbouncer_config_max_client_connections, under the name of the setting."}},
    {"max_user_connections",
     {.name = "pgbouncer_config_max_user_connections",
      .help = "Setting max_user_connections: number of server connections of a user at most; 0 is "
              "no limit."}},
    {"max_db_connections",
     {.name = "pgbouncer_config_max_db_connections",
      .help = "Setting max_db_connections: number of server connections of a database at most; 0 "
              "is no limit."}},
    {"max_user_client_connections",
     {.name = "pgbouncer_config_max_user_client_connections",
      .help = "Setting max_user_client_connections: number of client connections of a user at "
              "most; 0 is no limit."}},
    {"max_db_client_connections",
     {.name = "pgbouncer_config_max_db_client_connections",
      .help = "Setting max_db_client_connections: number of client connections of a database at "
              "most; 0 is no limit."}},
    {"default_pool_size",
     {.name = "pgbouncer_config_default_pool_size",
      .help = "Setting default_pool_size: number of server connections of a pool."}},
    {"min_pool_size",
     {.name = "pgbouncer_config_min_pool_size",
      .help = "Setting min_pool_size: number of server connections that a pool keeps."}},
    {"reserve_pool_size",
     {.name = "pgbouncer_config_reserve_pool_size",
      .help =
          "Setting reserve_pool_size: number of further connections of a pool when clients wait."}},
    {"reserve_pool_timeout",
     {.name = "pgbouncer_config_reserve_pool_timeout_seconds",
      .help = "Setting reserve_pool_timeout: how long clients wait until the reserve is used, in "
              "seconds."}},
    {"max_prepared_statements",
     {.name = "pgbouncer_config_max_prepared_statements",
      .help = "Setting max_prepared_statements: number of prepared statements kept for a server "
              "connection."}},
    {"query_wait_timeout",
     {.name = "pgbouncer_config_query_wait_timeout_seconds",
      .help = "Setting query_wait_timeout: how long a client waits for a server at most, in "
              "seconds; 0 is no limit."}},
};

base::Result<void> CollectConfig(const Snapshot& snapshot, Scrape& scrape) {
  ASSIGN_OR_RETURN(const TextRows* rows, snapshot.Get(Show::kConfig));
  return EmitNamedValues(kValues, *rows, scrape);
}

}  // namespace

extern constexpr PgBouncerCollector kConfig{.name = "config",
                                            .help = "Settings that limit connections and waiting.",
                                            .collect = CollectConfig};

}  // namespace exporters::pgbouncer
