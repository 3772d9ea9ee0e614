// Limits that slow a server down, or lock people out, without a word in its log.
#include "exporters/postgres/collector.h"

namespace exporters::postgres {
namespace {

constexpr ColumnTable kNotify({
    {.name = "used",
     .metric = "pg_notification_queue_usage_ratio",
     .help = "How much of the queue of NOTIFY is full; at 1 transactions fail.",
     .sql = "pg_notification_queue_usage()"},
});

constexpr ColumnTable kSubtransactions({
    {.name = "overflowed",
     .metric = "pg_subtransactions_overflowed_sessions",
     .help = "Sessions with more subtransactions than shared memory remembers of each; they slow "
             "every snapshot down.",
     .sql = "count(*) FILTER (WHERE subxact_overflowed)"},
    {.name = "most",
     .metric = "pg_subtransactions_max",
     .help = "Most subtransactions that a session has open.",
     .sql = "coalesce(max(subxact_count), 0)"},
});

constexpr ColumnTable kFastPath({
    {.name = "sessions",
     .metric = "pg_fastpath_locks_exceeded_sessions",
     .help = "Sessions with weak relation locks that did not fit their fast path.",
     .sql = "count(DISTINCT pid)"},
    {.name = "locks",
     .metric = "pg_fastpath_locks_exceeded",
     .help = "Weak relation locks that are in the shared table instead of the fast path.",
     .sql = "count(*)"},
});

constexpr ColumnTable kExpiry({
    {.name = "rolname", .usage = Usage::kLabel},
    {.name = "seconds",
     .metric = "pg_role_password_expires_seconds",
     .help = "Seconds until the password of a role is no longer valid; negative since then.",
     .sql = "extract(epoch FROM rolvaliduntil - clock_timestamp())"},
});

constexpr ColumnTable kPendingRestart({
    {.name = "settings",
     .metric = "pg_pending_restart_settings",
     .help = "Parameters changed in the configuration that take effect with a restart.",
     .sql = "count(*)"},
});

constexpr Query kQueries[] = {
    {.table = kNotify},
    {.table = kSubtransactions,
     .from = "FROM pg_stat_get_backend_idset() AS backend(id), LATERAL "
             "pg_stat_get_backend_subxact(backend.id)",
     .since = 160000},
    {.table = kFastPath,
     .from = "FROM pg_locks WHERE locktype = 'relation' AND NOT fastpath AND granted AND mode IN "
             "('AccessShareLock', 'RowShareLock', 'RowExclusiveLock') AND database <> 0"},
    {.table = kExpiry,
     .from = "FROM pg_roles WHERE rolcanlogin AND rolvaliduntil IS NOT NULL AND "
             "isfinite(rolvaliduntil)",
     .refresh = Refresh::kMinute},
    {.table = kPendingRestart,
     .from = "FROM pg_settings WHERE pending_restart",
     .refresh = Refresh::kMinute},
};

}  // namespace

extern constexpr PostgresCollector kSilentLimits{
    .name = "silent_limits",
    .help = "NOTIFY queue, subtransactions, fast-path locks, passwords that expire.",
    .queries = kQueries};

}  // namespace exporters::postgres
