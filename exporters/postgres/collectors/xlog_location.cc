// Where the server is in the WAL; on a standby, what it has replayed.
#include "exporters/postgres/collector.h"

namespace exporters::postgres {
namespace {

constexpr ColumnTable kColumns({
    {.name = "bytes",
     .metric = "pg_xlog_location_bytes",
     .help = "Where the server is in the WAL, in bytes.",
     .sql = "pg_wal_lsn_diff(CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn() ELSE "
            "pg_current_wal_lsn() END, '0/0')"},
});

constexpr Query kQueries[] = {{.table = kColumns}};

}  // namespace

extern constexpr PostgresCollector kXlogLocation{.name = "xlog_location",
                                                 .help = "Position in the WAL.",
                                                 .enabled_by_default = false,
                                                 .queries = kQueries};

}  // namespace exporters::postgres
