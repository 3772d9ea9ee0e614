// When transaction IDs and multixacts run into their limits, at the rate they are used up now.
#include <chrono>
#include <optional>
#include <string>

#include "exporters/postgres/collector.h"

namespace exporters::postgres {
namespace {

constexpr std::chrono::seconds kRateWindow{3600};
constexpr int kHasFailsafe = 140000;
// The server takes no more writes this close to 2^31.
constexpr double kStopLimit = 2147483648.0 - 3000000.0;

constexpr model::MetricDesc kCurrent{
    .name = "pg_txid_current",
    .help = "The next transaction ID, with its epoch.",
};
constexpr model::MetricDesc kAge{.name = "pg_wraparound_age_max",
                                 .help = "Age of the oldest ID not frozen in any database, in IDs.",
                                 .labels = {"kind"}};
constexpr model::MetricDesc kRate{.name = "pg_wraparound_ids_per_second",
                                  .help = "IDs used up a second over the last hour.",
                                  .labels = {"kind"}};
constexpr model::MetricDesc kSeconds{
    .name = "pg_wraparound_reached_in_seconds",
    .help =
        "Seconds until the oldest database reaches a limit at the rate of the last hour, if "
        "nothing is frozen: autovacuum_freeze_max_age, vacuum_failsafe_age, or the end of "
        "writes.",
    .labels = {"kind", "limit"}};

base::Result<std::string> Sql(const Server& server) {
  const bool failsafe = server.version >= kHasFailsafe;
  return std::string(
             "SELECT txid_snapshot_xmax(txid_current_snapshot()), (SELECT "
             "next_multixact_id::text::bigint FROM pg_control_checkpoint()), "
             "max(age(datfrozenxid)), max(mxid_age(datminmxid)), "
             "current_setting('autovacuum_freeze_max_age'), "
             "current_setting('autovacuum_multixact_freeze_max_age'), ") +
         (failsafe ? "current_setting('vacuum_failsafe_age'), "
                     "current_setting('vacuum_multixact_failsafe_age')"
                   : "NULL, NULL") +
         " FROM pg_database";
}

// Positions, ages and limits come in pairs: transaction IDs, then multixacts.
enum : size_t { kPosition = 0, kOldest = 2, kFreeze = 4, kFailsafe = 6, kColumns = 8 };

std::optional<double> Number(const Rows& rows, size_t column) {
  const Cell cell = rows.at(0, column);
  return cell.has_value() ? ParseCell(*cell) : std::nullopt;
}

void EmitKind(const Rows& rows, size_t offset, std::string_view kind, PositionClock& clock,
              base::MonotonicTime now, Scrape& scrape) {
  const std::optional<double> position = Number(rows, kPosition + offset);
  const std::optional<double> age = Number(rows, kOldest + offset);
  if (!position.has_value() || !age.has_value()) {
    return;
  }
  scrape.Emit(kAge, *age, {kind});
  clock.Record(now, *position);
  const std::optional<double> rate = clock.RatePerSecond(kRateWindow, now);
  if (!rate.has_value()) {
    return;
  }
  scrape.Emit(kRate, *rate, {kind});
  const std::pair<std::string_view, std::optional<double>> limits[] = {
      {"autovacuum", Number(rows, kFreeze + offset)},
      {"failsafe", Number(rows, kFailsafe + offset)},
      {"stop", kStopLimit},
  };
  for (const auto& [name, limit] : limits) {
    if (limit.has_value() && *rate > 0) {
      scrape.Emit(kSeconds, std::max(0.0, (*limit - *age) / *rate), {kind, name});
    }
  }
}

base::Result<void> Emit(Server& server, const Rows& rows, Scrape& scrape) {
  if (rows.row_count() != 1 || rows.column_count() != kColumns) {
    return base::Error("the answer has other columns than asked for",
                       base::ErrorKind::kInvalidArgument);
  }
  if (const std::optional<double> next = Number(rows, kPosition); next.has_value()) {
    scrape.Emit(kCurrent, *next);
  }
  EmitKind(rows, 0, "xid", server.xid_clock, server.now, scrape);
  EmitKind(rows, 1, "multixact", server.multixact_clock, server.now, scrape);
  return {};
}

constexpr Query kQueries[] = {{.sql = Sql, .emit = Emit}};

}  // namespace

extern constexpr PostgresCollector kWraparound{
    .name = "wraparound",
    .help = "When transaction IDs and multixacts run out.",
    .queries = kQueries};

}  // namespace exporters::postgres
