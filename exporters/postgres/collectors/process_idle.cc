// How long idle sessions have been idle, as histograms by state and application.
#include <memory>
#include <utility>

#include <fmt/format.h>

#include "exporters/postgres/collector.h"
#include "lib/base/strings.h"

namespace exporters::postgres {
namespace {

constexpr model::MetricDesc kIdle{.name = "pg_process_idle_seconds",
                                  .help = "How long idle sessions have been idle.",
                                  .type = model::MetricType::kHistogram,
                                  .labels = {"state", "application_name"}};

constexpr int kBounds[] = {1, 2, 5, 15, 30, 60, 90, 120, 300};

// state, application_name, sum and count, then one cumulative count a bound.
constexpr size_t kSum = 2;
constexpr size_t kCount = 3;
constexpr size_t kFirstBound = 4;

base::Result<std::string> Sql(const Server&) {
  std::string sql = "SELECT state, application_name, sum(idle) AS total, count(*) AS sessions";
  for (const int bound : kBounds) {
    sql += fmt::format(", count(*) FILTER (WHERE idle <= {}) AS le_{}", bound, bound);
  }
  sql +=
      " FROM (SELECT state, application_name, extract(epoch FROM clock_timestamp() - state_change) "
      "AS idle FROM pg_stat_activity WHERE state LIKE 'idle%') AS sessions GROUP BY 1, 2";
  return sql;
}

base::Result<double> Number(const Rows& rows, size_t row, size_t column) {
  const Cell cell = rows.at(row, column);
  const std::optional<double> number = ParseCell(cell.value_or(""));
  if (!number.has_value()) {
    return base::Error(fmt::format("column \"{}\" is not a number", rows.column_name(column)),
                       base::ErrorKind::kInvalidArgument);
  }
  return *number;
}

base::Result<void> Emit(Server&, const Rows& rows, Scrape& scrape) {
  if (rows.column_count() != kFirstBound + std::size(kBounds)) {
    return base::Error("the answer has other columns than asked for",
                       base::ErrorKind::kInvalidArgument);
  }
  for (size_t row = 0; row < rows.row_count(); ++row) {
    auto histogram = std::make_unique<model::Histogram>();
    ASSIGN_OR_RETURN(histogram->sum, Number(rows, row, kSum));
    ASSIGN_OR_RETURN(histogram->count, Number(rows, row, kCount));
    for (size_t i = 0; i < std::size(kBounds); ++i) {
      ASSIGN_OR_RETURN(const double count, Number(rows, row, kFirstBound + i));
      histogram->buckets.push_back(
          {.upper_bound = static_cast<double>(kBounds[i]), .cumulative_count = count});
    }
    const auto label = [&](size_t column) {
      return base::ToValidUtf8(rows.at(row, column).value_or(""));
    };
    model::LabelValues labels;
    labels.Add(label(0));
    labels.Add(label(1));
    scrape.Emit(kIdle,
                model::Metric{.labels = std::move(labels), .histogram = std::move(histogram)});
  }
  return {};
}

constexpr Query kQueries[] = {{.sql = Sql, .emit = Emit}};

}  // namespace

extern constexpr PostgresCollector kProcessIdle{.name = "process_idle",
                                                .help = "How long idle sessions have been idle.",
                                                .enabled_by_default = false,
                                                .queries = kQueries};

}  // namespace exporters::postgres
