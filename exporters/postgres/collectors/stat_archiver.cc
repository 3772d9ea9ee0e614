// The WAL archiver. What never happened has no sample.
#include "exporters/postgres/collector.h"

namespace exporters::postgres {
namespace {

constexpr ColumnTable kColumns({
    {.name = "server", .usage = Usage::kLabel, .sql = "{server}"},
    {.name = "archived_count",
     .usage = Usage::kCounter,
     .metric = "pg_stat_archiver_archived_count",
     .help = "WAL files archived."},
    {.name = "failed_count",
     .usage = Usage::kCounter,
     .metric = "pg_stat_archiver_failed_count",
     .help = "Failed attempts to archive a WAL file."},
    {.name = "last_archive_age",
     .metric = "pg_stat_archiver_last_archive_age",
     .help = "Seconds since a WAL file was archived.",
     .sql = "extract(epoch FROM clock_timestamp() - last_archived_time)"},
});

constexpr Query kQueries[] = {{.table = kColumns, .from = "FROM pg_stat_archiver"}};

}  // namespace

extern constexpr PostgresCollector kStatArchiver{
    .name = "stat_archiver", .help = "The WAL archiver.", .queries = kQueries};

}  // namespace exporters::postgres
