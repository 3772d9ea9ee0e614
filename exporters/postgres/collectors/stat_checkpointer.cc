// pg_stat_checkpointer, which PostgreSQL 17 has. Times are milliseconds, as there.
#include "exporters/postgres/collector.h"

namespace exporters::postgres {
namespace {

constexpr ColumnTable kColumns({
    {.name = "num_timed",
     .usage = Usage::kCounter,
     .metric = "pg_stat_checkpointer_num_timed_total",
     .help = "Checkpoints that were due by time."},
    {.name = "num_requested",
     .usage = Usage::kCounter,
     .metric = "pg_stat_checkpointer_num_requested_total",
     .help = "Checkpoints that were requested."},
    {.name = "num_done",
     .usage = Usage::kCounter,
     .metric = "pg_stat_checkpointer_num_done_total",
     .help = "Checkpoints that were performed, not skipped.",
     .since = 180000},
    {.name = "restartpoints_timed",
     .usage = Usage::kCounter,
     .metric = "pg_stat_checkpointer_restartpoints_timed_total",
     .help = "Restartpoints that were due by time."},
    {.name = "restartpoints_req",
     .usage = Usage::kCounter,
     .metric = "pg_stat_checkpointer_restartpoints_req_total",
     .help = "Restartpoints that were requested."},
    {.name = "restartpoints_done",
     .usage = Usage::kCounter,
     .metric = "pg_stat_checkpointer_restartpoints_done_total",
     .help = "Restartpoints that were performed."},
    {.name = "write_time",
     .usage = Usage::kCounter,
     .metric = "pg_stat_checkpointer_write_time_total",
     .help = "Milliseconds spent writing files."},
    {.name = "sync_time",
     .usage = Usage::kCounter,
     .metric = "pg_stat_checkpointer_sync_time_total",
     .help = "Milliseconds spent syncing files."},
    {.name = "buffers_written",
     .usage = Usage::kCounter,
     .metric = "pg_stat_checkpointer_buffers_written_total",
     .help = "Shared buffers written."},
    {.name = "slru_written",
     .usage = Usage::kCounter,
     .metric = "pg_stat_checkpointer_slru_written_total",
     .help = "SLRU buffers written.",
     .since = 180000},
    {.name = "stats_reset",
     .usage = Usage::kCounter,
     .metric = "pg_stat_checkpointer_stats_reset_total",
     .help = "When these statistics were reset, as a Unix time; 0 is never.",
     .sql = "coalesce(extract(epoch FROM stats_reset), 0)"},
});

constexpr Query kQueries[] = {
    {.table = kColumns, .from = "FROM pg_stat_checkpointer", .since = 170000}};

}  // namespace

extern constexpr PostgresCollector kStatCheckpointer{
    .name = "stat_checkpointer",
    .help = "Checkpoints and restartpoints, from PostgreSQL 17 on.",
    .queries = kQueries};

}  // namespace exporters::postgres
