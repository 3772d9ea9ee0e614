// A standby's receiver of WAL, with a slot or without.
#include "exporters/postgres/collector.h"

namespace exporters::postgres {
namespace {

constexpr ColumnTable kColumns({
    {.name = "upstream_host", .usage = Usage::kLabel, .since = 110000, .sql = "sender_host"},
    {.name = "slot_name", .usage = Usage::kLabel},
    {.name = "status", .usage = Usage::kLabel},
    {.name = "receive_start_lsn",
     .usage = Usage::kCounter,
     .metric = "pg_stat_wal_receiver_receive_start_lsn",
     .help = "First position requested from the sender, modulo 2^52.",
     .sql = "mod(pg_wal_lsn_diff(receive_start_lsn, '0/0'), 2::numeric ^ 52)"},
    {.name = "received_lsn",
     .usage = Usage::kCounter,
     .metric = "pg_stat_wal_receiver_flushed_lsn",
     .help = "Last position received and flushed, modulo 2^52.",
     .until = 130000,
     .sql = "mod(pg_wal_lsn_diff(received_lsn, '0/0'), 2::numeric ^ 52)"},
    {.name = "flushed_lsn",
     .usage = Usage::kCounter,
     .metric = "pg_stat_wal_receiver_flushed_lsn",
     .help = "Last position received and flushed, modulo 2^52.",
     .since = 130000,
     .sql = "mod(pg_wal_lsn_diff(flushed_lsn, '0/0'), 2::numeric ^ 52)"},
    {.name = "receive_start_tli",
     .metric = "pg_stat_wal_receiver_receive_start_tli",
     .help = "Timeline at the first position requested."},
    {.name = "received_tli",
     .metric = "pg_stat_wal_receiver_received_tli",
     .help = "Timeline of the last position received."},
    {.name = "last_msg_send_time",
     .usage = Usage::kCounter,
     .metric = "pg_stat_wal_receiver_last_msg_send_time",
     .help = "When the sender sent its last message, as a Unix time.",
     .sql = "extract(epoch FROM last_msg_send_time)"},
    {.name = "last_msg_receipt_time",
     .usage = Usage::kCounter,
     .metric = "pg_stat_wal_receiver_last_msg_receipt_time",
     .help = "When the last message arrived, as a Unix time.",
     .sql = "extract(epoch FROM last_msg_receipt_time)"},
    {.name = "latest_end_lsn",
     .usage = Usage::kCounter,
     .metric = "pg_stat_wal_receiver_latest_end_lsn",
     .help = "Last position reported to the sender, modulo 2^52.",
     .sql = "mod(pg_wal_lsn_diff(latest_end_lsn, '0/0'), 2::numeric ^ 52)"},
    {.name = "latest_end_time",
     .usage = Usage::kCounter,
     .metric = "pg_stat_wal_receiver_latest_end_time",
     .help = "When that was reported, as a Unix time.",
     .sql = "extract(epoch FROM latest_end_time)"},
    {.name = "upstream_node",
     .metric = "pg_stat_wal_receiver_upstream_node",
     .help = "Number of the node upstream, of slots that repmgr made.",
     .sql = "substring(slot_name FROM 'repmgr_slot_([0-9]+)')"},
});

constexpr Query kQueries[] = {
    {.table = kColumns, .from = "FROM pg_stat_wal_receiver WHERE status IS NOT NULL"}};

}  // namespace

extern constexpr PostgresCollector kStatWalReceiver{.name = "stat_wal_receiver",
                                                    .help = "A standby's receiver of WAL.",
                                                    .enabled_by_default = false,
                                                    .queries = kQueries};

}  // namespace exporters::postgres
