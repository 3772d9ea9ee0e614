// What is in shared buffers, from the extension pg_buffercache; its function exists from 1.4 on,
// which PostgreSQL 16 brings.
#include <fmt/format.h>

#include "exporters/postgres/collector.h"

namespace exporters::postgres {
namespace {

constexpr ColumnTable kColumns({
    {.name = "buffers_used",
     .metric = "pg_buffercache_summary_buffers_used",
     .help = "Shared buffers in use."},
    {.name = "buffers_unused",
     .metric = "pg_buffercache_summary_buffers_unused",
     .help = "Shared buffers not in use."},
    {.name = "buffers_dirty",
     .metric = "pg_buffercache_summary_buffers_dirty",
     .help = "Dirty shared buffers."},
    {.name = "buffers_pinned",
     .metric = "pg_buffercache_summary_buffers_pinned",
     .help = "Pinned shared buffers."},
    {.name = "usagecount_avg",
     .metric = "pg_buffercache_summary_usagecount_avg",
     .help = "Average usage count of the shared buffers in use."},
});

base::Result<std::string> Sql(const Server& server) {
  const auto extension = server.extensions.find("pg_buffercache");
  if (extension == server.extensions.end()) {
    return base::Error(fmt::format("the extension is missing in database {}; to have it: CREATE "
                                   "EXTENSION pg_buffercache",
                                   QuoteIdentifier(server.database)),
                       base::ErrorKind::kUnsupported);
  }
  return fmt::format("SELECT {} FROM {}.pg_buffercache_summary()",
                     SelectList(kColumns, server.version),
                     QuoteIdentifier(extension->second.schema));
}

constexpr Query kQueries[] = {{.table = kColumns, .sql = Sql, .since = 160000}};

}  // namespace

extern constexpr PostgresCollector kBuffercacheSummary{
    .name = "buffercache_summary",
    .help = "What is in shared buffers; needs the extension pg_buffercache.",
    .enabled_by_default = false,
    .queries = kQueries};

}  // namespace exporters::postgres
