// Locks by database and mode; every database has all nine modes.
#include "exporters/postgres/collector.h"

namespace exporters::postgres {
namespace {

constexpr ColumnTable kColumns({
    {.name = "datname", .usage = Usage::kLabel},
    {.name = "mode", .usage = Usage::kLabel, .sql = "lower(every_mode.mode)"},
    {.name = "locks",
     .metric = "pg_locks_count",
     .help = "Locks held or waited for.",
     .sql = "count(held.mode)"},
});

constexpr std::string_view kFrom =
    "FROM (SELECT oid, datname, mode FROM pg_database CROSS JOIN unnest(ARRAY['AccessShareLock', "
    "'RowShareLock', 'RowExclusiveLock', 'ShareUpdateExclusiveLock', 'ShareLock', "
    "'ShareRowExclusiveLock', 'ExclusiveLock', 'AccessExclusiveLock', 'SIReadLock']) AS mode) "
    "AS every_mode LEFT JOIN pg_locks AS held ON held.database = every_mode.oid AND "
    "held.mode = every_mode.mode GROUP BY 1, 2";

constexpr Query kQueries[] = {{.table = kColumns, .from = kFrom}};

}  // namespace

extern constexpr PostgresCollector kLocks{
    .name = "locks", .help = "Locks by database and mode.", .queries = kQueries};

}  // namespace exporters::postgres
