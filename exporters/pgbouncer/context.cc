#include "exporters/pgbouncer/context.h"

#include <map>

namespace exporters::pgbouncer {

base::Result<void> EmitNamedValues(std::span<const NamedValue> table, const TextRows& rows,
                                   Scrape& scrape) {
  if (rows.column_count() < 2) {
    return base::Error("names and values are expected", base::ErrorKind::kInvalidArgument);
  }
  std::map<std::string_view, std::string_view> values;
  for (size_t row = 0; row < rows.row_count(); ++row) {
    values.emplace(rows.at(row, 0).value_or(""), rows.at(row, 1).value_or(""));
  }
  for (const NamedValue& entry : table) {
    const auto at = values.find(entry.name);
    const auto value = at == values.end() ? std::nullopt : ParseCell(at->second);
    if (value.has_value()) {
      scrape.Emit(entry.desc, *value);
    }
  }
  return {};
}

}  // namespace exporters::pgbouncer
