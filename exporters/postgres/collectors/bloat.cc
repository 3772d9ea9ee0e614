// Space that a rewrite would free, estimated from what ANALYZE knows: rows and their average width
// against pages. Tables whose columns we may not read have no statistics and no sample.
#include "exporters/postgres/collector.h"

namespace exporters::postgres {
namespace {

constexpr ColumnTable kColumns({
    {.name = "datname", .usage = Usage::kLabel, .sql = "current_database()"},
    {.name = "schemaname", .usage = Usage::kLabel},
    {.name = "relname", .usage = Usage::kLabel},
    {.name = "size",
     .metric = "pg_bloat_table_real_size",
     .help = "Bytes of the table's main fork when it was last analyzed.",
     .sql = "pages * page"},
    {.name = "percent",
     .metric = "pg_bloat_table_bloat_pct",
     .help = "Percent of it that a rewrite would free, as an estimate.",
     .sql = "greatest(0, 100 * (pages - needed) / pages)"},
});

// A row is 24 bytes of header, 4 of line pointer and its columns, padded to 8; a page has 24 bytes
// of its own.
constexpr std::string_view kFrom =
    "FROM (SELECT nspname AS schemaname, relname, relpages::float8 AS pages, "
    "current_setting('block_size')::int AS page, ceil(reltuples * (28 + ceil(width / 8.0) * 8) / "
    "((current_setting('block_size')::int - 24) * coalesce((SELECT option_value::float8 FROM "
    "pg_options_to_table(reloptions) WHERE option_name = 'fillfactor'), 100) / 100)) AS needed "
    "FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace JOIN (SELECT schemaname, "
    "tablename, sum((1 - null_frac) * avg_width) AS width, count(*) AS columns FROM pg_stats "
    "WHERE NOT inherited GROUP BY 1, 2) AS widths ON widths.schemaname = nspname AND "
    "widths.tablename = relname WHERE relkind IN ('r', 'm') AND relpages > 0 AND reltuples > 0 AND "
    "nspname NOT IN ('pg_catalog', 'information_schema') AND columns = (SELECT count(*) FROM "
    "pg_attribute WHERE attrelid = pg_class.oid AND attnum > 0 AND NOT attisdropped) ORDER BY "
    "relpages DESC LIMIT 200) AS tables";

constexpr Query kQueries[] = {
    {.table = kColumns, .from = kFrom, .refresh = Refresh::kSizes, .per_database = true}};

}  // namespace

extern constexpr PostgresCollector kBloat{
    .name = "bloat",
    .help = "Estimated bloat of the 200 largest tables of each database.",
    .queries = kQueries,
    .role = "pg_read_all_data"};

}  // namespace exporters::postgres
