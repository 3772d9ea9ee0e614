// Who keeps vacuum from removing dead rows: the oldest snapshot of sessions, prepared transactions,
// standbys with hot_standby_feedback and replication slots. Also the age of the oldest of each.
#include "exporters/postgres/collector.h"

namespace exporters::postgres {
namespace {

constexpr ColumnTable kHolders({
    {.name = "holder", .usage = Usage::kLabel},
    {.name = "age",
     .metric = "pg_xmin_horizon_age_transactions",
     .help = "Transactions since the oldest snapshot of this kind of holder; absent when there is "
             "none.",
     .sql = "max(age)"},
});

constexpr std::string_view kHoldersFrom =
    "FROM (SELECT 'session' AS holder, greatest(age(backend_xmin), age(backend_xid)) AS age FROM "
    "pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid() "
    "UNION ALL SELECT 'prepared_transaction', age(transaction) FROM pg_prepared_xacts "
    "UNION ALL SELECT 'standby', age(backend_xmin) FROM pg_stat_replication "
    "UNION ALL SELECT 'slot', age(xmin) FROM pg_replication_slots "
    "UNION ALL SELECT 'slot_catalog', age(catalog_xmin) FROM pg_replication_slots) AS holders "
    "GROUP BY holder";

constexpr ColumnTable kSessions({
    {.name = "state", .usage = Usage::kLabel},
    {.name = "oldest",
     .metric = "pg_oldest_transaction_seconds",
     .help = "Age of the oldest transaction of sessions in this state; absent when there is none.",
     .sql = "max(extract(epoch FROM clock_timestamp() - xact_start))"},
    {.name = "longest",
     .metric = "pg_oldest_state_seconds",
     .help = "For how long a session has been in this state without a break.",
     .sql = "max(extract(epoch FROM clock_timestamp() - state_change))"},
});

constexpr ColumnTable kPrepared({
    {.name = "transactions",
     .metric = "pg_prepared_transactions",
     .help = "Prepared transactions that are neither committed nor rolled back.",
     .sql = "count(*)"},
    {.name = "oldest",
     .metric = "pg_prepared_transactions_oldest_seconds",
     .help = "Age of the oldest prepared transaction; absent when there is none.",
     .sql = "max(extract(epoch FROM clock_timestamp() - prepared))"},
});

constexpr Query kQueries[] = {
    {.table = kHolders, .from = kHoldersFrom},
    {.table = kSessions,
     .from = "FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> "
             "pg_backend_pid() AND state IS NOT NULL AND state <> 'idle' GROUP BY state"},
    {.table = kPrepared, .from = "FROM pg_prepared_xacts"},
};

}  // namespace

extern constexpr PostgresCollector kXminHorizon{
    .name = "xmin_horizon",
    .help = "Old transactions, and what keeps vacuum from removing dead rows.",
    .queries = kQueries};

}  // namespace exporters::postgres
