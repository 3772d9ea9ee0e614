// What waits for autovacuum: tables over their thresholds, with the storage parameters of each
// table, as autovacuum itself decides.
#include "exporters/postgres/collector.h"

namespace exporters::postgres {
namespace {

constexpr ColumnTable kWorkers({
    {.name = "busy",
     .metric = "pg_autovacuum_workers",
     .help = "Autovacuum workers that run.",
     .sql = "count(*)"},
    {.name = "maximum",
     .metric = "pg_autovacuum_workers_max",
     .help = "Autovacuum workers that may run at once.",
     .sql = "current_setting('autovacuum_max_workers')"},
});

constexpr ColumnTable kQueue({
    {.name = "datname", .usage = Usage::kLabel, .sql = "current_database()"},
    {.name = "dead",
     .metric = "pg_autovacuum_tables_over_vacuum_threshold",
     .help = "Tables with more dead rows than autovacuum lets pass.",
     .sql = "count(*) FILTER (WHERE enabled AND over_dead)"},
    {.name = "changed",
     .metric = "pg_autovacuum_tables_over_analyze_threshold",
     .help = "Tables with more changed rows than autovacuum lets pass without an analyze.",
     .sql = "count(*) FILTER (WHERE enabled AND over_changed)"},
    {.name = "frozen",
     .metric = "pg_autovacuum_tables_over_freeze_age",
     .help = "Tables so old that autovacuum freezes them whatever else is set.",
     .sql = "count(*) FILTER (WHERE over_age)"},
    {.name = "pages",
     .metric = "pg_autovacuum_waiting_bytes",
     .help = "Size of the tables that wait for a vacuum.",
     .sql = "coalesce(sum(relpages::bigint) FILTER (WHERE over_age OR (enabled AND over_dead)), 0) "
            "* current_setting('block_size')::int"},
    {.name = "oldest",
     .metric = "pg_autovacuum_waiting_oldest_seconds",
     .help = "Longest time since the last vacuum of a table that waits for one; absent when none "
             "waits or none was ever vacuumed.",
     .sql = "max(extract(epoch FROM clock_timestamp() - last)) FILTER (WHERE over_age OR (enabled "
            "AND over_dead))"},
    {.name = "disabled",
     .metric = "pg_autovacuum_tables_disabled",
     .help = "Tables that autovacuum was told to leave alone.",
     .sql = "count(*) FILTER (WHERE NOT enabled)"},
});

constexpr std::string_view kQueueFrom =
    "FROM (SELECT relpages, last, coalesce(own_enabled, 'true') NOT IN ('false', 'off', '0', 'no') "
    "AS enabled, "
    "n_dead_tup > coalesce(own_threshold, current_setting('autovacuum_vacuum_threshold'))::float8 "
    "+ coalesce(own_factor, current_setting('autovacuum_vacuum_scale_factor'))::float8 * "
    "greatest(reltuples, 0) AS over_dead, "
    "n_mod_since_analyze > coalesce(own_analyze_threshold, "
    "current_setting('autovacuum_analyze_threshold'))::float8 + coalesce(own_analyze_factor, "
    "current_setting('autovacuum_analyze_scale_factor'))::float8 * greatest(reltuples, 0) AS "
    "over_changed, "
    "age > least(own_freeze_age::bigint, "
    "current_setting('autovacuum_freeze_max_age')::bigint) AS over_age FROM (SELECT "
    "relpages, reltuples, age(relfrozenxid) AS age, n_dead_tup, n_mod_since_analyze, "
    "greatest(last_vacuum, last_autovacuum) AS last, options.* FROM pg_stat_user_tables JOIN "
    "pg_class ON pg_class.oid = relid AND relkind IN ('r', 'm'), LATERAL (SELECT max(option_value) "
    "FILTER (WHERE option_name = 'autovacuum_enabled') AS own_enabled, max(option_value) FILTER "
    "(WHERE option_name = 'autovacuum_vacuum_threshold') AS own_threshold, max(option_value) "
    "FILTER (WHERE option_name = 'autovacuum_vacuum_scale_factor') AS own_factor, "
    "max(option_value) FILTER (WHERE option_name = 'autovacuum_analyze_threshold') AS "
    "own_analyze_threshold, max(option_value) FILTER (WHERE option_name = "
    "'autovacuum_analyze_scale_factor') AS own_analyze_factor, max(option_value) FILTER (WHERE "
    "option_name = 'autovacuum_freeze_max_age') AS own_freeze_age FROM "
    "pg_options_to_table(reloptions)) AS options) AS tables) AS judged";

constexpr Query kQueries[] = {
    {.table = kWorkers, .from = "FROM pg_stat_activity WHERE backend_type = 'autovacuum worker'"},
    {.table = kQueue, .from = kQueueFrom, .refresh = Refresh::kMinute, .per_database = true},
};

}  // namespace

extern constexpr PostgresCollector kAutovacuumQueue{
    .name = "autovacuum_queue",
    .help = "Tables that wait for autovacuum, and its workers.",
    .queries = kQueries};

}  // namespace exporters::postgres
