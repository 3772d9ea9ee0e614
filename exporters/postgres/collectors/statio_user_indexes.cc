// Block reads and hits of the indexes of the database we are connected to.
#include "exporters/postgres/collector.h"

namespace exporters::postgres {
namespace {

constexpr ColumnTable kColumns({
    {.name = "schemaname", .usage = Usage::kLabel},
    {.name = "relname", .usage = Usage::kLabel},
    {.name = "indexrelname", .usage = Usage::kLabel},
    {.name = "idx_blks_read",
     .usage = Usage::kCounter,
     .metric = "pg_statio_user_indexes_idx_blks_read_total",
     .help = "Blocks of the index read from disk or the kernel's cache."},
    {.name = "idx_blks_hit",
     .usage = Usage::kCounter,
     .metric = "pg_statio_user_indexes_idx_blks_hit_total",
     .help = "Blocks of the index found in shared buffers."},
});

constexpr Query kQueries[] = {{.table = kColumns, .from = "FROM pg_statio_user_indexes"}};

}  // namespace

extern constexpr PostgresCollector kStatioUserIndexes{.name = "statio_user_indexes",
                                                      .help = "Block reads and hits of each index.",
                                                      .enabled_by_default = false,
                                                      .queries = kQueries};

}  // namespace exporters::postgres
