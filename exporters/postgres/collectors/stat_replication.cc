// Standbys and subscribers as the sending server sees them, each with the position it has sent.
// Several with the same labels are one series, that of the one furthest behind.
#include "exporters/postgres/collector.h"

namespace exporters::postgres {
namespace {

constexpr ColumnTable kColumns({
    {.name = "server", .usage = Usage::kLabel, .sql = "{server}"},
    {.name = "application_name", .usage = Usage::kLabel},
    {.name = "client_addr", .usage = Usage::kLabel},
    {.name = "state", .usage = Usage::kLabel},
    {.name = "slot_name", .usage = Usage::kLabel},
    {.name = "current_lsn",
     .metric = "pg_stat_replication_pg_current_wal_lsn_bytes",
     .help = "Where the server is in the WAL, in bytes.",
     .sql = "max(pg_wal_lsn_diff(here.lsn, '0/0'))"},
    {.name = "behind",
     .metric = "pg_stat_replication_pg_wal_lsn_diff",
     .help = "Bytes of WAL that the other side has not replayed.",
     .sql = "max(pg_wal_lsn_diff(here.lsn, replay_lsn))"},
    {.name = "write_lag",
     .metric = "pg_stat_replication_write_lag_seconds",
     .help = "Time until WAL was written on the other side; absent when it is idle.",
     .sql = "max(extract(epoch FROM write_lag))"},
    {.name = "flush_lag",
     .metric = "pg_stat_replication_flush_lag_seconds",
     .help = "Time until WAL was flushed on the other side; absent when it is idle.",
     .sql = "max(extract(epoch FROM flush_lag))"},
    {.name = "replay_lag",
     .metric = "pg_stat_replication_replay_lag_seconds",
     .help = "Time until WAL was replayed on the other side; absent when it is idle.",
     .sql = "max(extract(epoch FROM replay_lag))"},
});

constexpr std::string_view kFrom =
    "FROM (SELECT application_name, host(client_addr) AS client_addr, state, slot_name, "
    "replay_lsn, write_lag, flush_lag, replay_lag FROM pg_stat_replication LEFT JOIN "
    "pg_replication_slots ON active_pid = pid) AS senders CROSS JOIN (SELECT CASE WHEN "
    "pg_is_in_recovery() THEN pg_last_wal_replay_lsn() ELSE pg_current_wal_lsn() END AS lsn) "
    "AS here GROUP BY 2, 3, 4, 5";

constexpr Query kQueries[] = {{.table = kColumns, .from = kFrom}};

}  // namespace

extern constexpr PostgresCollector kStatReplication{
    .name = "stat_replication",
    .help = "Standbys and subscribers, and how far behind they are.",
    .queries = kQueries};

}  // namespace exporters::postgres
