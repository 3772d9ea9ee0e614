// The table of collectors: one row each, one file each in collectors/.
#include "exporters/pgbouncer/collectors.h"

namespace exporters::pgbouncer {

extern const PgBouncerCollector kConfig, kConnections, kDatabases, kLimits, kLists, kMemory, kPools,
    kProcess, kState, kStats, kUsers, kVersion;

namespace {

constexpr const PgBouncerCollector* kCollectors[] = {
    &kVersion, &kLists,       &kConfig, &kDatabases, &kStats,  &kPools,
    &kUsers,   &kConnections, &kLimits, &kState,     &kMemory, &kProcess,
};

}  // namespace

std::span<const PgBouncerCollector* const> AllCollectors() { return kCollectors; }

}  // namespace exporters::pgbouncer
