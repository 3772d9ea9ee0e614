// Vacuums that run. Tables of other databases have no name here, but a number.
#include "exporters/postgres/collector.h"

namespace exporters::postgres {
namespace {

constexpr ColumnTable kColumns({
    {.name = "datname", .usage = Usage::kLabel, .sql = "vacuums.datname"},
    {.name = "relname",
     .usage = Usage::kLabel,
     .sql = "coalesce(pg_class.relname, vacuums.relid::text)"},
    {.name = "heap_blks_total",
     .metric = "pg_stat_progress_vacuum_heap_blks",
     .help = "Blocks of the table when the vacuum began to scan it."},
    {.name = "heap_blks_scanned",
     .metric = "pg_stat_progress_vacuum_heap_blks_scanned",
     .help = "Blocks scanned."},
    {.name = "heap_blks_vacuumed",
     .metric = "pg_stat_progress_vacuum_heap_blks_vacuumed",
     .help = "Blocks vacuumed."},
    {.name = "index_vacuum_count",
     .metric = "pg_stat_progress_vacuum_index_vacuums",
     .help = "Completed rounds through the indexes."},
    {.name = "max_dead_tuples",
     .metric = "pg_stat_progress_vacuum_max_dead_tuples",
     .help = "Dead rows that fit in memory until the next round.",
     .until = 170000},
    {.name = "num_dead_tuples",
     .metric = "pg_stat_progress_vacuum_num_dead_tuples",
     .help = "Dead rows found since the last round.",
     .until = 170000},
    {.name = "max_dead_tuple_bytes",
     .metric = "pg_stat_progress_vacuum_max_dead_tuple_bytes",
     .help = "Bytes of dead rows that fit in memory until the next round.",
     .since = 170000},
    {.name = "dead_tuple_bytes",
     .metric = "pg_stat_progress_vacuum_dead_tuple_bytes",
     .help = "Bytes of dead rows found since the last round.",
     .since = 170000},
    {.name = "num_dead_item_ids",
     .metric = "pg_stat_progress_vacuum_num_dead_item_ids",
     .help = "Dead rows found since the last round.",
     .since = 170000},
});

constexpr ColumnTable kPhaseColumns({
    {.name = "datname", .usage = Usage::kLabel, .sql = "vacuums.datname"},
    {.name = "relname",
     .usage = Usage::kLabel,
     .sql = "coalesce(pg_class.relname, vacuums.relid::text)"},
    {.name = "phase", .usage = Usage::kLabel, .sql = "every_phase.phase"},
    {.name = "is_in",
     .metric = "pg_stat_progress_vacuum_phase",
     .help = "Whether the vacuum is in this phase.",
     .sql = "(vacuums.phase = every_phase.phase)"},
});

constexpr std::string_view kFrom =
    "FROM pg_stat_progress_vacuum AS vacuums LEFT JOIN pg_class ON pg_class.oid = "
    "vacuums.relid AND vacuums.datname = current_database()";

constexpr std::string_view kPhaseFrom =
    "FROM pg_stat_progress_vacuum AS vacuums LEFT JOIN pg_class ON pg_class.oid = "
    "vacuums.relid AND vacuums.datname = current_database() CROSS JOIN "
    "unnest(ARRAY['initializing', 'scanning heap', 'vacuuming indexes', 'vacuuming heap', "
    "'cleaning up indexes', 'truncating heap', 'performing final cleanup']) AS "
    "every_phase(phase)";

constexpr Query kQueries[] = {
    {.table = kColumns, .from = kFrom},
    {.table = kPhaseColumns, .from = kPhaseFrom},
};

}  // namespace

extern constexpr PostgresCollector kStatProgressVacuum{.name = "stat_progress_vacuum",
                                                       .help = "Progress of the vacuums that run.",
                                                       .queries = kQueries};

}  // namespace exporters::postgres
