// Sessions by database, state, user, application and wait event, as one look at pg_stat_activity
// shows them. Every database has every state, with 0 and empty labels where nobody is in it.
#include "exporters/postgres/collector.h"

namespace exporters::postgres {
namespace {

constexpr ColumnTable kColumns({
    {.name = "server", .usage = Usage::kLabel, .sql = "{server}"},
    {.name = "datname", .usage = Usage::kLabel},
    {.name = "state", .usage = Usage::kLabel},
    {.name = "usename", .usage = Usage::kLabel},
    {.name = "application_name", .usage = Usage::kLabel},
    {.name = "backend_type", .usage = Usage::kLabel},
    {.name = "wait_event_type", .usage = Usage::kLabel},
    {.name = "wait_event", .usage = Usage::kLabel},
    {.name = "sessions",
     .metric = "pg_stat_activity_count",
     .help = "Sessions in this state.",
     .sql = "coalesce(sessions, 0)"},
    {.name = "oldest",
     .metric = "pg_stat_activity_max_tx_duration",
     .help = "Age in seconds of the oldest open transaction of these sessions.",
     .sql = "coalesce(oldest, 0)"},
});

constexpr std::string_view kFrom =
    "FROM (SELECT datname, state FROM pg_database CROSS JOIN unnest(ARRAY['active', 'idle', "
    "'idle in transaction', 'idle in transaction (aborted)', 'fastpath function call', "
    "'disabled']) AS state) AS every_state LEFT JOIN (SELECT datname, state, usename, "
    "application_name, backend_type, wait_event_type, wait_event, count(*) AS sessions, "
    "max(extract(epoch FROM clock_timestamp() - xact_start)) AS oldest FROM pg_stat_activity "
    "GROUP BY 1, 2, 3, 4, 5, 6, 7) AS seen USING (datname, state)";

constexpr Query kQueries[] = {{.table = kColumns, .from = kFrom}};

}  // namespace

extern constexpr PostgresCollector kStatActivity{
    .name = "stat_activity",
    .help = "Sessions by database, state, user, application and wait event.",
    .queries = kQueries};

}  // namespace exporters::postgres
