// Block reads and hits of the tables of a database, as far as --tables-limit goes.
#include <fmt/format.h>

#include "exporters/postgres/collector.h"

namespace exporters::postgres {
namespace {

constexpr ColumnTable kColumns({
    {.name = "datname", .usage = Usage::kLabel, .sql = "current_database()"},
    {.name = "schemaname", .usage = Usage::kLabel},
    {.name = "relname", .usage = Usage::kLabel, .sql = "stats.relname"},
    {.name = "heap_blks_read",
     .usage = Usage::kCounter,
     .metric = "pg_statio_user_tables_heap_blocks_read",
     .help = "Blocks of the table read from disk or the kernel's cache.",
     .sql = "coalesce(heap_blks_read, 0)"},
    {.name = "heap_blks_hit",
     .usage = Usage::kCounter,
     .metric = "pg_statio_user_tables_heap_blocks_hit",
     .help = "Blocks of the table found in shared buffers.",
     .sql = "coalesce(heap_blks_hit, 0)"},
    {.name = "idx_blks_read",
     .usage = Usage::kCounter,
     .metric = "pg_statio_user_tables_idx_blocks_read",
     .help = "Blocks of its indexes read from disk or the kernel's cache.",
     .sql = "coalesce(idx_blks_read, 0)"},
    {.name = "idx_blks_hit",
     .usage = Usage::kCounter,
     .metric = "pg_statio_user_tables_idx_blocks_hit",
     .help = "Blocks of its indexes found in shared buffers.",
     .sql = "coalesce(idx_blks_hit, 0)"},
    {.name = "toast_blks_read",
     .usage = Usage::kCounter,
     .metric = "pg_statio_user_tables_toast_blocks_read",
     .help = "Blocks of its TOAST table read from disk or the kernel's cache.",
     .sql = "coalesce(toast_blks_read, 0)"},
    {.name = "toast_blks_hit",
     .usage = Usage::kCounter,
     .metric = "pg_statio_user_tables_toast_blocks_hit",
     .help = "Blocks of its TOAST table found in shared buffers.",
     .sql = "coalesce(toast_blks_hit, 0)"},
    {.name = "tidx_blks_read",
     .usage = Usage::kCounter,
     .metric = "pg_statio_user_tables_tidx_blocks_read",
     .help = "Blocks of its TOAST table's index read from disk or the kernel's cache.",
     .sql = "coalesce(tidx_blks_read, 0)"},
    {.name = "tidx_blks_hit",
     .usage = Usage::kCounter,
     .metric = "pg_statio_user_tables_tidx_blocks_hit",
     .help = "Blocks of its TOAST table's index found in shared buffers.",
     .sql = "coalesce(tidx_blks_hit, 0)"},
});

base::Result<std::string> Sql(const Server& server) {
  return fmt::format("SELECT {} FROM pg_statio_user_tables AS stats{}",
                     SelectList(kColumns, server.version), LargestTables(server));
}

constexpr Query kQueries[] = {{.table = kColumns, .sql = Sql, .per_database = true}};

}  // namespace

extern constexpr PostgresCollector kStatioUserTables{.name = "statio_user_tables",
                                                     .help = "Block reads and hits of each table.",
                                                     .queries = kQueries};

}  // namespace exporters::postgres
