// Where the WAL was when, sampled every second: lag becomes seconds that are right on an idle
// primary, with the link cut, and for slots nobody reads; the room of a slot becomes the time until
// it is lost.
#include <optional>
#include <string>

#include "exporters/postgres/collector.h"
#include "lib/base/strings.h"

namespace exporters::postgres {
namespace {

constexpr std::chrono::seconds kRateWindow{300};
constexpr int kHasSafeSize = 130000;

constexpr model::MetricDesc kRate{.name = "pg_wal_bytes_per_second",
                                  .help = "Growth of the WAL over the last five minutes."};
constexpr model::MetricDesc kStandbyBehind{
    .name = "pg_standby_behind_seconds",
    .help =
        "How long ago the server was where the standby has replayed to; 0 when it has all. "
        "Counts from when the exporter began to look.",
    .labels = {"application_name", "client_addr"}};
constexpr model::MetricDesc kSlotBehind{
    .name = "pg_replication_slots_behind_seconds",
    .help =
        "How long ago the server was where the slot's reader has come to; 0 when it has all. "
        "Counts from when the exporter began to look.",
    .labels = {"slot_name", "slot_type"}};
constexpr model::MetricDesc kSlotDoom{
    .name = "pg_replication_slots_lost_in_seconds",
    .help =
        "Seconds until an inactive slot loses the WAL it needs, at the rate of the last five "
        "minutes.",
    .labels = {"slot_name", "slot_type"}};

constexpr std::string_view kPositionSql =
    "SELECT pg_wal_lsn_diff(CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn() ELSE "
    "pg_current_wal_lsn() END, '0/0')";

base::Result<std::string> PositionSql(const Server&) { return std::string(kPositionSql); }

base::Result<void> EmitPosition(Server& server, const Rows& rows, Scrape& scrape) {
  const std::optional<double> position = rows.row_count() == 1 && rows.column_count() == 1
                                             ? ParseCell(rows.at(0, 0).value_or(""))
                                             : std::nullopt;
  if (!position.has_value()) {
    return {};  // A standby that has replayed nothing yet.
  }
  server.wal_clock.Record(server.now, *position);
  if (const auto rate = server.wal_clock.RatePerSecond(kRateWindow, server.now); rate.has_value()) {
    scrape.Emit(kRate, *rate);
  }
  return {};
}

base::Result<std::string> StandbySql(const Server&) {
  return std::string(
      "SELECT application_name, host(client_addr), min(pg_wal_lsn_diff(replay_lsn, '0/0')) FROM "
      "pg_stat_replication WHERE replay_lsn IS NOT NULL GROUP BY 1, 2");
}

base::Result<std::string> SlotSql(const Server& server) {
  return std::string(
             "SELECT slot_name, slot_type, pg_wal_lsn_diff(coalesce(confirmed_flush_lsn, "
             "restart_lsn), '0/0'), ") +
         (server.version >= kHasSafeSize ? "CASE WHEN NOT active THEN safe_wal_size END" : "NULL") +
         " FROM pg_replication_slots WHERE restart_lsn IS NOT NULL";
}

model::LabelValues TwoLabels(const Rows& rows, size_t row) {
  return {base::ToValidUtf8(rows.at(row, 0).value_or("")),
          base::ToValidUtf8(rows.at(row, 1).value_or(""))};
}

void EmitBehind(const model::MetricDesc& desc, const Server& server, const Rows& rows, size_t row,
                Scrape& scrape) {
  const std::optional<double> position = ParseCell(rows.at(row, 2).value_or(""));
  if (!position.has_value()) {
    return;
  }
  if (const auto behind = server.wal_clock.SecondsBehind(*position, server.now);
      behind.has_value()) {
    scrape.Emit(desc, *behind, TwoLabels(rows, row));
  }
}

base::Result<void> CheckColumns(const Rows& rows, size_t columns) {
  return rows.column_count() == columns ? base::Result<void>()
                                        : base::Error("the answer has other columns than asked for",
                                                      base::ErrorKind::kInvalidArgument);
}

base::Result<void> EmitStandbys(Server& server, const Rows& rows, Scrape& scrape) {
  RETURN_IF_ERROR(CheckColumns(rows, 3));
  for (size_t row = 0; row < rows.row_count(); ++row) {
    EmitBehind(kStandbyBehind, server, rows, row, scrape);
  }
  return {};
}

base::Result<void> EmitSlots(Server& server, const Rows& rows, Scrape& scrape) {
  RETURN_IF_ERROR(CheckColumns(rows, 4));
  const std::optional<double> rate = server.wal_clock.RatePerSecond(kRateWindow, server.now);
  for (size_t row = 0; row < rows.row_count(); ++row) {
    EmitBehind(kSlotBehind, server, rows, row, scrape);
    const std::optional<double> room = ParseCell(rows.at(row, 3).value_or(""));
    if (room.has_value() && rate.has_value() && *rate > 0) {
      scrape.Emit(kSlotDoom, std::max(0.0, *room / *rate), TwoLabels(rows, row));
    }
  }
  return {};
}

constexpr Query kQueries[] = {
    {.sql = PositionSql, .emit = EmitPosition, .refresh = Refresh::kSecond},
    {.sql = StandbySql, .emit = EmitStandbys},
    {.sql = SlotSql, .emit = EmitSlots},
};

}  // namespace

extern constexpr PostgresCollector kWalClock{
    .name = "wal_clock",
    .help = "Lag of standbys and slots in seconds, and when slots will be lost.",
    .queries = kQueries};

}  // namespace exporters::postgres
