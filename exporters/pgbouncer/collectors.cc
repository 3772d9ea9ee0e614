// The table of collectors: one row each, one file each in collectors/.
#include "exporters/pgbouncer/collectors.h"

namespace exporters::pgbouncer {

extern const PgBouncerCollector kConfig, kDatabases, kLists, kPools, kProcess, kStats, kVersion;

namespace {

constexpr const PgBouncerCollector* kCollectors[] = {
    &kVersion, &kLists, &kConfig, &kDatabases, &kStats, &kPools, &kProcess,
};

}  // namespace

std::span<const PgBouncerCollector* const> AllCollectors() { return kCollectors; }

}  // namespace exporters::pgbouncer
