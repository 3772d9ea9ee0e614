// Automatic vacuums that run: their query reads "autovacuum: VACUUM schema.table".
#include "exporters/postgres/collector.h"

namespace exporters::postgres {
namespace {

constexpr ColumnTable kColumns({
    {.name = "relname", .usage = Usage::kLabel, .sql = "split_part(query, '.', 2)"},
    {.name = "started",
     .metric = "pg_stat_activity_autovacuum_timestamp_seconds",
     .help = "When the automatic vacuum of the table started, as a Unix time.",
     .sql = "min(extract(epoch FROM xact_start))"},
});

constexpr Query kQueries[] = {
    {.table = kColumns,
     .from = "FROM pg_stat_activity WHERE query LIKE 'autovacuum:%' GROUP BY 1"}};

}  // namespace

extern constexpr PostgresCollector kStatActivityAutovacuum{
    .name = "stat_activity_autovacuum",
    .help = "When running automatic vacuums started.",
    .enabled_by_default = false,
    .queries = kQueries};

}  // namespace exporters::postgres
