// What active sessions wait for, sampled every second: counts of samples, from which rate() makes
// average active sessions. Without an extension, and far finer than one look per scrape.
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "exporters/postgres/collector.h"
#include "lib/base/strings.h"

namespace exporters::postgres {
namespace {

constexpr size_t kMaxSeries = 500;  // Of wait events by kind of backend; version 17 has 290 events.

constexpr model::MetricDesc kSamples{
    .name = "pg_wait_event_samples_total",
    .help = "Samples in which a session was active in this wait event; CPU is active without one.",
    .type = model::MetricType::kCounter,
    .labels = {"backend_type", "wait_event_type", "wait_event"}};
constexpr model::MetricDesc kLooks{
    .name = "pg_wait_event_looks_total",
    .help = "Times the sessions were sampled: samples / looks are average active sessions.",
    .type = model::MetricType::kCounter};
constexpr model::MetricDesc kDropped{.name = "pg_wait_event_samples_dropped_total",
                                     .help = "Samples of wait events beyond the limit of series.",
                                     .type = model::MetricType::kCounter};

// Kinds of backends that wait in between their work as a matter of course wait in type Activity.
constexpr std::string_view kSql =
    "SELECT backend_type, CASE WHEN wait_event_type IS NULL THEN 'CPU' ELSE wait_event_type END, "
    "CASE WHEN wait_event_type IS NULL THEN 'CPU' ELSE wait_event END, count(*) FROM "
    "pg_stat_activity WHERE pid <> pg_backend_pid() AND (state = 'active' OR (state IS NULL AND "
    "wait_event_type IS NOT NULL)) AND (wait_event_type IS NULL OR wait_event_type NOT IN "
    "('Activity', 'Client', 'Extension')) GROUP BY 1, 2, 3";

base::Result<std::string> Sql(const Server&) { return std::string(kSql); }

base::Result<void> Emit(Server& server, const Rows& rows, Scrape& scrape) {
  constexpr size_t kColumns = 4;
  if (rows.column_count() != kColumns) {
    return base::Error("the answer has other columns than asked for",
                       base::ErrorKind::kInvalidArgument);
  }
  WaitSamples& samples = server.wait_samples;
  ++samples.looks;
  for (size_t row = 0; row < rows.row_count(); ++row) {
    model::LabelValues labels;
    for (size_t column = 0; column + 1 < kColumns; ++column) {
      labels.Add(base::ToValidUtf8(rows.at(row, column).value_or("")));
    }
    const double sessions = ParseCell(rows.at(row, kColumns - 1).value_or("")).value_or(0);
    auto found = samples.by_event.find(labels.encoded());
    if (found != samples.by_event.end()) {
      found->second.count += sessions;
    } else if (samples.by_event.size() < kMaxSeries) {
      std::string key = labels.encoded();
      samples.by_event.emplace(std::move(key),
                               WaitSamples::Series{.labels = std::move(labels), .count = sessions});
    } else {
      samples.dropped += sessions;
    }
  }
  for (const auto& [key, series] : samples.by_event) {
    scrape.Emit(kSamples, series.count, series.labels);
  }
  scrape.Emit(kLooks, static_cast<double>(samples.looks));
  scrape.Emit(kDropped, samples.dropped);
  return {};
}

constexpr Query kQueries[] = {{.sql = Sql, .emit = Emit, .refresh = Refresh::kSecond}};

}  // namespace

extern constexpr PostgresCollector kWaitEvents{
    .name = "wait_events",
    .help = "What active sessions wait for, sampled every second.",
    .queries = kQueries};

}  // namespace exporters::postgres
