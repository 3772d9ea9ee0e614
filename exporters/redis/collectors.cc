// The table of collectors: one row each, one file each in collectors/.
#include "exporters/redis/collectors.h"

namespace exporters::redis {

extern const RedisCollector kClientGroups, kClientList, kClients, kCluster, kCommandlog,
    kCommandstats, kConfig, kCpu, kDurability, kErrorstats, kEviction, kInstanceInfo, kKeys,
    kKeyScan, kKeysizes, kKeyspace, kLatencyEvents, kLatencyHistogram, kLatencystats, kMasterLink,
    kMemory, kModules, kPersistence, kQueues, kReplicas, kReplication, kReplicationHeadroom,
    kRiskySettings, kSentinel, kServer, kSlowlog, kSlowlogShapes, kStats, kStreams;

namespace {

// Those that ask for more than the fixed requests come last: what goes wrong there cannot harm the
// others.
constexpr const RedisCollector* kCollectors[] = {
    &kServer,        &kInstanceInfo,
    &kClients,       &kMemory,
    &kPersistence,   &kStats,
    &kReplication,   &kReplicas,
    &kMasterLink,    &kCpu,
    &kCluster,       &kKeyspace,
    &kCommandstats,  &kErrorstats,
    &kLatencystats,  &kLatencyHistogram,
    &kLatencyEvents, &kSlowlog,
    &kSlowlogShapes, &kCommandlog,
    &kConfig,        &kModules,
    &kClientGroups,  &kClientList,
    &kDurability,    &kReplicationHeadroom,
    &kEviction,      &kKeysizes,
    &kRiskySettings, &kKeyScan,
    &kSentinel,      &kKeys,
    &kStreams,       &kQueues,
};

}  // namespace

std::span<const RedisCollector* const> AllCollectors() { return kCollectors; }

}  // namespace exporters::redis
