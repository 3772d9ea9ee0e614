// Size and connection limit of every database. Sizes walk files, so they refresh in the background;
// a database that we may not look into has none.
#include <fmt/format.h>

#include "exporters/postgres/collector.h"

namespace exporters::postgres {
namespace {

constexpr ColumnTable kSizeColumns({
    {.name = "datname", .usage = Usage::kLabel},
    {.name = "bytes", .metric = "pg_database_size_bytes", .help = "Disk space of the database."},
});

constexpr ColumnTable kLimitColumns({
    {.name = "datname", .usage = Usage::kLabel},
    {.name = "datconnlimit",
     .metric = "pg_database_connection_limit",
     .help = "Connections the database takes at once; -1 is no limit."},
});

base::Result<std::string> SizeSql(const Server& server) {
  return fmt::format(
      "SELECT datname, CASE WHEN has_database_privilege(oid, 'CONNECT') OR "
      "pg_has_role('pg_read_all_stats', 'USAGE') THEN pg_database_size(oid) END AS bytes "
      "FROM pg_database WHERE true{}",
      AndNotIn("datname", server.options->exclude_databases));
}

base::Result<std::string> LimitSql(const Server& server) {
  return fmt::format("SELECT datname, datconnlimit FROM pg_database WHERE true{}",
                     AndNotIn("datname", server.options->exclude_databases));
}

constexpr Query kQueries[] = {
    {.table = kLimitColumns, .sql = LimitSql},
    {.table = kSizeColumns, .sql = SizeSql, .refresh = Refresh::kSizes},
};

}  // namespace

extern constexpr PostgresCollector kDatabase{
    .name = "database", .help = "Database sizes and connection limits.", .queries = kQueries};

}  // namespace exporters::postgres
