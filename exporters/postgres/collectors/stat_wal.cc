// pg_stat_wal: what was written to the WAL.
#include "exporters/postgres/collector.h"

namespace exporters::postgres {
namespace {

constexpr int kMovedToStatIo = 180000;

constexpr ColumnTable kColumns({
    {.name = "wal_records",
     .usage = Usage::kCounter,
     .metric = "pg_stat_wal_records_total",
     .help = "WAL records generated."},
    {.name = "wal_fpi",
     .usage = Usage::kCounter,
     .metric = "pg_stat_wal_full_page_images_total",
     .help = "WAL full page images generated."},
    {.name = "wal_bytes",
     .usage = Usage::kCounter,
     .metric = "pg_stat_wal_bytes_total",
     .help = "Bytes of WAL generated."},
    {.name = "wal_buffers_full",
     .usage = Usage::kCounter,
     .metric = "pg_stat_wal_buffers_full_total",
     .help = "Times WAL was written because its buffers were full."},
    {.name = "wal_write",
     .usage = Usage::kCounter,
     .metric = "pg_stat_wal_writes_total",
     .help = "Times WAL buffers were written.",
     .until = kMovedToStatIo},
    {.name = "wal_sync",
     .usage = Usage::kCounter,
     .metric = "pg_stat_wal_syncs_total",
     .help = "Times WAL files were synced.",
     .until = kMovedToStatIo},
    {.name = "wal_write_time",
     .usage = Usage::kCounter,
     .metric = "pg_stat_wal_write_seconds_total",
     .help = "Time spent writing WAL buffers; counts with track_wal_io_timing.",
     .scale = 1e-3,
     .until = kMovedToStatIo},
    {.name = "wal_sync_time",
     .usage = Usage::kCounter,
     .metric = "pg_stat_wal_sync_seconds_total",
     .help = "Time spent syncing WAL files; counts with track_wal_io_timing.",
     .scale = 1e-3,
     .until = kMovedToStatIo},
});

constexpr Query kQueries[] = {{.table = kColumns, .from = "FROM pg_stat_wal", .since = 140000}};

}  // namespace

extern constexpr PostgresCollector kStatWal{
    .name = "stat_wal", .help = "Generation of WAL, from PostgreSQL 14 on.", .queries = kQueries};

}  // namespace exporters::postgres
