// Replication slots: what they hold back. Also under the names of postgres_exporter before 0.20,
// pg_replication_slot_*.
#include "exporters/postgres/collector.h"

namespace exporters::postgres {
namespace {

constexpr int kHasWalStatus = 130000;

constexpr ColumnTable kByDatabase({
    {.name = "server", .usage = Usage::kLabel, .sql = "{server}"},
    {.name = "slot_name", .usage = Usage::kLabel},
    {.name = "database", .usage = Usage::kLabel},
    {.name = "active",
     .metric = "pg_replication_slots_active",
     .help = "Whether someone uses the slot."},
    {.name = "retained",
     .metric = "pg_replication_slots_pg_wal_lsn_diff",
     .help = "Bytes of WAL that the slot holds back.",
     .sql = "pg_wal_lsn_diff(here.lsn, restart_lsn)"},
});

constexpr ColumnTable kByType({
    {.name = "slot_name", .usage = Usage::kLabel},
    {.name = "slot_type", .usage = Usage::kLabel},
    {.name = "current_lsn",
     .metric = "pg_replication_slots_slot_current_wal_lsn",
     .help = "Where the server is in the WAL, in bytes.",
     .sql = "pg_wal_lsn_diff(here.lsn, '0/0')"},
    {.name = "confirmed",
     .metric = "pg_replication_slots_slot_confirmed_flush_lsn",
     .help = "Up to where the consumer confirmed the WAL, in bytes; of active slots.",
     .sql = "CASE WHEN active THEN coalesce(pg_wal_lsn_diff(confirmed_flush_lsn, '0/0'), 0) END"},
    {.name = "is_active",
     .metric = "pg_replication_slots_slot_is_active",
     .help = "Whether someone uses the slot.",
     .sql = "active"},
    {.name = "safe_wal_size",
     .metric = "pg_replication_slots_safe_wal_size_bytes",
     .help = "Bytes of WAL that may still be written before the slot is lost.",
     .since = kHasWalStatus},
});

constexpr ColumnTable kByStatus({
    {.name = "slot_name", .usage = Usage::kLabel},
    {.name = "slot_type", .usage = Usage::kLabel},
    {.name = "wal_status", .usage = Usage::kLabel, .since = kHasWalStatus},
    {.name = "one",
     .metric = "pg_replication_slots_wal_status",
     .help = "State of the WAL that the slot needs, always 1.",
     .sql = "1"},
});

constexpr ColumnTable kByTypeBefore020({
    {.name = "slot_name", .usage = Usage::kLabel},
    {.name = "slot_type", .usage = Usage::kLabel},
    {.name = "current_lsn",
     .metric = "pg_replication_slot_slot_current_wal_lsn",
     .help = "The same as pg_replication_slots_slot_current_wal_lsn."},
    {.name = "confirmed",
     .metric = "pg_replication_slot_slot_confirmed_flush_lsn",
     .help = "The same as pg_replication_slots_slot_confirmed_flush_lsn."},
    {.name = "is_active",
     .metric = "pg_replication_slot_slot_is_active",
     .help = "The same as pg_replication_slots_slot_is_active."},
    {.name = "safe_wal_size",
     .metric = "pg_replication_slot_safe_wal_size_bytes",
     .help = "The same as pg_replication_slots_safe_wal_size_bytes.",
     .since = kHasWalStatus},
});

constexpr ColumnTable kByStatusBefore020({
    {.name = "slot_name", .usage = Usage::kLabel},
    {.name = "slot_type", .usage = Usage::kLabel},
    {.name = "wal_status", .usage = Usage::kLabel, .since = kHasWalStatus},
    {.name = "one",
     .metric = "pg_replication_slot_wal_status",
     .help = "The same as pg_replication_slots_wal_status."},
});

base::Result<std::string> Sql(const Server& server) {
  return "SELECT " + SelectList(kByType, server.version) + ", " +
         SelectList(kByDatabase, server.version) + ", " + SelectList(kByStatus, server.version) +
         // A standby has no current position, but the one it replayed.
         " FROM pg_replication_slots CROSS JOIN (SELECT CASE WHEN pg_is_in_recovery() THEN "
         "pg_last_wal_replay_lsn() ELSE pg_current_wal_lsn() END AS lsn) AS here";
}

base::Result<void> Emit(Server& server, const Rows& rows, Scrape& scrape) {
  for (const QueryTable& table :
       {QueryTable(kByDatabase), QueryTable(kByType), QueryTable(kByTypeBefore020)}) {
    RETURN_IF_ERROR(EmitRows(table, rows, server.version, scrape));
  }
  if (server.version < kHasWalStatus) {
    return {};
  }
  RETURN_IF_ERROR(EmitRows(kByStatus, rows, server.version, scrape));
  return EmitRows(kByStatusBefore020, rows, server.version, scrape);
}

constexpr Query kQueries[] = {{.sql = Sql, .emit = Emit}};

}  // namespace

extern constexpr PostgresCollector kReplicationSlots{
    .name = "replication_slots", .help = "Replication slots.", .queries = kQueries};

}  // namespace exporters::postgres
