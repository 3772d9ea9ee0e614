// How many more connections fit: under max_connections, and under the limits of databases and
// roles.
#include "exporters/postgres/collector.h"

namespace exporters::postgres {
namespace {

constexpr int kHasReservedConnections = 160000;

constexpr ColumnTable kColumns({
    {.name = "maximum",
     .metric = "pg_connections_max",
     .help = "Connections the server takes (max_connections).",
     .sql = "current_setting('max_connections')"},
    {.name = "for_superusers",
     .metric = "pg_connections_reserved_superuser",
     .help = "Connections kept for superusers.",
     .sql = "current_setting('superuser_reserved_connections')"},
    {.name = "reserved",
     .metric = "pg_connections_reserved",
     .help = "Connections kept for roles with pg_use_reserved_connections.",
     .since = kHasReservedConnections,
     .sql = "current_setting('reserved_connections')"},
    {.name = "used", .metric = "pg_connections_used", .help = "Connections of clients."},
    {.name = "free",
     .metric = "pg_connections_available",
     .help = "Connections that ordinary users can still open.",
     .until = kHasReservedConnections,
     .sql = "greatest(0, current_setting('max_connections')::int - "
            "current_setting('superuser_reserved_connections')::int - used)"},
    {.name = "free_unreserved",
     .metric = "pg_connections_available",
     .help = "Connections that ordinary users can still open.",
     .since = kHasReservedConnections,
     .sql = "greatest(0, current_setting('max_connections')::int - "
            "current_setting('superuser_reserved_connections')::int - "
            "current_setting('reserved_connections')::int - used)"},
});

constexpr ColumnTable kDatabaseColumns({
    {.name = "datname", .usage = Usage::kLabel},
    {.name = "free",
     .metric = "pg_connections_database_available",
     .help = "Connections that a database with a limit can still take.",
     .sql = "greatest(0, datconnlimit - (SELECT count(*) FROM pg_stat_activity WHERE datid = "
            "pg_database.oid AND backend_type = 'client backend'))"},
});

constexpr ColumnTable kRoleColumns({
    {.name = "rolname", .usage = Usage::kLabel},
    {.name = "free",
     .metric = "pg_connections_role_available",
     .help = "Connections that a role with a limit can still open.",
     .sql = "greatest(0, rolconnlimit - (SELECT count(*) FROM pg_stat_activity WHERE usesysid = "
            "pg_roles.oid AND backend_type = 'client backend'))"},
});

constexpr Query kQueries[] = {
    {.table = kColumns,
     .from = "FROM (SELECT count(*) AS used FROM pg_stat_activity WHERE backend_type = 'client "
             "backend') AS clients"},
    {.table = kDatabaseColumns, .from = "FROM pg_database WHERE datconnlimit >= 0"},
    {.table = kRoleColumns, .from = "FROM pg_roles WHERE rolconnlimit >= 0 AND rolcanlogin"},
};

}  // namespace

extern constexpr PostgresCollector kConnections{
    .name = "connections", .help = "Connections used, reserved and left.", .queries = kQueries};

}  // namespace exporters::postgres
