// What a standby reads ahead while it replays. The view has a row on primaries too, all zero.
#include "exporters/postgres/collector.h"

namespace exporters::postgres {
namespace {

constexpr ColumnTable kColumns({
    {.name = "prefetch",
     .usage = Usage::kCounter,
     .metric = "pg_stat_recovery_prefetch_blocks_total",
     .help = "Blocks prefetched because they were not in shared buffers."},
    {.name = "hit",
     .usage = Usage::kCounter,
     .metric = "pg_stat_recovery_prefetch_hits_total",
     .help = "Blocks not prefetched because they were in shared buffers."},
    {.name = "skip_init",
     .usage = Usage::kCounter,
     .metric = "pg_stat_recovery_prefetch_skipped_new_total",
     .help = "Blocks not prefetched because they would be initialised."},
    {.name = "skip_fpw",
     .usage = Usage::kCounter,
     .metric = "pg_stat_recovery_prefetch_skipped_full_page_total",
     .help = "Blocks not prefetched because the WAL has the whole page."},
    {.name = "wal_distance",
     .metric = "pg_stat_recovery_prefetch_wal_distance_bytes",
     .help = "How many bytes ahead the prefetcher looks."},
    {.name = "block_distance",
     .metric = "pg_stat_recovery_prefetch_block_distance",
     .help = "How many blocks ahead the prefetcher looks."},
    {.name = "io_depth",
     .metric = "pg_stat_recovery_prefetch_io_depth",
     .help = "Prefetches that were begun and are not known to be finished."},
});

constexpr Query kQueries[] = {{.table = kColumns,
                               .from = "FROM pg_stat_recovery_prefetch WHERE pg_is_in_recovery()",
                               .since = 150000}};

}  // namespace

extern constexpr PostgresCollector kStatRecoveryPrefetch{
    .name = "stat_recovery_prefetch",
    .help = "Prefetching during recovery, from PostgreSQL 15 on.",
    .queries = kQueries};

}  // namespace exporters::postgres
