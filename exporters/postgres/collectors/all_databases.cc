// The other databases of the server, for the collectors that look into each. The busiest come
// first, as far as the limit goes.
#include <string>

#include <fmt/format.h>

#include "exporters/postgres/collector.h"
#include "lib/base/strings.h"

namespace exporters::postgres {
namespace {

constexpr model::MetricDesc kFound{
    .name = "pg_databases_visited",
    .help = "Databases beside the one of the connection whose tables are looked at."};
constexpr model::MetricDesc kSkipped{
    .name = "pg_databases_skipped",
    .help = "Databases left out for being beyond --databases-limit, the least busy ones."};

base::Result<std::string> Sql(const Server& server) {
  const PostgresOptions& options = *server.options;
  std::string included;
  if (!options.include_databases.empty()) {
    std::string list;
    for (const std::string& name : options.include_databases) {
      list += (list.empty() ? "" : ", ") + QuoteLiteral(name);
    }
    included = fmt::format(" AND datname IN ({})", list);
  }
  return fmt::format(
      "SELECT pg_database.datname FROM pg_database LEFT JOIN pg_stat_database AS stats ON "
      "stats.datid = "
      "pg_database.oid WHERE datallowconn AND NOT datistemplate AND pg_database.datname <> "
      "current_database() AND has_database_privilege(pg_database.oid, 'CONNECT'){}{} ORDER BY "
      "coalesce(blks_hit, 0) + coalesce(blks_read, 0) DESC, 1",
      base::ReplaceAll(included, "datname", "pg_database.datname"),
      AndNotIn("pg_database.datname", options.exclude_databases));
}

base::Result<void> Emit(Server& server, const Rows& rows, Scrape& scrape) {
  const size_t visited = std::min(rows.row_count(), server.options->databases_limit);
  server.databases.clear();
  for (size_t row = 0; row < visited; ++row) {
    server.databases.emplace_back(rows.at(row, 0).value_or(""));
  }
  scrape.Emit(kFound, static_cast<double>(visited));
  scrape.Emit(kSkipped, static_cast<double>(rows.row_count() - visited));
  return {};
}

constexpr Query kQueries[] = {{.sql = Sql, .emit = Emit, .refresh = Refresh::kMinute}};

}  // namespace

extern constexpr PostgresCollector kAllDatabases{
    .name = "all_databases",
    .help = "Also looks into every other database, one after the other.",
    .queries = kQueries};

}  // namespace exporters::postgres
