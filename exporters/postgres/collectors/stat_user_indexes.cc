// Indexes: how much they are used, and those that are of no use: invalid, or doubling another.
#include "exporters/postgres/collector.h"

namespace exporters::postgres {
namespace {

constexpr ColumnTable kColumns({
    {.name = "datname", .usage = Usage::kLabel, .sql = "current_database()"},
    {.name = "schemaname", .usage = Usage::kLabel},
    {.name = "relname", .usage = Usage::kLabel, .sql = "stats.relname"},
    {.name = "indexrelname", .usage = Usage::kLabel},
    {.name = "idx_scan",
     .usage = Usage::kCounter,
     .metric = "pg_stat_user_indexes_idx_scan_total",
     .help = "Scans of the index."},
    {.name = "idx_tup_read",
     .usage = Usage::kCounter,
     .metric = "pg_stat_user_indexes_idx_tup_read_total",
     .help = "Entries returned by scans of the index."},
    {.name = "size",
     .metric = "pg_stat_user_indexes_size_bytes",
     .help = "Size of the index when it was last vacuumed or analyzed.",
     .sql = "relpages::bigint * current_setting('block_size')::int"},
});

constexpr ColumnTable kHealth({
    {.name = "datname", .usage = Usage::kLabel, .sql = "current_database()"},
    {.name = "invalid",
     .metric = "pg_indexes_invalid",
     .help = "Indexes that a CREATE INDEX CONCURRENTLY left unfinished.",
     .sql = "count(*) FILTER (WHERE NOT indisvalid)"},
    {.name = "unused",
     .metric = "pg_indexes_unused",
     .help = "Indexes never scanned on this server that no constraint needs.",
     .sql = "count(*) FILTER (WHERE unused)"},
    {.name = "unused_bytes",
     .metric = "pg_indexes_unused_bytes",
     .help = "Size of these indexes.",
     .sql = "coalesce(sum(relpages::bigint) FILTER (WHERE unused), 0) * "
            "current_setting('block_size')::int"},
    {.name = "duplicate",
     .metric = "pg_indexes_duplicate",
     .help = "Indexes with the same columns, operators, expressions and conditions as another.",
     .sql = "count(*) FILTER (WHERE twin > 1)"},
});

constexpr std::string_view kHealthFrom =
    "FROM (SELECT indisvalid, relpages, idx_scan = 0 AND NOT indisunique AND NOT indisprimary AND "
    "NOT indisexclusion AND NOT indisreplident AS unused, row_number() OVER (PARTITION BY "
    "indrelid, relam, indkey::text, indclass::text, indcollation::text, indoption::text, "
    "indexprs::text, indpred::text ORDER BY pg_class.oid) AS twin FROM pg_stat_user_indexes JOIN "
    "pg_index USING (indexrelid) JOIN pg_class ON pg_class.oid = indexrelid) AS indexes";

constexpr Query kQueries[] = {
    {.table = kColumns,
     .from = "FROM pg_stat_user_indexes AS stats JOIN pg_class ON pg_class.oid = indexrelid ORDER "
             "BY relpages DESC, idx_scan DESC LIMIT 500",
     .per_database = true},
    {.table = kHealth, .from = kHealthFrom, .refresh = Refresh::kSizes, .per_database = true},
};

}  // namespace

extern constexpr PostgresCollector kStatUserIndexes{
    .name = "stat_user_indexes",
    .help =
        "Scans and sizes of the 500 largest indexes of each database; unused, invalid and "
        "duplicate ones.",
    .queries = kQueries};

}  // namespace exporters::postgres
