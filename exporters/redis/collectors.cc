// The table of collectors: one row each, one file each in collectors/.
#include "exporters/redis/collectors.h"

namespace exporters::redis {

extern const RedisCollector kClients, kCluster, kCommandlog, kCommandstats, kConfig, kCpu,
    kErrorstats, kInstanceInfo, kKeyspace, kLatencyEvents, kLatencyHistogram, kLatencystats,
    kMasterLink, kMemory, kPersistence, kReplicas, kReplication, kServer, kSlowlog, kStats;

namespace {

constexpr const RedisCollector* kCollectors[] = {
    &kServer,        &kInstanceInfo, &kClients,      &kMemory,
    &kPersistence,   &kStats,        &kReplication,  &kReplicas,
    &kMasterLink,    &kCpu,          &kCluster,      &kKeyspace,
    &kCommandstats,  &kErrorstats,   &kLatencystats, &kLatencyHistogram,
    &kLatencyEvents, &kSlowlog,      &kCommandlog,   &kConfig,
};

}  // namespace

std::span<const RedisCollector* const> AllCollectors() { return kCollectors; }

}  // namespace exporters::redis
