// The last checkpoint, from the control file, and what has been written since.
#include "exporters/postgres/collector.h"

namespace exporters::postgres {
namespace {

constexpr ColumnTable kColumns({
    {.name = "age",
     .metric = "pg_checkpoint_age_seconds",
     .help = "Seconds since the last checkpoint was begun.",
     .sql = "extract(epoch FROM clock_timestamp() - checkpoint_time)"},
    {.name = "behind",
     .metric = "pg_checkpoint_wal_since_redo_bytes",
     .help = "Bytes of WAL since the point where recovery would begin.",
     .sql = "pg_wal_lsn_diff(CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn() ELSE "
            "pg_current_wal_lsn() END, redo_lsn)"},
    {.name = "timeline_id", .metric = "pg_timeline", .help = "Timeline of the last checkpoint."},
});

constexpr Query kQueries[] = {{.table = kColumns, .from = "FROM pg_control_checkpoint()"}};

}  // namespace

extern constexpr PostgresCollector kCheckpoint{
    .name = "checkpoint", .help = "The last checkpoint and the WAL since.", .queries = kQueries};

}  // namespace exporters::postgres
