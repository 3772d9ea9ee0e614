// The replicas of a master, one field each:
//   slave0:ip=10.0.0.2,port=6379,state=online,offset=1234,lag=1
#include <optional>

#include "exporters/redis/context.h"
#include "lib/base/strings.h"

namespace exporters::redis {
namespace {

constexpr model::MetricDesc kOffset{.name = "redis_connected_slave_offset_bytes",
                                    .help = "Replication offset that the replica has acknowledged.",
                                    .labels = {"slave_ip", "slave_port", "slave_state"}};
constexpr model::MetricDesc kLag{
    .name = "redis_connected_slave_lag_seconds",
    .help = "How long ago the replica last said something, in seconds.",
    .labels = {"slave_ip", "slave_port", "slave_state"}};
constexpr model::MetricDesc kBehind{
    .name = "redis_connected_slave_behind_bytes",
    .help = "How far the replica's offset is behind that of the master, in bytes.",
    .labels = {"slave_ip", "slave_port", "slave_state"}};

// "slave0", not "slave_priority".
bool IsReplica(std::string_view name) {
  const auto number = AfterPrefix(name, "slave");
  return number.has_value() && base::ParseUint(*number).has_value();
}

base::Result<void> CollectReplicas(const Snapshot& snapshot, Scrape& scrape) {
  const auto master_offset = ParseInfoValue(snapshot.info.Get("master_repl_offset"));
  for (const InfoField& field : snapshot.info.fields()) {
    if (!IsReplica(field.name)) {
      continue;
    }
    const InfoPairs pairs(field.value);
    const std::string_view ip = pairs.Find("ip").value_or("");
    const std::string_view port = pairs.Find("port").value_or("");
    const std::string_view state = pairs.Find("state").value_or("");
    if (const auto offset = pairs.Number("offset"); offset.has_value()) {
      scrape.Emit(kOffset, *offset, {ip, port, state});
      if (master_offset.has_value()) {
        scrape.Emit(kBehind, *master_offset - *offset, {ip, port, state});
      }
    }
    if (const auto lag = pairs.Number("lag"); lag.has_value()) {
      scrape.Emit(kLag, *lag, {ip, port, state});
    }
  }
  return {};
}

}  // namespace

extern constexpr RedisCollector kReplicas{
    .name = "replicas", .help = "Offset and lag of each replica.", .collect = CollectReplicas};

}  // namespace exporters::redis
