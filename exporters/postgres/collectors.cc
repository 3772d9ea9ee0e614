#include "exporters/postgres/collectors.h"

namespace exporters::postgres {

extern const PostgresCollector kAllDatabases, kArchiveBacklog, kAutovacuumQueue, kBloat, kBlocking,
    kBuffercacheSummary, kCheckpoint, kCollationDrift, kConnections, kDatabase, kDatabaseWraparound,
    kExtensions, kFreezeTables, kIdentifierOverflow, kLockWaits, kLocks, kLongRunningTransactions,
    kPostmaster, kProcessIdle, kReplication, kReplicationSlots, kRoles, kSettings, kSilentLimits,
    kStatActivity, kStatActivityAutovacuum, kStatArchiver, kStatBgwriter, kStatCheckpointer,
    kStatDatabase, kStatDatabaseConflicts, kStatIo, kStatProgress, kStatProgressVacuum,
    kStatRecoveryPrefetch, kStatReplication, kStatReplicationSlots, kStatSlru, kStatStatements,
    kStatSubscription, kStatUserIndexes, kStatUserTables, kStatWal, kStatWalReceiver,
    kStatioUserIndexes, kStatioUserTables, kSynchronousStandbys, kWaitEvents, kWal, kWalClock,
    kWraparound, kXlogLocation, kXminHorizon;

namespace {

constexpr const PostgresCollector* kCollectors[] = {
    &kAllDatabases,
    &kArchiveBacklog,
    &kAutovacuumQueue,
    &kBloat,
    &kBlocking,
    &kBuffercacheSummary,
    &kCheckpoint,
    &kCollationDrift,
    &kConnections,
    &kDatabase,
    &kDatabaseWraparound,
    &kExtensions,
    &kFreezeTables,
    &kIdentifierOverflow,
    &kLockWaits,
    &kLocks,
    &kLongRunningTransactions,
    &kPostmaster,
    &kProcessIdle,
    &kReplication,
    &kReplicationSlots,
    &kRoles,
    &kSettings,
    &kSilentLimits,
    &kStatActivity,
    &kStatActivityAutovacuum,
    &kStatArchiver,
    &kStatBgwriter,
    &kStatCheckpointer,
    &kStatDatabase,
    &kStatDatabaseConflicts,
    &kStatIo,
    &kStatProgress,
    &kStatProgressVacuum,
    &kStatRecoveryPrefetch,
    &kStatReplication,
    &kStatReplicationSlots,
    &kStatSlru,
    &kStatStatements,
    &kStatSubscription,
    &kStatUserIndexes,
    &kStatUserTables,
    &kStatWal,
    &kStatWalReceiver,
    &kStatioUserIndexes,
    &kStatioUserTables,
    &kSynchronousStandbys,
    &kWaitEvents,
    &kWal,
    &kWalClock,
    &kWraparound,
    &kXlogLocation,
    &kXminHorizon,
};

}  // namespace

std::span<const PostgresCollector* const> AllCollectors() { return kCollectors; }

}  // namespace exporters::postgres
