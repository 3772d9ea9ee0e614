// Long commands that run: ANALYZE, CREATE INDEX, CLUSTER and VACUUM FULL, base backups, COPY. A
// relation of another database has no name here, but a number.
#include "exporters/postgres/collector.h"

namespace exporters::postgres {
namespace {

constexpr std::string_view kRelation = "coalesce(pg_class.relname, progress.relid::text)";

constexpr ColumnTable kAnalyze({
    {.name = "datname", .usage = Usage::kLabel, .sql = "progress.datname"},
    {.name = "relname", .usage = Usage::kLabel, .sql = kRelation},
    {.name = "phase", .usage = Usage::kLabel},
    {.name = "sample_blks_total",
     .metric = "pg_stat_progress_analyze_sample_blocks",
     .help = "Blocks that will be sampled."},
    {.name = "sample_blks_scanned",
     .metric = "pg_stat_progress_analyze_sample_blocks_scanned",
     .help = "Blocks sampled."},
});

constexpr ColumnTable kCreateIndex({
    {.name = "datname", .usage = Usage::kLabel, .sql = "progress.datname"},
    {.name = "relname", .usage = Usage::kLabel, .sql = kRelation},
    {.name = "command", .usage = Usage::kLabel},
    {.name = "phase", .usage = Usage::kLabel},
    {.name = "lockers_total",
     .metric = "pg_stat_progress_create_index_lockers",
     .help = "Lockers to wait for."},
    {.name = "lockers_done",
     .metric = "pg_stat_progress_create_index_lockers_done",
     .help = "Lockers already waited for."},
    {.name = "blocks_total",
     .metric = "pg_stat_progress_create_index_blocks",
     .help = "Blocks to process in this phase."},
    {.name = "blocks_done",
     .metric = "pg_stat_progress_create_index_blocks_done",
     .help = "Blocks processed in this phase."},
    {.name = "tuples_total",
     .metric = "pg_stat_progress_create_index_tuples",
     .help = "Rows to process in this phase."},
    {.name = "tuples_done",
     .metric = "pg_stat_progress_create_index_tuples_done",
     .help = "Rows processed in this phase."},
});

constexpr ColumnTable kCluster({
    {.name = "datname", .usage = Usage::kLabel, .sql = "progress.datname"},
    {.name = "relname", .usage = Usage::kLabel, .sql = kRelation},
    {.name = "command", .usage = Usage::kLabel},
    {.name = "phase", .usage = Usage::kLabel},
    {.name = "heap_blks_total",
     .metric = "pg_stat_progress_cluster_heap_blocks",
     .help = "Blocks of the table."},
    {.name = "heap_blks_scanned",
     .metric = "pg_stat_progress_cluster_heap_blocks_scanned",
     .help = "Blocks scanned."},
    {.name = "heap_tuples_written",
     .metric = "pg_stat_progress_cluster_heap_tuples_written",
     .help = "Rows written."},
});

constexpr ColumnTable kBaseBackup({
    {.name = "phase", .usage = Usage::kLabel},
    {.name = "backup_total",
     .metric = "pg_stat_progress_basebackup_bytes",
     .help = "Bytes that the running base backups will send; absent while unknown.",
     .sql = "sum(backup_total)"},
    {.name = "backup_streamed",
     .metric = "pg_stat_progress_basebackup_streamed_bytes",
     .help = "Bytes that the running base backups have sent.",
     .sql = "sum(backup_streamed)"},
});

constexpr ColumnTable kCopy({
    {.name = "datname", .usage = Usage::kLabel, .sql = "progress.datname"},
    {.name = "relname", .usage = Usage::kLabel, .sql = kRelation},
    {.name = "command", .usage = Usage::kLabel},
    {.name = "bytes_processed",
     .metric = "pg_stat_progress_copy_processed_bytes",
     .help = "Bytes processed.",
     .sql = "sum(bytes_processed)"},
    {.name = "bytes_total",
     .metric = "pg_stat_progress_copy_bytes",
     .help = "Bytes of the file; 0 when there is none.",
     .sql = "sum(bytes_total)"},
    {.name = "tuples_processed",
     .metric = "pg_stat_progress_copy_tuples",
     .help = "Rows processed.",
     .sql = "sum(tuples_processed)"},
});

constexpr Query kQueries[] = {
    {.table = kAnalyze,
     .from = "FROM pg_stat_progress_analyze AS progress LEFT JOIN pg_class ON pg_class.oid = "
             "progress.relid AND progress.datname = current_database()",
     .since = 130000},
    {.table = kCreateIndex,
     .from = "FROM pg_stat_progress_create_index AS progress LEFT JOIN pg_class ON pg_class.oid = "
             "progress.relid AND progress.datname = current_database()",
     .since = 120000},
    {.table = kCluster,
     .from = "FROM pg_stat_progress_cluster AS progress LEFT JOIN pg_class ON pg_class.oid = "
             "progress.relid AND progress.datname = current_database()",
     .since = 120000},
    {.table = kBaseBackup,
     .from = "FROM pg_stat_progress_basebackup GROUP BY phase",
     .since = 130000},
    {.table = kCopy,
     .from = "FROM pg_stat_progress_copy AS progress LEFT JOIN pg_class ON pg_class.oid = "
             "progress.relid AND progress.datname = current_database() GROUP BY 1, 2, 3",
     .since = 140000},
};

}  // namespace

extern constexpr PostgresCollector kStatProgress{
    .name = "stat_progress",
    .help = "Progress of ANALYZE, CREATE INDEX, CLUSTER, base backups and COPY.",
    .queries = kQueries};

}  // namespace exporters::postgres
