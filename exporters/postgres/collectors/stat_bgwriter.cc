// Background writer and checkpoints. PostgreSQL 17 moved checkpoints to pg_stat_checkpointer and
// writes by backends to pg_stat_io; dashboards keep what they knew, under the old names.
#include "exporters/postgres/collector.h"

namespace exporters::postgres {
namespace {

constexpr int kCheckpointerSplit = 170000;

constexpr ColumnTable kColumns({
    {.name = "checkpoints_timed",
     .usage = Usage::kCounter,
     .metric = "pg_stat_bgwriter_checkpoints_timed_total",
     .help = "Checkpoints that were due by time.",
     .until = kCheckpointerSplit},
    {.name = "checkpoints_req",
     .usage = Usage::kCounter,
     .metric = "pg_stat_bgwriter_checkpoints_req_total",
     .help = "Checkpoints that were requested, by WAL volume or by command.",
     .until = kCheckpointerSplit},
    {.name = "checkpoint_write_time",
     .usage = Usage::kCounter,
     .metric = "pg_stat_bgwriter_checkpoint_write_time_total",
     .help = "Milliseconds checkpoints spent writing files.",
     .until = kCheckpointerSplit},
    {.name = "checkpoint_sync_time",
     .usage = Usage::kCounter,
     .metric = "pg_stat_bgwriter_checkpoint_sync_time_total",
     .help = "Milliseconds checkpoints spent syncing files.",
     .until = kCheckpointerSplit},
    {.name = "buffers_checkpoint",
     .usage = Usage::kCounter,
     .metric = "pg_stat_bgwriter_buffers_checkpoint_total",
     .help = "Buffers written by checkpoints.",
     .until = kCheckpointerSplit},
    {.name = "buffers_clean",
     .usage = Usage::kCounter,
     .metric = "pg_stat_bgwriter_buffers_clean_total",
     .help = "Buffers written by the background writer."},
    {.name = "maxwritten_clean",
     .usage = Usage::kCounter,
     .metric = "pg_stat_bgwriter_maxwritten_clean_total",
     .help = "Times the background writer stopped because it had written too many buffers."},
    {.name = "buffers_backend",
     .usage = Usage::kCounter,
     .metric = "pg_stat_bgwriter_buffers_backend_total",
     .help = "Buffers that backends had to write themselves.",
     .until = kCheckpointerSplit},
    {.name = "buffers_backend_fsync",
     .usage = Usage::kCounter,
     .metric = "pg_stat_bgwriter_buffers_backend_fsync_total",
     .help = "Times a backend had to sync a file itself.",
     .until = kCheckpointerSplit},
    {.name = "buffers_alloc",
     .usage = Usage::kCounter,
     .metric = "pg_stat_bgwriter_buffers_alloc_total",
     .help = "Buffers allocated."},
    {.name = "stats_reset",
     .usage = Usage::kCounter,
     .metric = "pg_stat_bgwriter_stats_reset_total",
     .help = "When these statistics were reset, as a Unix time; 0 is never.",
     .sql = "coalesce(extract(epoch FROM stats_reset), 0)"},
});

constexpr ColumnTable kCheckpointerColumns({
    {.name = "num_timed",
     .usage = Usage::kCounter,
     .metric = "pg_stat_bgwriter_checkpoints_timed_total",
     .help = "Checkpoints that were due by time."},
    {.name = "num_requested",
     .usage = Usage::kCounter,
     .metric = "pg_stat_bgwriter_checkpoints_req_total",
     .help = "Checkpoints that were requested, by WAL volume or by command."},
    {.name = "write_time",
     .usage = Usage::kCounter,
     .metric = "pg_stat_bgwriter_checkpoint_write_time_total",
     .help = "Milliseconds checkpoints spent writing files."},
    {.name = "sync_time",
     .usage = Usage::kCounter,
     .metric = "pg_stat_bgwriter_checkpoint_sync_time_total",
     .help = "Milliseconds checkpoints spent syncing files."},
    {.name = "buffers_written",
     .usage = Usage::kCounter,
     .metric = "pg_stat_bgwriter_buffers_checkpoint_total",
     .help = "Buffers written by checkpoints."},
});

constexpr ColumnTable kBackendColumns({
    {.name = "written",
     .usage = Usage::kCounter,
     .metric = "pg_stat_bgwriter_buffers_backend_total",
     .help = "Buffers that backends had to write themselves.",
     .sql = "sum(coalesce(writes, 0) + coalesce(extends, 0))"},
    {.name = "synced",
     .usage = Usage::kCounter,
     .metric = "pg_stat_bgwriter_buffers_backend_fsync_total",
     .help = "Times a backend had to sync a file itself.",
     .sql = "sum(coalesce(fsyncs, 0))"},
});

constexpr Query kQueries[] = {
    {.table = kColumns, .from = "FROM pg_stat_bgwriter"},
    {.table = kCheckpointerColumns,
     .from = "FROM pg_stat_checkpointer",
     .since = kCheckpointerSplit},
    {.table = kBackendColumns,
     .from = "FROM pg_stat_io WHERE backend_type = 'client backend' AND object = 'relation'",
     .since = kCheckpointerSplit},
};

}  // namespace

extern constexpr PostgresCollector kStatBgwriter{
    .name = "stat_bgwriter",
    .help = "Background writer, checkpoints and writes by backends.",
    .queries = kQueries};

}  // namespace exporters::postgres
