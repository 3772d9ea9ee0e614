#include "exporters/toolkit/query_table.h"

#include <cmath>
#include <utility>

#include <fmt/format.h>

#include "lib/base/strings.h"

namespace exporters {
namespace {

constexpr size_t kMaxQuotedBytes = 40;  // Of a bad value, in an error message.

// A column of the table and where the answer has it.
struct Position {
  size_t entry = 0;
  std::optional<size_t> column;
};

base::Error NotANumber(const Column& column, std::string_view text) {
  return base::Error(fmt::format("column \"{}\" is not a number: \"{}\"", column.name,
                                 text.substr(0, kMaxQuotedBytes)),
                     base::ErrorKind::kInvalidArgument);
}

// Dividing by a whole number is exact where multiplying by its inverse is not: 123 ms are 0.123 s.
double Scaled(double value, double scale) {
  return scale < 1 ? value / std::round(1 / scale) : value * scale;
}

struct Layout {
  std::vector<Position> labels;
  std::vector<Position> metrics;
};

base::Result<Layout> MakeLayout(const QueryTable& table, const Rows& rows, int version) {
  Layout layout;
  for (size_t i = 0; i < table.columns.size(); ++i) {
    const Column& column = table.columns[i];
    const bool exists = column.ExistsIn(version);
    const std::optional<size_t> at = exists ? rows.Find(column.name) : std::nullopt;
    if (column.usage != Usage::kLabel) {
      if (at.has_value()) {
        layout.metrics.push_back({.entry = i, .column = at});
      }
      continue;
    }
    if (exists && !at.has_value()) {
      return base::Error(fmt::format("the answer has no column \"{}\"", column.name),
                         base::ErrorKind::kInvalidArgument);
    }
    layout.labels.push_back({.entry = i, .column = at});
  }
  return layout;
}

model::LabelValues LabelsOf(const Layout& layout, const Rows& rows, size_t row) {
  model::LabelValues labels;
  for (const Position& label : layout.labels) {
    const Cell cell = label.column.has_value() ? rows.at(row, *label.column) : std::nullopt;
    const std::string_view text = cell.value_or(std::string_view());
    if (base::IsValidUtf8(text)) {
      labels.Add(text);
    } else {
      labels.Add(base::ToValidUtf8(text));
    }
  }
  return labels;
}

}  // namespace

std::optional<size_t> Rows::Find(std::string_view column) const {
  for (size_t i = 0; i < column_count(); ++i) {
    if (column_name(i) == column) {
      return i;
    }
  }
  return std::nullopt;
}

Cell TextRows::at(size_t row, size_t column) const {
  const Row& cells = rows_[row];
  if (column >= cells.size() || !cells[column].has_value()) {
    return std::nullopt;
  }
  return *cells[column];
}

std::string SelectList(const QueryTable& table, int version) {
  std::string list;
  for (const Column& column : table.columns) {
    if (!column.ExistsIn(version)) {
      continue;
    }
    if (!list.empty()) {
      list += ", ";
    }
    if (column.sql.empty()) {
      list += column.name;
    } else {
      list += fmt::format("{} AS {}", column.sql, column.name);
    }
  }
  return list;
}

std::optional<double> ParseCell(std::string_view text) {
  if (const std::optional<double> number = base::ParseDouble(text); number.has_value()) {
    return number;
  }
  if (const std::optional<bool> yes = base::ParseBool(text); yes.has_value()) {
    return *yes ? 1 : 0;
  }
  return std::nullopt;
}

base::Result<void> EmitRows(const QueryTable& table, const Rows& rows, int version,
                            Scrape& scrape) {
  ASSIGN_OR_RETURN(const Layout layout, MakeLayout(table, rows, version));
  std::optional<base::Error> first_error;
  for (size_t row = 0; row < rows.row_count(); ++row) {
    const model::LabelValues labels = LabelsOf(layout, rows, row);
    for (const Position& metric : layout.metrics) {
      const Cell cell = rows.at(row, *metric.column);
      if (!cell.has_value()) {
        continue;
      }
      const Column& column = table.columns[metric.entry];
      if (const std::optional<double> value = ParseCell(*cell); value.has_value()) {
        scrape.Emit(table.descs[metric.entry], Scaled(*value, column.scale), labels);
      } else if (!first_error.has_value()) {
        first_error = NotANumber(column, *cell);
      }
    }
  }
  if (first_error.has_value()) {
    return *std::move(first_error);
  }
  return {};
}

}  // namespace exporters
