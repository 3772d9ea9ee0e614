#include "exporters/postgres/collectors.h"

namespace exporters::postgres {

extern const PostgresCollector kBuffercacheSummary, kDatabase, kDatabaseWraparound, kLocks,
    kLongRunningTransactions, kPostmaster, kProcessIdle, kReplication, kReplicationSlots, kRoles,
    kSettings, kStatActivity, kStatActivityAutovacuum, kStatArchiver, kStatBgwriter,
    kStatCheckpointer, kStatDatabase, kStatDatabaseConflicts, kStatProgressVacuum, kStatReplication,
    kStatStatements, kStatUserTables, kStatWalReceiver, kStatioUserIndexes, kStatioUserTables, kWal,
    kXlogLocation;

namespace {

constexpr const PostgresCollector* kCollectors[] = {
    &kBuffercacheSummary,
    &kDatabase,
    &kDatabaseWraparound,
    &kLocks,
    &kLongRunningTransactions,
    &kPostmaster,
    &kProcessIdle,
    &kReplication,
    &kReplicationSlots,
    &kRoles,
    &kSettings,
    &kStatActivity,
    &kStatActivityAutovacuum,
    &kStatArchiver,
    &kStatBgwriter,
    &kStatCheckpointer,
    &kStatDatabase,
    &kStatDatabaseConflicts,
    &kStatProgressVacuum,
    &kStatReplication,
    &kStatStatements,
    &kStatUserTables,
    &kStatWalReceiver,
    &kStatioUserIndexes,
    &kStatioUserTables,
    &kWal,
    &kXlogLocation,
};

}  // namespace

std::span<const PostgresCollector* const> AllCollectors() { return kCollectors; }

}  // namespace exporters::postgres
