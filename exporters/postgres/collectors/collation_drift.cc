// Collations whose version in the operating system is not the one indexes were built with: after an
// upgrade of libc or ICU such indexes return wrong results.
#include "exporters/postgres/collector.h"

namespace exporters::postgres {
namespace {

constexpr ColumnTable kDatabases({
    {.name = "datname", .usage = Usage::kLabel},
    {.name = "drifted",
     .metric = "pg_database_collation_drifted",
     .help = "Whether the default collation changed since the database was made or refreshed.",
     .sql = "(datcollversion <> pg_database_collation_actual_version(oid))"},
});

constexpr ColumnTable kCollations({
    {.name = "datname", .usage = Usage::kLabel, .sql = "current_database()"},
    {.name = "drifted",
     .metric = "pg_collations_drifted",
     .help = "Collations of the database that changed since they were made or refreshed.",
     .sql = "count(*) FILTER (WHERE collversion <> pg_collation_actual_version(oid))"},
});

constexpr Query kQueries[] = {
    {.table = kDatabases,
     .from = "FROM pg_database WHERE datallowconn AND datcollversion IS NOT NULL",
     .refresh = Refresh::kSizes,
     .since = 150000},
    {.table = kCollations,
     .from = "FROM pg_collation WHERE collversion IS NOT NULL",
     .refresh = Refresh::kSizes,
     .per_database = true},
};

}  // namespace

extern constexpr PostgresCollector kCollationDrift{
    .name = "collation_drift",
    .help = "Collations that changed under their indexes.",
    .queries = kQueries};

}  // namespace exporters::postgres
