// The tables that hold back relfrozenxid and relminmxid, and how much of them an aggressive vacuum
// would have to read.
#include "exporters/postgres/collector.h"

namespace exporters::postgres {
namespace {

constexpr ColumnTable kColumns({
    {.name = "datname", .usage = Usage::kLabel, .sql = "current_database()"},
    {.name = "schemaname", .usage = Usage::kLabel, .sql = "nspname"},
    {.name = "relname", .usage = Usage::kLabel},
    {.name = "xids",
     .metric = "pg_table_freeze_age",
     .help = "Transaction IDs since the oldest one not frozen in the table.",
     .sql = "age(relfrozenxid)"},
    {.name = "multixacts",
     .metric = "pg_table_freeze_age_multixact",
     .help = "Multixacts since the oldest one not frozen in the table.",
     .sql = "mxid_age(relminmxid)"},
    {.name = "unfrozen",
     .metric = "pg_table_freeze_bytes",
     .help = "Bytes that vacuum would read to freeze the table: what is not all-visible, from "
             "version 18 on what is not all-frozen.",
     .until = 180000,
     .sql = "greatest(0, relpages - relallvisible)::bigint * current_setting('block_size')::int"},
    {.name = "not_frozen",
     .metric = "pg_table_freeze_bytes",
     .help = "Bytes that vacuum would read to freeze the table: what is not all-visible, from "
             "version 18 on what is not all-frozen.",
     .since = 180000,
     .sql = "greatest(0, relpages - relallfrozen)::bigint * current_setting('block_size')::int"},
});

constexpr Query kQueries[] = {
    {.table = kColumns,
     .from = "FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace WHERE relkind IN "
             "('r', 'm', 't') AND relfrozenxid <> '0'::xid ORDER BY greatest(age(relfrozenxid), "
             "mxid_age(relminmxid)) DESC, relpages DESC LIMIT 5",
     .refresh = Refresh::kMinute,
     .per_database = true}};

}  // namespace

extern constexpr PostgresCollector kFreezeTables{
    .name = "freeze_tables",
    .help = "The five tables of each database that were frozen longest ago.",
    .queries = kQueries};

}  // namespace exporters::postgres
