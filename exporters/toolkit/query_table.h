// Declarative collectors over tabular answers (SQL, PgBouncer's SHOW): a table says what each
// column becomes, with the server versions that have it. Typing, NULLs and names are handled once,
// here.
#pragma once

#include <array>
#include <cstddef>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "exporters/toolkit/scrape.h"
#include "lib/base/result.h"
#include "lib/model/metric_family.h"

namespace exporters {

// One value as the server wrote it; nullopt is NULL.
using Cell = std::optional<std::string_view>;

// An answer: named columns, rows of cells. Views live as long as the object. Immutable.
class Rows {
 public:
  virtual ~Rows() = default;
  virtual size_t row_count() const = 0;
  virtual size_t column_count() const = 0;
  virtual std::string_view column_name(size_t column) const = 0;
  virtual Cell at(size_t row, size_t column) const = 0;

  // The position of a column, if the answer has it.
  std::optional<size_t> Find(std::string_view column) const;
};

// Rows that own their text. Thread-compatible while it is filled.
class TextRows final : public Rows {
 public:
  using Row = std::vector<std::optional<std::string>>;

  explicit TextRows(std::vector<std::string> columns, std::vector<Row> rows = {})
      : columns_(std::move(columns)), rows_(std::move(rows)) {}

  // A row that is too short ends in NULLs.
  void Add(Row row) { rows_.push_back(std::move(row)); }

  size_t row_count() const override { return rows_.size(); }
  size_t column_count() const override { return columns_.size(); }
  std::string_view column_name(size_t column) const override { return columns_[column]; }
  Cell at(size_t row, size_t column) const override;

 private:
  std::vector<std::string> columns_;
  std::vector<Row> rows_;
};

enum class Usage { kLabel, kCounter, kGauge, kUntyped };

inline constexpr int kAnyVersion = 0;
inline constexpr int kNoLastVersion = std::numeric_limits<int>::max();

// One column of an answer. Versions are numbers that grow (150020 for PostgreSQL 15.20, 12300 for
// PgBouncer 1.23.0); the column exists in [since, until).
struct Column {
  std::string_view name;
  Usage usage = Usage::kGauge;
  std::string_view label = {};   // The label's name; `name` when empty.
  std::string_view metric = {};  // The whole metric name.
  std::string_view help = {};
  double scale = 1;  // Above 1, or one over a whole number.
  int since = kAnyVersion;
  int until = kNoLastVersion;
  std::string_view sql = {};  // The expression to select; `name` when empty.

  constexpr bool ExistsIn(int version) const { return since <= version && version < until; }
};

// What a ColumnTable is to those who use it: columns and, at the same index, the desc of those that
// are metrics.
struct QueryTable {
  std::span<const Column> columns;
  std::span<const model::MetricDesc> descs;
};

// Compile-time form of QueryTable; every metric has all the label columns as its labels.
template <size_t kCount>
class ColumnTable {
 public:
  consteval explicit ColumnTable(const Column (&columns)[kCount]) {
    model::LabelNames labels;
    for (const Column& column : columns) {
      if (column.usage == Usage::kLabel) {
        labels.Add(column.label.empty() ? column.name : column.label);
      }
    }
    for (size_t i = 0; i < kCount; ++i) {
      columns_[i] = columns[i];
      if (columns[i].usage != Usage::kLabel) {
        descs_[i] = {.name = columns[i].metric,
                     .help = columns[i].help,
                     .type = TypeOf(columns[i].usage),
                     .labels = labels};
      }
    }
  }

  constexpr operator QueryTable() const {  // NOLINT(google-explicit-constructor): a view of it.
    return {.columns = columns_, .descs = descs_};
  }

 private:
  static constexpr model::MetricType TypeOf(Usage usage) {
    switch (usage) {
      case Usage::kCounter:
        return model::MetricType::kCounter;
      case Usage::kUntyped:
        return model::MetricType::kUntyped;
      case Usage::kGauge:
      case Usage::kLabel:
        break;
    }
    return model::MetricType::kGauge;
  }

  std::array<Column, kCount> columns_;
  std::array<model::MetricDesc, kCount> descs_;
};

// "datid, datname, extract(epoch FROM stats_reset) AS stats_reset": the columns this version has.
std::string SelectList(const QueryTable& table, int version);

// Emits one sample per row and metric column, by column name. NULL is no sample; a NULL label, or
// one this version lacks, is an empty label; metric columns the answer lacks are left out. A label
// column that is missing, or a value that is not a number, is an error, returned after everything
// else was emitted.
base::Result<void> EmitRows(const QueryTable& table, const Rows& rows, int version, Scrape& scrape);

// A number, or a boolean as PostgreSQL (t, f) and PgBouncer (yes, no) write it.
std::optional<double> ParseCell(std::string_view text);

}  // namespace exporters
