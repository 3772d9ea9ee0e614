// SHOW POOLS: one row a pool, which is a database and a user. Columns came and went (cl_cancel_req
// in 1.16 and 1.17 only, the cancel columns since 1.18); what the version lacks is left out.
#include "exporters/pgbouncer/context.h"

namespace exporters::pgbouncer {
namespace {

constexpr ColumnTable kTable({
    {.name = "database", .usage = Usage::kLabel},
    {.name = "user", .usage = Usage::kLabel},
    {.name = "cl_active",
     .metric = "pgbouncer_pools_client_active_connections",
     .help = "Client connections that are linked to a server, or idle with none wanted."},
    {.name = "cl_waiting",
     .metric = "pgbouncer_pools_client_waiting_connections",
     .help = "Client connections that wait for a server."},
    {.name = "cl_active_cancel_req",
     .metric = "pgbouncer_pools_client_active_cancel_connections",
     .help = "Client connections whose cancel request is on its way to the server."},
    {.name = "cl_waiting_cancel_req",
     .metric = "pgbouncer_pools_client_waiting_cancel_connections",
     .help = "Client connections whose cancel request waits for a server connection."},
    {.name = "sv_active",
     .metric = "pgbouncer_pools_server_active_connections",
     .help = "Server connections that are linked to a client."},
    {.name = "sv_active_cancel",
     .metric = "pgbouncer_pools_server_active_cancel_connections",
     .help = "Server connections that carry a cancel request."},
    {.name = "sv_being_canceled",
     .metric = "pgbouncer_pools_server_being_canceled_connections",
     .help = "Server connections that wait for cancel requests against them to end."},
    {.name = "sv_idle",
     .metric = "pgbouncer_pools_server_idle_connections",
     .help = "Server connections that are free for a client."},
    {.name = "sv_used",
     .metric = "pgbouncer_pools_server_used_connections",
     .help = "Server connections that have been idle for long and are checked before use."},
    {.name = "sv_tested",
     .metric = "pgbouncer_pools_server_testing_connections",
     .help = "Server connections that run a check or reset query."},
    {.name = "sv_login",
     .metric = "pgbouncer_pools_server_login_connections",
     .help = "Server connections that are logging in."},
});

constexpr model::MetricDesc kMaxWait{
    .name = "pgbouncer_pools_client_maxwait_seconds",
    .help = "For how long the client has waited that has waited longest, in seconds.",
    .labels = {"database", "user"}};

// Two columns, seconds and the microseconds beyond, are one value. pgbouncer_exporter drops the
// second, so that it never sees a wait of less than a second.
void EmitMaxWait(const TextRows& rows, Scrape& scrape) {
  const auto database = rows.Find("database");
  const auto user = rows.Find("user");
  const auto seconds = rows.Find("maxwait");
  const auto microseconds = rows.Find("maxwait_us");
  if (!database.has_value() || !user.has_value() || !seconds.has_value()) {
    return;
  }
  for (size_t row = 0; row < rows.row_count(); ++row) {
    const auto whole = ParseCell(rows.at(row, *seconds).value_or(""));
    const auto rest = microseconds.has_value() ? ParseCell(rows.at(row, *microseconds).value_or(""))
                                               : std::nullopt;
    if (whole.has_value()) {
      scrape.Emit(kMaxWait, *whole + rest.value_or(0) / 1e6,
                  {rows.at(row, *database).value_or(""), rows.at(row, *user).value_or("")});
    }
  }
}

base::Result<void> CollectPools(const Snapshot& snapshot, Scrape& scrape) {
  ASSIGN_OR_RETURN(const TextRows* rows, snapshot.Get(Show::kPools));
  EmitMaxWait(*rows, scrape);
  return EmitRows(kTable, *rows, snapshot.version, scrape);
}

}  // namespace

extern constexpr PgBouncerCollector kPools{
    .name = "pools", .help = "Clients and servers of each pool.", .collect = CollectPools};

}  // namespace exporters::pgbouncer
