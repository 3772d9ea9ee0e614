// INFO's Clients section.
#include "exporters/redis/context.h"

namespace exporters::redis {
namespace {

constexpr InfoMetric kMetrics[] = {
    {"connected_clients",
     {.name = "redis_connected_clients",
      .help = "Number of client connections, replicas not included."}},
    {"cluster_connections",
     {.name = "redis_cluster_connections",
      .help = "Approximate number of sockets that the cluster bus uses."}},
    {"maxclients",
     {.name = "redis_max_clients", .help = "Number of clients the server accepts at most."}},
    // Dragonfly spells it with an underscore.
    {"max_clients",
     {.name = "redis_max_clients", .help = "Number of clients the server accepts at most."}},
    {"client_longest_output_list",
     {.name = "redis_client_longest_output_list",
      .help = "Longest output list of all clients (before Redis 5.0)."}},
    {"client_biggest_input_buf",
     {.name = "redis_client_biggest_input_buf",
      .help = "Biggest input buffer of all clients, in bytes (before Redis 5.0)."}},
    {"client_recent_max_input_buffer",
     {.name = "redis_client_recent_max_input_buffer_bytes",
      .help = "Biggest input buffer among recent clients, in bytes."}},
    {"client_recent_max_output_buffer",
     {.name = "redis_client_recent_max_output_buffer_bytes",
      .help = "Biggest output buffer among recent clients, in bytes."}},
    {"blocked_clients",
     {.name = "redis_blocked_clients",
      .help = "Number of clients that wait in a blocking command."}},
    {"tracking_clients",
     {.name = "redis_tracking_clients",
      .help = "Number of clients that have client-side caching on."}},
    {"pubsub_clients",
     {.name = "redis_pubsub_clients", .help = "Number of clients in publish/subscribe mode."}},
    {"watching_clients",
     {.name = "redis_watching_clients",
      .help = "Number of clients that watch keys for a transaction."}},
    {"clients_in_timeout_table",
     {.name = "redis_clients_in_timeout_table",
      .help = "Number of blocked clients that have a time-out."}},
    {"total_watched_keys",
     {.name = "redis_total_watched_keys", .help = "Number of keys that clients watch."}},
    {"total_blocking_keys",
     {.name = "redis_total_blocking_keys", .help = "Number of keys that clients are blocked on."}},
    {"total_blocking_keys_on_nokey",
     {.name = "redis_total_blocking_keys_on_nokey",
      .help = "Number of keys that clients are blocked on and want to be woken for when they are "
              "deleted."}},
};

base::Result<void> CollectClients(const Snapshot& snapshot, Scrape& scrape) {
  EmitInfo(kMetrics, snapshot.info, scrape);
  return {};
}

}  // namespace

extern constexpr RedisCollector kClients{.name = "clients",
                                         .help = "Connected, blocked and tracked clients.",
                                         .collect = CollectClients};

}  // namespace exporters::redis
