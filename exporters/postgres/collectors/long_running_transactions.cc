// Open transactions of clients, whatever they do.
#include "exporters/postgres/collector.h"

namespace exporters::postgres {
namespace {

constexpr ColumnTable kColumns({
    {.name = "transactions",
     .metric = "pg_long_running_transactions",
     .help = "Open transactions of clients, our own excepted.",
     .sql = "count(*)"},
    {.name = "oldest",
     .metric = "pg_long_running_transactions_oldest_timestamp_seconds",
     .help = "Age in seconds of the oldest of them, 0 when there is none.",
     .sql = "coalesce(max(extract(epoch FROM clock_timestamp() - xact_start)), 0)"},
});

constexpr std::string_view kFrom =
    "FROM pg_stat_activity WHERE xact_start IS NOT NULL AND backend_type = 'client backend' "
    "AND pid <> pg_backend_pid()";

constexpr Query kQueries[] = {{.table = kColumns, .from = kFrom}};

}  // namespace

extern constexpr PostgresCollector kLongRunningTransactions{
    .name = "long_running_transactions",
    .help = "Open transactions and the age of the oldest.",
    .queries = kQueries};

}  // namespace exporters::postgres
