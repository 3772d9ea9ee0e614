// Queries that a standby cancelled because they were in the way of recovery.
#include "exporters/postgres/collector.h"

namespace exporters::postgres {
namespace {

constexpr ColumnTable kColumns({
    {.name = "datid", .usage = Usage::kLabel},
    {.name = "datname", .usage = Usage::kLabel},
    {.name = "server", .usage = Usage::kLabel, .sql = "{server}"},
    {.name = "confl_tablespace",
     .usage = Usage::kCounter,
     .metric = "pg_stat_database_conflicts_confl_tablespace",
     .help = "Queries cancelled because a tablespace was dropped."},
    {.name = "confl_lock",
     .usage = Usage::kCounter,
     .metric = "pg_stat_database_conflicts_confl_lock",
     .help = "Queries cancelled because they waited for a lock too long."},
    {.name = "confl_snapshot",
     .usage = Usage::kCounter,
     .metric = "pg_stat_database_conflicts_confl_snapshot",
     .help = "Queries cancelled because their snapshot was too old."},
    {.name = "confl_bufferpin",
     .usage = Usage::kCounter,
     .metric = "pg_stat_database_conflicts_confl_bufferpin",
     .help = "Queries cancelled because they pinned a buffer."},
    {.name = "confl_deadlock",
     .usage = Usage::kCounter,
     .metric = "pg_stat_database_conflicts_confl_deadlock",
     .help = "Queries cancelled because of a deadlock."},
    {.name = "confl_active_logicalslot",
     .usage = Usage::kUntyped,
     .metric = "pg_stat_database_conflicts_confl_active_logicalslot",
     .help = "Uses of logical slots cancelled because rows they need were removed.",
     .since = 160000},
});

constexpr Query kQueries[] = {{.table = kColumns, .from = "FROM pg_stat_database_conflicts"}};

}  // namespace

extern constexpr PostgresCollector kStatDatabaseConflicts{
    .name = "stat_database_conflicts",
    .help = "Queries cancelled by recovery, on standbys.",
    .queries = kQueries};

}  // namespace exporters::postgres
