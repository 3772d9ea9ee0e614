// WAL files that wait to be archived.
#include "exporters/postgres/collector.h"

namespace exporters::postgres {
namespace {

constexpr ColumnTable kColumns({
    {.name = "files",
     .metric = "pg_archive_ready_files",
     .help = "WAL files that wait to be archived.",
     .sql = "count(*)"},
    {.name = "oldest",
     .metric = "pg_archive_ready_oldest_seconds",
     .help = "How long the first of them has waited; absent when there is none.",
     .sql = "max(extract(epoch FROM clock_timestamp() - modification))"},
});

constexpr Query kQueries[] = {{.table = kColumns,
                               .from = "FROM pg_ls_archive_statusdir() WHERE name LIKE '%.ready'",
                               .refresh = Refresh::kMinute,
                               .since = 120000}};

}  // namespace

extern constexpr PostgresCollector kArchiveBacklog{
    .name = "archive_backlog",
    .help = "WAL files that wait to be archived, from PostgreSQL 12 on.",
    .queries = kQueries};

}  // namespace exporters::postgres
