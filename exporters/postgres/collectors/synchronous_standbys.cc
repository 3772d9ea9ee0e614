// Whether commits have the standbys they wait for.
#include "exporters/postgres/collectors/synchronous_standbys.h"

#include <optional>
#include <string>

#include "exporters/postgres/collector.h"
#include "lib/base/strings.h"

namespace exporters::postgres {
namespace {

constexpr model::MetricDesc kRequired{
    .name = "pg_synchronous_standbys_required",
    .help = "Standbys that a commit waits for (synchronous_standby_names); 0 is none."};
constexpr model::MetricDesc kConnected{.name = "pg_synchronous_standbys",
                                       .help = "Standbys that stream, by sync_state.",
                                       .labels = {"sync_state"}};
constexpr model::MetricDesc kWaiting{.name = "pg_synchronous_waiting_sessions",
                                     .help = "Sessions whose commit waits for a standby."};

constexpr std::string_view kSql =
    "SELECT current_setting('synchronous_standby_names'), (SELECT count(*) FROM pg_stat_activity "
    "WHERE wait_event = 'SyncRep'), count(*) FILTER (WHERE sync_state = 'sync'), count(*) FILTER "
    "(WHERE sync_state = 'quorum'), count(*) FILTER (WHERE sync_state = 'potential'), count(*) "
    "FILTER (WHERE sync_state = 'async') FROM pg_stat_replication WHERE state = 'streaming'";

constexpr std::string_view kStates[] = {"sync", "quorum", "potential", "async"};

base::Result<std::string> Sql(const Server&) { return std::string(kSql); }

base::Result<void> Emit(Server&, const Rows& rows, Scrape& scrape) {
  constexpr size_t kFirstState = 2;
  if (rows.row_count() != 1 || rows.column_count() != kFirstState + std::size(kStates)) {
    return base::Error("the answer has other columns than asked for",
                       base::ErrorKind::kInvalidArgument);
  }
  scrape.Emit(kRequired, ParseRequiredStandbys(rows.at(0, 0).value_or("")));
  const auto emit = [&](const model::MetricDesc& desc, size_t column, model::LabelValues labels) {
    if (const auto value = ParseCell(rows.at(0, column).value_or("")); value.has_value()) {
      scrape.Emit(desc, *value, std::move(labels));
    }
  };
  emit(kWaiting, 1, {});
  for (size_t i = 0; i < std::size(kStates); ++i) {
    emit(kConnected, kFirstState + i, {kStates[i]});
  }
  return {};
}

constexpr Query kQueries[] = {{.sql = Sql, .emit = Emit}};

}  // namespace

int ParseRequiredStandbys(std::string_view names) {
  const std::string_view text = base::TrimSpace(names);
  if (text.empty()) {
    return 0;
  }
  // "FIRST 2 (a, b)", "ANY 1 (a, b)", "2 (a, b)"; a mere list waits for the first one.
  const size_t parenthesis = text.find('(');
  if (parenthesis == std::string_view::npos) {
    return 1;
  }
  std::string_view count = base::TrimSpace(text.substr(0, parenthesis));
  count = count.substr(
      count.find_last_of(" \t") == std::string_view::npos ? 0 : count.find_last_of(" \t") + 1);
  return static_cast<int>(base::ParseInt(count).value_or(1));
}

extern constexpr PostgresCollector kSynchronousStandbys{
    .name = "synchronous_standbys", .help = "Standbys that commits wait for.", .queries = kQueries};

}  // namespace exporters::postgres
