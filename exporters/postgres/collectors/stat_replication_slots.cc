// Logical slots: what decoding wrote to disk; and since when a slot has no reader.
#include "exporters/postgres/collector.h"

namespace exporters::postgres {
namespace {

constexpr ColumnTable kColumns({
    {.name = "slot_name", .usage = Usage::kLabel},
    {.name = "spill_txns",
     .usage = Usage::kCounter,
     .metric = "pg_stat_replication_slots_spilled_transactions_total",
     .help = "Transactions written to disk while decoding, for logical_decoding_work_mem was "
             "full."},
    {.name = "spill_bytes",
     .usage = Usage::kCounter,
     .metric = "pg_stat_replication_slots_spilled_bytes_total",
     .help = "Decoded bytes of these."},
    {.name = "stream_txns",
     .usage = Usage::kCounter,
     .metric = "pg_stat_replication_slots_streamed_transactions_total",
     .help = "Transactions sent before they were committed."},
    {.name = "stream_bytes",
     .usage = Usage::kCounter,
     .metric = "pg_stat_replication_slots_streamed_bytes_total",
     .help = "Decoded bytes of these."},
    {.name = "total_txns",
     .usage = Usage::kCounter,
     .metric = "pg_stat_replication_slots_transactions_total",
     .help = "Transactions sent."},
    {.name = "total_bytes",
     .usage = Usage::kCounter,
     .metric = "pg_stat_replication_slots_bytes_total",
     .help = "Decoded bytes of all."},
});

constexpr ColumnTable kInactive({
    {.name = "slot_name", .usage = Usage::kLabel},
    {.name = "slot_type", .usage = Usage::kLabel},
    {.name = "seconds",
     .metric = "pg_replication_slots_inactive_seconds",
     .help = "Seconds since the slot had a reader.",
     .sql = "extract(epoch FROM clock_timestamp() - inactive_since)"},
    {.name = "invalid",
     .metric = "pg_replication_slots_invalidated",
     .help = "Whether the slot is beyond use.",
     .sql = "(invalidation_reason IS NOT NULL)"},
});

constexpr Query kQueries[] = {
    {.table = kColumns, .from = "FROM pg_stat_replication_slots", .since = 140000},
    {.table = kInactive, .from = "FROM pg_replication_slots", .since = 170000},
};

}  // namespace

extern constexpr PostgresCollector kStatReplicationSlots{
    .name = "stat_replication_slots",
    .help = "Logical decoding by slot, from PostgreSQL 14 on; idle slots, from 17 on.",
    .queries = kQueries};

}  // namespace exporters::postgres
