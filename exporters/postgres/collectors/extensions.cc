// Installed extensions, and whether the files of a newer version lie ready.
#include "exporters/postgres/collector.h"

namespace exporters::postgres {
namespace {

constexpr ColumnTable kColumns({
    {.name = "datname", .usage = Usage::kLabel, .sql = "current_database()"},
    {.name = "extname", .usage = Usage::kLabel},
    {.name = "version", .usage = Usage::kLabel, .sql = "extversion"},
    {.name = "available", .usage = Usage::kLabel, .sql = "coalesce(default_version, '')"},
    {.name = "outdated",
     .metric = "pg_extension_update_available",
     .help = "Whether ALTER EXTENSION … UPDATE would change the extension.",
     .sql = "coalesce(extversion <> default_version, false)"},
});

constexpr Query kQueries[] = {{.table = kColumns,
                               .from = "FROM pg_extension LEFT JOIN pg_available_extensions() AS "
                                       "files ON files.name = extname",
                               .refresh = Refresh::kSizes,
                               .per_database = true}};

}  // namespace

extern constexpr PostgresCollector kExtensions{
    .name = "extensions", .help = "Installed extensions.", .queries = kQueries};

}  // namespace exporters::postgres
