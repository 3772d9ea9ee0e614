// SHOW DATABASES: one row a database, with its limits and connections.
#include "exporters/pgbouncer/context.h"

namespace exporters::pgbouncer {
namespace {

constexpr int k116 = 11600;
constexpr int k123 = 12300;
constexpr int k124 = 12400;

constexpr ColumnTable kTable({
    {.name = "name", .usage = Usage::kLabel},
    {.name = "host", .usage = Usage::kLabel},  // NULL for a Unix socket.
    {.name = "port", .usage = Usage::kLabel},
    {.name = "database", .usage = Usage::kLabel},
    {.name = "force_user", .usage = Usage::kLabel},
    {.name = "pool_mode", .usage = Usage::kLabel},
    {.name = "pool_size",
     .metric = "pgbouncer_databases_pool_size",
     .help = "Number of server connections a pool of the database may have."},
    {.name = "min_pool_size",
     .metric = "pgbouncer_databases_min_pool_size",
     .help = "Number of server connections a pool of the database keeps.",
     .since = k116},
    {.name = "reserve_pool",
     .metric = "pgbouncer_databases_reserve_pool",
     .help = "Number of further server connections for clients that wait.",
     .until = k124},
    {.name = "reserve_pool_size",  // The same under its new name.
     .metric = "pgbouncer_databases_reserve_pool",
     .help = "Number of further server connections for clients that wait.",
     .since = k124},
    {.name = "server_lifetime",
     .metric = "pgbouncer_databases_server_lifetime_seconds",
     .help = "After how long a server connection of the database is replaced, in seconds.",
     .since = k123},
    {.name = "max_connections",
     .metric = "pgbouncer_databases_max_connections",
     .help = "Number of server connections the database may have; 0 is no limit."},
    {.name = "current_connections",
     .metric = "pgbouncer_databases_current_connections",
     .help = "Number of server connections the database has."},
    {.name = "max_client_connections",
     .metric = "pgbouncer_databases_max_client_connections",
     .help = "Number of client connections the database may have; 0 is no limit.",
     .since = k124},
    {.name = "current_client_connections",
     .metric = "pgbouncer_databases_current_client_connections",
     .help = "Number of client connections the database has.",
     .since = k124},
    {.name = "paused",
     .metric = "pgbouncer_databases_paused",
     .help = "Whether the database is paused."},
    {.name = "disabled",
     .metric = "pgbouncer_databases_disabled",
     .help = "Whether the database is disabled."},
});

base::Result<void> CollectDatabases(const Snapshot& snapshot, Scrape& scrape) {
  ASSIGN_OR_RETURN(const TextRows* rows, snapshot.Get(Show::kDatabases));
  return EmitRows(kTable, *rows, snapshot.version, scrape);
}

}  // namespace

extern constexpr PgBouncerCollector kDatabases{.name = "databases",
                                               .help = "Limits and connections of each database.",
                                               .collect = CollectDatabases};

}  // namespace exporters::pgbouncer
