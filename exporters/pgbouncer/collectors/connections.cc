// SHOW CLIENTS and SHOW SERVERS, counted by database, user, application and state. Applications
// name themselves, so that only so many are told apart.
#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "exporters/pgbouncer/context.h"
#include "lib/base/strings.h"

namespace exporters::pgbouncer {
namespace {

constexpr size_t kMaxSeries = 200;  // Of each family; what is beyond is one series, "other".
constexpr std::string_view kOther = "other";

constexpr model::MetricDesc kClients{
    .name = "pgbouncer_client_connections",
    .help = "Client connections by database, user, application and state.",
    .labels = {"database", "user", "application_name", "state"}};
constexpr model::MetricDesc kServers{
    .name = "pgbouncer_server_connections",
    .help = "Server connections by database, user, application and state.",
    .labels = {"database", "user", "application_name", "state"}};
constexpr model::MetricDesc kListed{
    .name = "pgbouncer_connections_listed",
    .help =
        "Whether single connections were looked at; 0 when there are more clients than "
        "--clients-limit."};
constexpr model::MetricDesc kCloseNeeded{
    .name = "pgbouncer_server_close_needed",
    .help =
        "Server connections that will be closed when they are free, after a RELOAD or "
        "RECONNECT."};
constexpr model::MetricDesc kWaits{.name = "pgbouncer_client_wait_seconds",
                                   .help = "How long the clients that wait now have waited.",
                                   .type = model::MetricType::kHistogram};

constexpr double kWaitBounds[] = {0.001, 0.01, 0.1, 1, 5, 15, 60};

std::string CellOf(const TextRows& rows, size_t row, const std::optional<size_t>& column) {
  return column.has_value() ? base::ToValidUtf8(rows.at(row, *column).value_or("")) : std::string();
}

using Counts = std::map<std::vector<std::string>, double>;

Counts CountsOf(const TextRows& rows) {
  const std::optional<size_t> columns[] = {rows.Find("database"), rows.Find("user"),
                                           rows.Find("application_name"), rows.Find("state")};
  Counts counts;
  for (size_t row = 0; row < rows.row_count(); ++row) {
    std::vector<std::string> key;
    for (const std::optional<size_t>& column : columns) {
      key.push_back(CellOf(rows, row, column));
    }
    ++counts[std::move(key)];
  }
  return counts;
}

void EmitCounts(const model::MetricDesc& desc, const Counts& counts, Scrape& scrape) {
  std::vector<std::pair<std::vector<std::string>, double>> ranked(counts.begin(), counts.end());
  std::stable_sort(ranked.begin(), ranked.end(),
                   [](const auto& a, const auto& b) { return a.second > b.second; });
  double others = 0;
  for (size_t i = 0; i < ranked.size(); ++i) {
    if (i < kMaxSeries) {
      scrape.Emit(desc, ranked[i].second, model::LabelValues(ranked[i].first));
    } else {
      others += ranked[i].second;
    }
  }
  if (ranked.size() > kMaxSeries) {
    scrape.Emit(desc, others, {kOther, kOther, kOther, kOther});
  }
}

void EmitWaits(const TextRows& rows, Scrape& scrape) {
  const auto state = rows.Find("state");
  const auto seconds = rows.Find("wait");
  const auto microseconds = rows.Find("wait_us");
  if (!state.has_value() || !seconds.has_value() || !microseconds.has_value()) {
    return;
  }
  auto histogram = std::make_unique<model::Histogram>();
  for (const double bound : kWaitBounds) {
    histogram->buckets.push_back({.upper_bound = bound});
  }
  for (size_t row = 0; row < rows.row_count(); ++row) {
    if (rows.at(row, *state) != "waiting") {
      continue;
    }
    const double wait = ParseCell(rows.at(row, *seconds).value_or("")).value_or(0) +
                        ParseCell(rows.at(row, *microseconds).value_or("")).value_or(0) / 1e6;
    histogram->sum += wait;
    ++histogram->count;
    for (model::Histogram::Bucket& bucket : histogram->buckets) {
      bucket.cumulative_count += wait <= bucket.upper_bound ? 1 : 0;
    }
  }
  scrape.Emit(kWaits, model::Metric{.histogram = std::move(histogram)});
}

void EmitCloseNeeded(const TextRows& rows, Scrape& scrape) {
  const auto column = rows.Find("close_needed");
  if (!column.has_value()) {
    return;
  }
  double needed = 0;
  for (size_t row = 0; row < rows.row_count(); ++row) {
    needed += ParseCell(rows.at(row, *column).value_or("")).value_or(0);
  }
  scrape.Emit(kCloseNeeded, needed);
}

base::Result<void> Collect(const Snapshot& snapshot, Scrape& scrape) {
  scrape.Emit(kListed, snapshot.listed ? 1 : 0);
  if (!snapshot.listed) {
    return {};
  }
  ASSIGN_OR_RETURN(const TextRows* clients, snapshot.Get(Show::kClients));
  EmitCounts(kClients, CountsOf(*clients), scrape);
  EmitWaits(*clients, scrape);
  ASSIGN_OR_RETURN(const TextRows* servers, snapshot.Get(Show::kServers));
  EmitCounts(kServers, CountsOf(*servers), scrape);
  EmitCloseNeeded(*servers, scrape);
  return {};
}

}  // namespace

extern constexpr PgBouncerCollector kConnections{
    .name = "connections",
    .help = "Clients and servers by database, user, application and state.",
    .collect = Collect};

}  // namespace exporters::pgbouncer
