// Scans, rows, vacuums and sizes of the tables of a database, as far as --tables-limit goes.
#include <fmt/format.h>

#include "exporters/postgres/collector.h"

namespace exporters::postgres {
namespace {

constexpr ColumnTable kColumns({
    {.name = "datname", .usage = Usage::kLabel, .sql = "current_database()"},
    {.name = "schemaname", .usage = Usage::kLabel},
    {.name = "relname", .usage = Usage::kLabel, .sql = "stats.relname"},
    {.name = "seq_scan",
     .usage = Usage::kCounter,
     .metric = "pg_stat_user_tables_seq_scan",
     .help = "Sequential scans."},
    {.name = "seq_tup_read",
     .usage = Usage::kCounter,
     .metric = "pg_stat_user_tables_seq_tup_read",
     .help = "Rows read by sequential scans."},
    {.name = "idx_scan",
     .usage = Usage::kCounter,
     .metric = "pg_stat_user_tables_idx_scan",
     .help = "Index scans.",
     .sql = "coalesce(idx_scan, 0)"},
    {.name = "idx_tup_fetch",
     .usage = Usage::kCounter,
     .metric = "pg_stat_user_tables_idx_tup_fetch",
     .help = "Rows fetched by index scans.",
     .sql = "coalesce(idx_tup_fetch, 0)"},
    {.name = "n_tup_ins",
     .usage = Usage::kCounter,
     .metric = "pg_stat_user_tables_n_tup_ins",
     .help = "Rows inserted."},
    {.name = "n_tup_upd",
     .usage = Usage::kCounter,
     .metric = "pg_stat_user_tables_n_tup_upd",
     .help = "Rows updated."},
    {.name = "n_tup_del",
     .usage = Usage::kCounter,
     .metric = "pg_stat_user_tables_n_tup_del",
     .help = "Rows deleted."},
    {.name = "n_tup_hot_upd",
     .usage = Usage::kCounter,
     .metric = "pg_stat_user_tables_n_tup_hot_upd",
     .help = "Rows updated in place, with no new index entry."},
    {.name = "n_live_tup",
     .metric = "pg_stat_user_tables_n_live_tup",
     .help = "Estimated live rows."},
    {.name = "n_dead_tup",
     .metric = "pg_stat_user_tables_n_dead_tup",
     .help = "Estimated dead rows."},
    {.name = "n_mod_since_analyze",
     .metric = "pg_stat_user_tables_n_mod_since_analyze",
     .help = "Estimated rows changed since the last analyze."},
    {.name = "last_vacuum",
     .metric = "pg_stat_user_tables_last_vacuum",
     .help = "Unix time of the last vacuum by hand; 0 is never.",
     .sql = "coalesce(extract(epoch FROM last_vacuum), 0)"},
    {.name = "last_autovacuum",
     .metric = "pg_stat_user_tables_last_autovacuum",
     .help = "Unix time of the last automatic vacuum; 0 is never.",
     .sql = "coalesce(extract(epoch FROM last_autovacuum), 0)"},
    {.name = "last_analyze",
     .metric = "pg_stat_user_tables_last_analyze",
     .help = "Unix time of the last analyze by hand; 0 is never.",
     .sql = "coalesce(extract(epoch FROM last_analyze), 0)"},
    {.name = "last_autoanalyze",
     .metric = "pg_stat_user_tables_last_autoanalyze",
     .help = "Unix time of the last automatic analyze; 0 is never.",
     .sql = "coalesce(extract(epoch FROM last_autoanalyze), 0)"},
    {.name = "vacuum_count",
     .usage = Usage::kCounter,
     .metric = "pg_stat_user_tables_vacuum_count",
     .help = "Vacuums by hand."},
    {.name = "autovacuum_count",
     .usage = Usage::kCounter,
     .metric = "pg_stat_user_tables_autovacuum_count",
     .help = "Automatic vacuums."},
    {.name = "analyze_count",
     .usage = Usage::kCounter,
     .metric = "pg_stat_user_tables_analyze_count",
     .help = "Analyzes by hand."},
    {.name = "autoanalyze_count",
     .usage = Usage::kCounter,
     .metric = "pg_stat_user_tables_autoanalyze_count",
     .help = "Automatic analyzes."},
});

constexpr ColumnTable kSizeColumns({
    {.name = "datname", .usage = Usage::kLabel, .sql = "current_database()"},
    {.name = "schemaname", .usage = Usage::kLabel},
    {.name = "relname", .usage = Usage::kLabel},
    {.name = "table_size",
     .metric = "pg_stat_user_tables_table_size_bytes",
     .help = "Disk space of the table without its indexes.",
     .sql = "pg_table_size(relid)"},
    {.name = "index_size",
     .metric = "pg_stat_user_tables_index_size_bytes",
     .help = "Disk space of the table's indexes.",
     .sql = "pg_indexes_size(relid)"},
    {.name = "total_size",
     .metric = "pg_stat_user_tables_size_bytes",
     .help = "Disk space of the table and its indexes.",
     .sql = "pg_total_relation_size(relid)"},
});

constexpr ColumnTable kTableCount({
    {.name = "datname", .usage = Usage::kLabel, .sql = "current_database()"},
    {.name = "tables",
     .metric = "pg_database_tables",
     .help = "Tables of the database, also those beyond --tables-limit.",
     .sql = "count(*) FILTER (WHERE relnamespace::regnamespace::text NOT IN ('pg_catalog', "
            "'information_schema'))"},
});

base::Result<std::string> Sql(const Server& server) {
  return fmt::format("SELECT {} FROM pg_stat_user_tables AS stats{}",
                     SelectList(kColumns, server.version), LargestTables(server));
}

// Sizes need a lock on each table: those that someone locks exclusively, or waits to, are left out.
base::Result<std::string> SizeSql(const Server& server) {
  return fmt::format(
      "SELECT {} FROM (SELECT relid, schemaname, stats.relname FROM pg_stat_user_tables AS "
      "stats{}) AS largest WHERE relid NOT IN (SELECT relation FROM pg_locks WHERE relation IS NOT "
      "NULL AND mode = 'AccessExclusiveLock' AND database = (SELECT oid FROM pg_database WHERE "
      "datname = current_database()))",
      SelectList(kSizeColumns, server.version), LargestTables(server));
}

constexpr Query kQueries[] = {
    {.table = kColumns, .sql = Sql, .per_database = true},
    {.table = kTableCount,
     .from = "FROM pg_class WHERE relkind IN ('r', 'm', 'p')",
     .refresh = Refresh::kMinute,
     .per_database = true},
    {.table = kSizeColumns, .sql = SizeSql, .refresh = Refresh::kSizes, .per_database = true},
};

}  // namespace

extern constexpr PostgresCollector kStatUserTables{
    .name = "stat_user_tables",
    .help = "Scans, rows, vacuums and sizes of each table.",
    .queries = kQueries};

}  // namespace exporters::postgres
