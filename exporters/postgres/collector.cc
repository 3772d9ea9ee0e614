#include "exporters/postgres/collector.h"

#include <fmt/format.h>

#include "exporters/postgres/custom_queries.h"
#include "lib/base/strings.h"

namespace exporters::postgres {

bool IsAsked(const Query& query, int version) {
  return query.custom != nullptr ? query.custom->RunsOn(version) : query.ExistsIn(version);
}

base::Result<std::string> SqlFor(const Query& query, const Server& server) {
  if (query.custom != nullptr) {
    return query.custom->sql;
  }
  base::Result<std::string> sql =
      query.sql != nullptr
          ? query.sql(server)
          : fmt::format("SELECT {} {}", SelectList(query.table, server.version), query.from);
  if (!sql.ok()) {
    return sql;
  }
  return base::ReplaceAll(*sql, "{server}", QuoteLiteral(server.address));
}

base::Result<void> EmitAnswer(const Query& query, Server& server, const Rows& rows,
                              Scrape& scrape) {
  if (query.custom != nullptr) {
    return EmitCustom(*query.custom, server, rows, scrape);
  }
  if (query.emit != nullptr) {
    return query.emit(server, rows, scrape);
  }
  return EmitRows(query.table, rows, server.version, scrape);
}

std::string LargestTables(const Server& server) {
  return fmt::format(
      " JOIN pg_class ON pg_class.oid = relid ORDER BY relpages + "
      "(pg_stat_get_tuples_returned(relid) + pg_stat_get_tuples_inserted(relid) + "
      "pg_stat_get_tuples_updated(relid) + pg_stat_get_tuples_deleted(relid)) / 100 DESC, relid "
      "LIMIT {}",
      server.options->tables_limit);
}

std::string QuoteLiteral(std::string_view text) {
  return fmt::format("'{}'", base::ReplaceAll(text, "'", "''"));
}

std::string QuoteIdentifier(std::string_view name) {
  return fmt::format("\"{}\"", base::ReplaceAll(name, "\"", "\"\""));
}

std::string AndNotIn(std::string_view expression, std::span<const std::string> values) {
  std::string list;
  for (const std::string& value : values) {
    list += list.empty() ? "" : ", ";
    list += QuoteLiteral(value);
  }
  return list.empty() ? std::string() : fmt::format(" AND {} NOT IN ({})", expression, list);
}

}  // namespace exporters::postgres
