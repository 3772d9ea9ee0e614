// The server process: INFO's Server section. Its start time is computed by the session, which
// keeps it from wandering.
#include "exporters/redis/context.h"

namespace exporters::redis {
namespace {

constexpr InfoMetric kMetrics[] = {
    {"uptime_in_seconds",
     {.name = "redis_uptime_in_seconds",
      .help = "How long the server process has been running, in seconds."}},
    {"process_id", {.name = "redis_process_id", .help = "Process ID of the server."}},
    {"io_threads_active",
     {.name = "redis_io_threads_active", .help = "Whether I/O threads are in use (1) or not (0)."}},
    {"hz",
     {.name = "redis_hz", .help = "How often a second the server runs its background tasks now."}},
    {"configured_hz",
     {.name = "redis_configured_hz",
      .help = "How often a second the server is configured to run its background tasks."}},
    {"shutdown_in_milliseconds",
     {.name = "redis_shutdown_in_seconds",
      .help =
          "How long the server will still wait for its replicas before it shuts down, in seconds."},
     1e3},
    {"server_threads",
     {.name = "redis_server_threads_total", .help = "Number of server threads (KeyDB)."}},
    {"long_lock_waits",
     {.name = "redis_long_lock_waits_total",
      .help = "Waits for the global lock that took long (KeyDB)."}},
    {"current_client_thread",
     {.name = "redis_current_client_thread", .help = "Thread that serves this exporter (KeyDB)."}},
    {"avg_lock_contention",
     {.name = "redis_average_lock_contention",
      .help = "Average number of threads that wait for the global lock (KeyDB)."}},
    {"mvcc_depth", {.name = "redis_mvcc_depth", .help = "Number of snapshots in use (KeyDB)."}},
};

constexpr model::MetricDesc kStartTime{
    .name = "redis_start_time_seconds",
    .help = "When the server process was started, in seconds since 1970."};

base::Result<void> CollectServer(const Snapshot& snapshot, Scrape& scrape) {
  EmitInfo(kMetrics, snapshot.info, scrape);
  if (snapshot.start_time_seconds > 0) {
    scrape.Emit(kStartTime, snapshot.start_time_seconds);
  }
  return {};
}

}  // namespace

extern constexpr RedisCollector kServer{
    .name = "server",
    .help = "Uptime, threads and other facts about the server process.",
    .collect = CollectServer};

}  // namespace exporters::redis
