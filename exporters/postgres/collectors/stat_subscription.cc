// Logical replication on the subscriber: how far each subscription is, and what went wrong.
#include "exporters/postgres/collector.h"

namespace exporters::postgres {
namespace {

constexpr ColumnTable kColumns({
    {.name = "subname", .usage = Usage::kLabel},
    {.name = "workers",
     .metric = "pg_stat_subscription_workers",
     .help = "Workers of the subscription that run; 0 is a subscription that stands still.",
     .sql = "count(pid)"},
    {.name = "received_lsn",
     .metric = "pg_stat_subscription_received_lsn_bytes",
     .help = "Up to where the WAL of the publisher was received, in bytes.",
     .sql = "max(pg_wal_lsn_diff(received_lsn, '0/0'))"},
    {.name = "behind",
     .metric = "pg_stat_subscription_lag_bytes",
     .help = "Bytes received that are not yet reported as applied.",
     .sql = "max(pg_wal_lsn_diff(received_lsn, latest_end_lsn))"},
    {.name = "message_age",
     .metric = "pg_stat_subscription_last_message_age_seconds",
     .help = "Seconds since the publisher sent something.",
     .sql = "min(extract(epoch FROM clock_timestamp() - last_msg_receipt_time))"},
});

constexpr ColumnTable kErrorColumns({
    {.name = "subname", .usage = Usage::kLabel},
    {.name = "apply_error_count",
     .usage = Usage::kCounter,
     .metric = "pg_stat_subscription_apply_errors_total",
     .help = "Errors while applying changes."},
    {.name = "sync_error_count",
     .usage = Usage::kCounter,
     .metric = "pg_stat_subscription_sync_errors_total",
     .help = "Errors while copying tables at first."},
    {.name = "conflicts",
     .usage = Usage::kCounter,
     .metric = "pg_stat_subscription_conflicts_total",
     .help = "Changes that conflicted with rows of the subscriber.",
     .since = 180000,
     .sql = "confl_insert_exists + confl_update_origin_differs + confl_update_exists + "
            "confl_update_missing + confl_delete_origin_differs + confl_delete_missing + "
            "confl_multiple_unique_conflicts"},
});

constexpr Query kQueries[] = {
    {.table = kColumns, .from = "FROM pg_stat_subscription GROUP BY subname"},
    {.table = kErrorColumns, .from = "FROM pg_stat_subscription_stats", .since = 150000},
};

}  // namespace

extern constexpr PostgresCollector kStatSubscription{
    .name = "stat_subscription",
    .help = "Subscriptions of logical replication, as the subscriber sees them.",
    .queries = kQueries};

}  // namespace exporters::postgres
