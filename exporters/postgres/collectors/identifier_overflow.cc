// Sequences on the way to the end of the column they number, which may be smaller than the
// sequence: a bigint sequence that feeds an integer key fails at 2^31.
#include <chrono>

#include "exporters/postgres/collector.h"

namespace exporters::postgres {
namespace {

constexpr ColumnTable kColumns({
    {.name = "datname", .usage = Usage::kLabel, .sql = "current_database()"},
    {.name = "schemaname", .usage = Usage::kLabel},
    {.name = "sequencename", .usage = Usage::kLabel},
    {.name = "column", .usage = Usage::kLabel, .label = "column"},
    {.name = "ratio",
     .metric = "pg_sequence_used_ratio",
     .help = "How much of the range of the sequence, and of the column it numbers, is used up."},
    {.name = "left_over",
     .metric = "pg_sequence_values_left",
     .help = "Values left until the sequence or its column ends."},
});

// pg_sequences has no last_value where we may not read the sequence, or it was never used.
constexpr std::string_view kSql =
    "SELECT current_database() AS datname, schemaname, sequencename, \"column\", "
    "(last_value::numeric - least_value) / nullif(most_value - least_value, 0) AS ratio, "
    "most_value - last_value AS left_over FROM (SELECT pg_sequences.schemaname, "
    "pg_sequences.sequencename, coalesce(owner.relname || '.' || attname, '') AS \"column\", "
    "last_value, min_value AS least_value, least(max_value, CASE atttypid WHEN "
    "'int2'::regtype THEN 32767 WHEN 'int4'::regtype THEN 2147483647 END) AS most_value FROM "
    "pg_sequences JOIN pg_namespace ON nspname = schemaname JOIN pg_class AS sequence ON "
    "sequence.relnamespace = pg_namespace.oid AND sequence.relname = sequencename LEFT JOIN "
    "pg_depend ON objid = sequence.oid AND classid = 'pg_class'::regclass AND refclassid = "
    "'pg_class'::regclass AND deptype IN ('a', 'i') AND refobjsubid > 0 LEFT JOIN pg_attribute ON "
    "attrelid = refobjid AND attnum = refobjsubid LEFT JOIN pg_class AS owner ON owner.oid = "
    "refobjid WHERE increment_by > 0 AND NOT cycle AND last_value IS NOT NULL) AS sequences ORDER "
    "BY ratio DESC LIMIT 100";

base::Result<std::string> Sql(const Server&) { return std::string(kSql); }

constexpr Query kQueries[] = {
    {.table = kColumns, .sql = Sql, .refresh = Refresh::kSizes, .per_database = true}};

}  // namespace

extern constexpr PostgresCollector kIdentifierOverflow{
    .name = "identifier_overflow",
    .help = "The 100 fullest sequences of each database, by the type of the column they number.",
    .queries = kQueries,
    .role = "pg_read_all_data"};

}  // namespace exporters::postgres
