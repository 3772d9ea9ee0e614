// SHOW STATS_TOTALS: counters by database. Databases without a pool have no row, and counters begin
// anew when a pool is dropped. A column that the version lacks (the last five came with 1.23 and
// later) is left out.
#include "exporters/pgbouncer/context.h"

namespace exporters::pgbouncer {
namespace {

constexpr double kMicroseconds = 1e-6;

constexpr ColumnTable kTable({
    {.name = "database", .usage = Usage::kLabel},
    // The names since pgbouncer_exporter 0.11, …
    {.name = "query_count",
     .usage = Usage::kCounter,
     .metric = "pgbouncer_stats_totals_queries_pooled_total",
     .help = "SQL queries."},
    {.name = "xact_count",
     .usage = Usage::kCounter,
     .metric = "pgbouncer_stats_totals_sql_transactions_pooled_total",
     .help = "SQL transactions."},
    {.name = "bytes_received",
     .usage = Usage::kCounter,
     .metric = "pgbouncer_stats_totals_received_bytes_total",
     .help = "Bytes received from clients."},
    {.name = "bytes_sent",
     .usage = Usage::kCounter,
     .metric = "pgbouncer_stats_totals_sent_bytes_total",
     .help = "Bytes sent to clients."},
    {.name = "query_time",
     .usage = Usage::kCounter,
     .metric = "pgbouncer_stats_totals_queries_duration_seconds_total",
     .help = "Time that server connections spent on queries, in seconds.",
     .scale = kMicroseconds},
    {.name = "xact_time",
     .usage = Usage::kCounter,
     .metric = "pgbouncer_stats_totals_server_in_transaction_seconds_total",
     .help = "Time that server connections spent in transactions, idle or not, in seconds.",
     .scale = kMicroseconds},
    {.name = "wait_time",
     .usage = Usage::kCounter,
     .metric = "pgbouncer_stats_totals_client_wait_seconds_total",
     .help = "Time that clients waited for a server connection, in seconds.",
     .scale = kMicroseconds},
    {.name = "server_assignment_count",
     .usage = Usage::kCounter,
     .metric = "pgbouncer_stats_totals_server_assignments_total",
     .help = "Times a server connection was given to a client."},
    {.name = "client_parse_count",
     .usage = Usage::kCounter,
     .metric = "pgbouncer_stats_totals_client_parses_total",
     .help = "Prepared statements that clients asked for."},
    {.name = "server_parse_count",
     .usage = Usage::kCounter,
     .metric = "pgbouncer_stats_totals_server_parses_total",
     .help = "Prepared statements made on servers."},
    {.name = "bind_count",
     .usage = Usage::kCounter,
     .metric = "pgbouncer_stats_totals_binds_total",
     .help = "Prepared statements bound, so made ready to run."},
    {.name = "client_login_count",
     .usage = Usage::kCounter,
     .metric = "pgbouncer_stats_totals_client_logins_total",
     .help = "Clients that logged in."},
    // … and those before, which its documentation and most dashboards still use.
    {.name = "query_count",
     .usage = Usage::kCounter,
     .metric = "pgbouncer_stats_queries_pooled_total",
     .help = "SQL queries."},
    {.name = "xact_count",
     .usage = Usage::kCounter,
     .metric = "pgbouncer_stats_sql_transactions_pooled_total",
     .help = "SQL transactions."},
    {.name = "bytes_received",
     .usage = Usage::kCounter,
     .metric = "pgbouncer_stats_received_bytes_total",
     .help = "Bytes received from clients."},
    {.name = "bytes_sent",
     .usage = Usage::kCounter,
     .metric = "pgbouncer_stats_sent_bytes_total",
     .help = "Bytes sent to clients."},
    {.name = "query_time",
     .usage = Usage::kCounter,
     .metric = "pgbouncer_stats_queries_duration_seconds_total",
     .help = "Time that server connections spent on queries, in seconds.",
     .scale = kMicroseconds},
    {.name = "xact_time",
     .usage = Usage::kCounter,
     .metric = "pgbouncer_stats_server_in_transaction_seconds_total",
     .help = "Time that server connections spent in transactions, idle or not, in seconds.",
     .scale = kMicroseconds},
    {.name = "wait_time",
     .usage = Usage::kCounter,
     .metric = "pgbouncer_stats_client_wait_seconds_total",
     .help = "Time that clients waited for a server connection, in seconds.",
     .scale = kMicroseconds},
    {.name = "server_assignment_count",
     .usage = Usage::kCounter,
     .metric = "pgbouncer_stats_server_assignments_total",
     .help = "Times a server connection was given to a client."},
    {.name = "client_parse_count",
     .usage = Usage::kCounter,
     .metric = "pgbouncer_stats_client_parses_total",
     .help = "Prepared statements that clients asked for."},
    {.name = "server_parse_count",
     .usage = Usage::kCounter,
     .metric = "pgbouncer_stats_server_parses_total",
     .help = "Prepared statements made on servers."},
    {.name = "bind_count",
     .usage = Usage::kCounter,
     .metric = "pgbouncer_stats_binds_total",
     .help = "Prepared statements bound, so made ready to run."},
    {.name = "client_login_count",
     .usage = Usage::kCounter,
     .metric = "pgbouncer_stats_client_logins_total",
     .help = "Clients that logged in."},
});

base::Result<void> CollectStats(const Snapshot& snapshot, Scrape& scrape) {
  ASSIGN_OR_RETURN(const TextRows* rows, snapshot.Get(Show::kStats));
  return EmitRows(kTable, *rows, snapshot.version, scrape);
}

}  // namespace

extern constexpr PgBouncerCollector kStats{
    .name = "stats", .help = "Queries, traffic and time by database.", .collect = CollectStats};

}  // namespace exporters::pgbouncer
