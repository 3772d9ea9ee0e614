// How far a replica may fall behind before it must copy everything anew, and whether there are
// enough replicas to write.
#include <algorithm>
#include <optional>
#include <string>

#include "exporters/redis/config.h"
#include "exporters/redis/context.h"
#include "lib/base/strings.h"

namespace exporters::redis {
namespace {

constexpr model::MetricDesc kHeadroom{
    .name = "redis_replication_headroom_bytes",
    .help =
        "How much further the replica may fall behind before it needs a full "
        "resynchronisation, in bytes.",
    .labels = {"slave_ip", "slave_port"}};
constexpr model::MetricDesc kSeconds{
    .name = "redis_replication_backlog_seconds",
    .help =
        "How long a replica may be away and still catch up, at the present rate of writes to "
        "replicas, in seconds.",
};
constexpr model::MetricDesc kMissing{
    .name = "redis_replicas_missing_to_write",
    .help =
        "How many good replicas are missing before writes are taken again "
        "(min-replicas-to-write); 0 is well."};

std::optional<double> Field(const Info& info, std::string_view name) {
  const auto text = info.Find(name);
  return text.has_value() ? ParseInfoValue(*text) : std::nullopt;
}

void EmitReplicas(const Info& info, double offset, double backlog, Scrape& scrape) {
  for (const InfoField& field : info.fields()) {
    const auto number = AfterPrefix(field.name, "slave");
    if (!number || !base::ParseUint(*number)) {
      continue;
    }
    const InfoPairs pairs(field.value);
    if (const auto acknowledged = pairs.Number("offset")) {
      scrape.Emit(kHeadroom, std::max(0.0, backlog - (offset - *acknowledged)),
                  {pairs.Find("ip").value_or(""), pairs.Find("port").value_or("")});
    }
  }
}

base::Result<void> CollectHeadroom(const Snapshot& snapshot, Scrape& scrape) {
  const Info& info = snapshot.info;
  const auto offset = Field(info, "master_repl_offset");
  const auto backlog = Field(info, "repl_backlog_size");
  if (Field(info, "repl_backlog_active").value_or(0) == 1 && offset && backlog) {
    EmitReplicas(info, *offset, *backlog, scrape);
    const auto kilobytes = Field(info, "instantaneous_output_repl_kbps");
    const double replicas = Field(info, "connected_slaves").value_or(0);
    if (kilobytes.has_value() && *kilobytes > 0 && replicas > 0) {
      scrape.Emit(kSeconds, *backlog / (*kilobytes * 1024 / replicas));
    }
  }
  const auto settings = ReadSettings(snapshot.answers);
  const auto wanted = settings.find("min-replicas-to-write");
  const auto good = Field(info, "min_slaves_good_slaves");
  if (wanted != settings.end() && good.has_value()) {
    scrape.Emit(kMissing, std::max(0.0, base::ParseDouble(wanted->second).value_or(0) - *good));
  }
  return {};
}

}  // namespace

extern constexpr RedisCollector kReplicationHeadroom{
    .name = "replication_headroom",
    .help = "How much backlog is left before a full resynchronisation.",
    .collect = CollectHeadroom};

}  // namespace exporters::redis
