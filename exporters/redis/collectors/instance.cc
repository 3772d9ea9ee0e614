// What the server is, as labels. Valkey says redis_version:7.2.4 for the sake of clients that check
// it; its own version has labels of its own, on a family that has them only there.
#include "exporters/redis/context.h"

namespace exporters::redis {
namespace {

constexpr std::string_view kHelp = "What the server is: version, role, mode, process.";

constexpr model::MetricDesc kInstance{
    .name = "redis_instance_info",
    .help = kHelp,
    .labels = {"role", "redis_version", "redis_build_id", "redis_mode", "os", "maxmemory_policy",
               "tcp_port", "run_id", "process_id", "master_replid"}};

constexpr model::MetricDesc kValkeyInstance{
    .name = "redis_instance_info",
    .help = kHelp,
    .labels = {"role", "redis_version", "redis_build_id", "redis_mode", "os", "maxmemory_policy",
               "tcp_port", "run_id", "process_id", "master_replid", "valkey_version",
               "valkey_release_stage"}};

// Where a label is not named like its field, Valkey's name of the field.
std::string_view Field(const Info& info, std::string_view label) {
  return label == "redis_mode" && !info.Find(label).has_value() ? info.Get("server_mode")
                                                                : info.Get(label);
}

base::Result<void> CollectInstance(const Snapshot& snapshot, Scrape& scrape) {
  const bool valkey = snapshot.info.Find("valkey_version").has_value();
  const model::MetricDesc& desc = valkey ? kValkeyInstance : kInstance;
  model::LabelValues labels;
  for (const std::string_view label : desc.labels) {
    labels.Add(Field(snapshot.info, label));
  }
  scrape.Emit(desc, 1, std::move(labels));
  return {};
}

}  // namespace

extern constexpr RedisCollector kInstanceInfo{.name = "instance",
                                              .help = "Version, role and mode of the server.",
                                              .collect = CollectInstance};

}  // namespace exporters::redis
