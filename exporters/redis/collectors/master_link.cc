// A replica's link to its master: fields master_host, master_port, master_link_status, … KeyDB
// replicates several masters; the second one's fields start with "master_1_", and so on.
#include <string>

#include <fmt/format.h>

#include "exporters/redis/context.h"

namespace exporters::redis {
namespace {

// Masters beyond are not shown.
constexpr int kMaxMasters = 64;

constexpr model::MetricDesc kSlaveInfo{
    .name = "redis_slave_info",
    .help = "Which master this replica follows, and whether it is read-only.",
    .labels = {"master_host", "master_port", "read_only"}};

struct LinkMetric {
  std::string_view field;  // Without "master_" or "master_1_".
  model::MetricDesc desc;
};

constexpr LinkMetric kMetrics[] = {
    {"link_status",
     {.name = "redis_master_link_up",
      .help = "Whether the link to the master is up.",
      .labels = {"master_host", "master_port"}}},
    {"last_io_seconds_ago",
     {.name = "redis_master_last_io_seconds_ago",
      .help = "How long ago the master last said something, in seconds.",
      .labels = {"master_host", "master_port"}}},
    {"sync_in_progress",
     {.name = "redis_master_sync_in_progress",
      .help = "Whether the master is sending its data set.",
      .labels = {"master_host", "master_port"}}},
    {"link_down_since_seconds",
     {.name = "redis_master_link_down_since_seconds",
      .help = "For how long the link to the master has been down, in seconds.",
      .labels = {"master_host", "master_port"}}},
    {"sync_total_bytes",
     {.name = "redis_master_sync_total_bytes",
      .help = "Size of the data set the master is sending, in bytes; 0 when not known.",
      .labels = {"master_host", "master_port"}}},
    {"sync_read_bytes",
     {.name = "redis_master_sync_read_bytes",
      .help = "How much of the data set has arrived, in bytes.",
      .labels = {"master_host", "master_port"}}},
    {"sync_left_bytes",
     {.name = "redis_master_sync_left_bytes",
      .help = "How much of the data set is still to come, in bytes.",
      .labels = {"master_host", "master_port"}}},
};

constexpr model::MetricDesc kOffset{.name = "redis_slave_repl_offset",
                                    .help = "Replication offset of this replica.",
                                    .labels = {"master_host", "master_port"}};

void EmitLink(const Info& info, const std::string& prefix, Scrape& scrape) {
  const std::string_view host = info.Get(prefix + "host");
  const std::string_view port = info.Get(prefix + "port");
  for (const LinkMetric& metric : kMetrics) {
    const auto value = ParseInfoValue(info.Get(prefix + std::string(metric.field)));
    if (value.has_value()) {
      scrape.Emit(metric.desc, *value, {host, port});
    }
  }
  if (const auto offset = ParseInfoValue(info.Get("slave_repl_offset")); offset.has_value()) {
    scrape.Emit(kOffset, *offset, {host, port});
  }
}

base::Result<void> CollectMasterLink(const Snapshot& snapshot, Scrape& scrape) {
  const Info& info = snapshot.info;
  if (!info.Find("master_host").has_value()) {
    return {};
  }
  if (info.Get("role") == "slave") {
    scrape.Emit(kSlaveInfo, 1,
                {info.Get("master_host"), info.Get("master_port"), info.Get("slave_read_only")});
  }
  EmitLink(info, "master_", scrape);
  for (int i = 1; i < kMaxMasters; ++i) {
    const std::string prefix = fmt::format("master_{}_", i);
    if (!info.Find(prefix + "host").has_value()) {
      break;
    }
    EmitLink(info, prefix, scrape);
  }
  return {};
}

}  // namespace

extern constexpr RedisCollector kMasterLink{
    .name = "master_link", .help = "A replica's link to its master.", .collect = CollectMasterLink};

}  // namespace exporters::redis
