// Whether the server is a standby and how far behind. The lag is the age of the last transaction
// replayed; it is 0 on a primary and on a standby that has replayed all it received, and absent on
// one that has replayed no transaction since it started.
#include "exporters/postgres/collector.h"

namespace exporters::postgres {
namespace {

constexpr ColumnTable kColumns({
    {.name = "lag",
     .metric = "pg_replication_lag_seconds",
     .help = "Age of the last transaction replayed, 0 when nothing received is left to replay.",
     .sql = "CASE WHEN NOT pg_is_in_recovery() OR pg_last_wal_receive_lsn() = "
            "pg_last_wal_replay_lsn() THEN 0 WHEN pg_last_xact_replay_timestamp() IS NOT NULL THEN "
            "greatest(0, extract(epoch FROM clock_timestamp() - pg_last_xact_replay_timestamp())) "
            "END"},
    {.name = "is_replica",
     .metric = "pg_replication_is_replica",
     .help = "Whether the server is a standby.",
     .sql = "pg_is_in_recovery()"},
    {.name = "last_replay",
     .metric = "pg_replication_last_replay_seconds",
     .help = "Age of the last transaction replayed, 0 on a primary.",
     .sql = "CASE WHEN NOT pg_is_in_recovery() THEN 0 WHEN pg_last_xact_replay_timestamp() IS NOT "
            "NULL THEN greatest(0, extract(epoch FROM clock_timestamp() - "
            "pg_last_xact_replay_timestamp())) END"},
});

constexpr Query kQueries[] = {{.table = kColumns}};

}  // namespace

extern constexpr PostgresCollector kReplication{
    .name = "replication", .help = "Role and replication lag.", .queries = kQueries};

}  // namespace exporters::postgres
