// INFO's Replication section, as far as it is about this server. The replicas of a master are in
// replicas.cc, the link of a replica in master_link.cc.
#include "exporters/redis/context.h"

namespace exporters::redis {
namespace {

constexpr InfoMetric kMetrics[] = {
    {"connected_slaves",
     {.name = "redis_connected_slaves", .help = "Number of connected replicas."}},
    {"min_slaves_good_slaves",
     {.name = "redis_min_slaves_good_slaves",
      .help = "Number of replicas that are good enough to write (min-replicas-to-write)."}},
    {"replicas_waiting_psync",
     {.name = "redis_replicas_waiting_psync",
      .help = "Number of replicas that wait to synchronise (Valkey)."}},
    {"repl_backlog_size",
     {.name = "redis_replication_backlog_bytes",
      .help = "Size of the replication backlog, in bytes."}},
    {"repl_backlog_active",
     {.name = "redis_repl_backlog_is_active", .help = "Whether there is a replication backlog."}},
    {"repl_backlog_first_byte_offset",
     {.name = "redis_repl_backlog_first_byte_offset",
      .help = "Replication offset of the first byte in the backlog."}},
    {"repl_backlog_histlen",
     {.name = "redis_repl_backlog_history_bytes",
      .help = "How much of the backlog is in use, in bytes."}},
    {"master_repl_offset",
     {.name = "redis_master_repl_offset", .help = "Replication offset of this server."}},
    {"second_repl_offset",
     {.name = "redis_second_repl_offset",
      .help =
          "Offset up to which the previous replication ID is accepted; -1 when there is none."}},
    {"slave_priority",
     {.name = "redis_slave_priority",
      .help = "Priority of this replica when a new master is chosen."}},
    {"slave_read_repl_offset",
     {.name = "redis_slave_read_repl_offset",
      .help = "Replication offset up to which this replica has read from its master."}},
    {"connected_masters",
     {.name = "redis_connected_masters",
      .help = "Number of masters this server replicates (KeyDB)."}},
};

base::Result<void> CollectReplication(const Snapshot& snapshot, Scrape& scrape) {
  EmitInfo(kMetrics, snapshot.info, scrape);
  return {};
}

}  // namespace

extern constexpr RedisCollector kReplication{.name = "replication",
                                             .help = "Replication offsets and backlog.",
                                             .collect = CollectReplication};

}  // namespace exporters::redis
