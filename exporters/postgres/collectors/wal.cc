// WAL segment files: 24 hexadecimal digits; history and backup labels lie beside them.
#include "exporters/postgres/collector.h"

namespace exporters::postgres {
namespace {

constexpr ColumnTable kColumns({
    {.name = "segments",
     .metric = "pg_wal_segments",
     .help = "WAL segment files.",
     .sql = "count(*)"},
    {.name = "bytes",
     .metric = "pg_wal_size_bytes",
     .help = "Size of the WAL segment files.",
     .sql = "sum(size)"},
});

constexpr Query kQueries[] = {
    {.table = kColumns, .from = "FROM pg_ls_waldir() WHERE name ~ '^[0-9A-F]{24}$'"}};

}  // namespace

extern constexpr PostgresCollector kWal{
    .name = "wal", .help = "Number and size of WAL segment files.", .queries = kQueries};

}  // namespace exporters::postgres
