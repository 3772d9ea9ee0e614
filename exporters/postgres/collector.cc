#include "exporters/postgres/collector.h"

#include <fmt/format.h>

#include "lib/base/strings.h"

namespace exporters::postgres {

base::Result<std::string> SqlFor(const Query& query, const Server& server) {
  if (query.sql != nullptr) {
    return query.sql(server);
  }
  return fmt::format("SELECT {} {}", SelectList(query.table, server.version), query.from);
}

base::Result<void> EmitAnswer(const Query& query, Server& server, const Rows& rows,
                              Scrape& scrape) {
  if (query.emit != nullptr) {
    return query.emit(server, rows, scrape);
  }
  return EmitRows(query.table, rows, server.version, scrape);
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
