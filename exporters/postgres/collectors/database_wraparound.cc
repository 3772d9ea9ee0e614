// How far each database is on the way to transaction ID wraparound, at 2^31.
#include "exporters/postgres/collector.h"

namespace exporters::postgres {
namespace {

constexpr ColumnTable kColumns({
    {.name = "datname", .usage = Usage::kLabel},
    {.name = "xids",
     .metric = "pg_database_wraparound_age_datfrozenxid_seconds",
     .help = "Transactions since the oldest one not frozen; a count, whatever the name says.",
     .sql = "age(datfrozenxid)"},
    {.name = "multixacts",
     .metric = "pg_database_wraparound_age_datminmxid_seconds",
     .help = "Multixacts since the oldest one not frozen; a count, whatever the name says.",
     .sql = "mxid_age(datminmxid)"},
});

constexpr Query kQueries[] = {{.table = kColumns, .from = "FROM pg_database WHERE datallowconn"}};

}  // namespace

extern constexpr PostgresCollector kDatabaseWraparound{
    .name = "database_wraparound",
    .help = "Distance of each database to transaction ID wraparound.",
    .queries = kQueries};

}  // namespace exporters::postgres
