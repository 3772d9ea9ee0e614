// Locks waited for, apart from those held.
#include "exporters/postgres/collector.h"

namespace exporters::postgres {
namespace {

constexpr int kHasWaitStart = 140000;

constexpr ColumnTable kColumns({
    {.name = "datname", .usage = Usage::kLabel, .sql = "coalesce(datname, '')"},
    {.name = "mode", .usage = Usage::kLabel, .sql = "lower(mode)"},
    {.name = "locktype", .usage = Usage::kLabel},
    {.name = "waiting",
     .metric = "pg_lock_waits",
     .help = "Locks that sessions wait for.",
     .sql = "count(*)"},
    {.name = "longest",
     .metric = "pg_lock_waits_longest_seconds",
     .help = "How long the longest of these waits has lasted.",
     .since = kHasWaitStart,
     .sql = "max(extract(epoch FROM clock_timestamp() - waitstart))"},
    {.name = "longest_since_change",
     .metric = "pg_lock_waits_longest_seconds",
     .help = "How long the longest of these waits has lasted.",
     .until = kHasWaitStart,
     .sql = "max(extract(epoch FROM clock_timestamp() - state_change))"},
});

constexpr Query kQueries[] = {{.table = kColumns,
                               .from = "FROM pg_locks LEFT JOIN pg_stat_activity USING (pid) WHERE "
                                       "NOT granted GROUP BY 1, 2, 3"}};

}  // namespace

extern constexpr PostgresCollector kLockWaits{
    .name = "lock_waits", .help = "Locks that sessions wait for.", .queries = kQueries};

}  // namespace exporters::postgres
