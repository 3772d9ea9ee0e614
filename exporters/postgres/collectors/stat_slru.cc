// The small caches of commit status, subtransactions, multixacts, … Version 17 renamed them; here
// they have its names everywhere.
#include "exporters/postgres/collector.h"

namespace exporters::postgres {
namespace {

constexpr ColumnTable kColumns({
    {.name = "name",
     .usage = Usage::kLabel,
     .sql = "CASE name WHEN 'CommitTs' THEN 'commit_timestamp' WHEN 'MultiXactMember' THEN "
            "'multixact_member' WHEN 'MultiXactOffset' THEN 'multixact_offset' WHEN 'Notify' THEN "
            "'notify' WHEN 'Serial' THEN 'serializable' WHEN 'Subtrans' THEN 'subtransaction' "
            "WHEN 'Xact' THEN 'transaction' ELSE name END"},
    {.name = "blks_zeroed",
     .usage = Usage::kCounter,
     .metric = "pg_stat_slru_blocks_zeroed_total",
     .help = "Blocks zeroed when they were made."},
    {.name = "blks_hit",
     .usage = Usage::kCounter,
     .metric = "pg_stat_slru_blocks_hit_total",
     .help = "Blocks found in the cache."},
    {.name = "blks_read",
     .usage = Usage::kCounter,
     .metric = "pg_stat_slru_blocks_read_total",
     .help = "Blocks read from disk."},
    {.name = "blks_written",
     .usage = Usage::kCounter,
     .metric = "pg_stat_slru_blocks_written_total",
     .help = "Blocks written to disk."},
    {.name = "flushes",
     .usage = Usage::kCounter,
     .metric = "pg_stat_slru_flushes_total",
     .help = "Flushes of dirty blocks."},
    {.name = "truncates",
     .usage = Usage::kCounter,
     .metric = "pg_stat_slru_truncates_total",
     .help = "Truncations."},
});

constexpr Query kQueries[] = {{.table = kColumns, .from = "FROM pg_stat_slru", .since = 130000}};

}  // namespace

extern constexpr PostgresCollector kStatSlru{
    .name = "stat_slru",
    .help = "Small caches of transaction data, from PostgreSQL 13 on.",
    .queries = kQueries};

}  // namespace exporters::postgres
