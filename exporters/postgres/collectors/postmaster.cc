// When the server started.
#include "exporters/postgres/collector.h"

namespace exporters::postgres {
namespace {

constexpr ColumnTable kColumns({
    {.name = "started",
     .metric = "pg_postmaster_start_time_seconds",
     .help = "When the server started, as a Unix time.",
     .sql = "extract(epoch FROM pg_postmaster_start_time())"},
});

constexpr Query kQueries[] = {{.table = kColumns}};

}  // namespace

extern constexpr PostgresCollector kPostmaster{
    .name = "postmaster", .help = "When the server started.", .queries = kQueries};

}  // namespace exporters::postgres
