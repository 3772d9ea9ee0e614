// Connection limits of roles.
#include "exporters/postgres/collector.h"

namespace exporters::postgres {
namespace {

constexpr ColumnTable kColumns({
    {.name = "rolname", .usage = Usage::kLabel},
    {.name = "rolconnlimit",
     .metric = "pg_roles_connection_limit",
     .help = "Connections the role may have at once; -1 is no limit."},
});

constexpr Query kQueries[] = {{.table = kColumns, .from = "FROM pg_roles"}};

}  // namespace

extern constexpr PostgresCollector kRoles{
    .name = "roles", .help = "Connection limits of roles.", .queries = kQueries};

}  // namespace exporters::postgres
