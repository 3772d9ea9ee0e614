// The forest of sessions that wait for locks. Only waiting sessions are asked who blocks them, for
// that question takes the lock manager's own locks.
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "exporters/postgres/blocking_forest.h"
#include "exporters/postgres/collector.h"
#include "lib/base/strings.h"

namespace exporters::postgres {
namespace {

constexpr model::MetricDesc kWaiting{.name = "pg_blocked_sessions",
                                     .help = "Sessions that wait for a lock of another one."};
constexpr model::MetricDesc kRoots{
    .name = "pg_blocking_roots",
    .help = "Sessions that hold up others and wait for nobody: ending these resolves it all."};
constexpr model::MetricDesc kDepth{.name = "pg_blocking_depth",
                                   .help = "Length of the longest chain of waiting sessions."};
constexpr model::MetricDesc kDeadlocked{
    .name = "pg_blocking_deadlocked_sessions",
    .help = "Sessions that wait for each other in a circle, until the deadlock is noticed."};
constexpr model::MetricDesc kWorstSessions{.name = "pg_blocking_root_sessions",
                                           .help = "Sessions behind the root that holds up most.",
                                           .labels = {"usename", "application_name", "state"}};
constexpr model::MetricDesc kWorstAge{
    .name = "pg_blocking_root_transaction_seconds",
    .help = "Age of the transaction of the root that holds up most.",
    .labels = {"usename", "application_name", "state"}};

constexpr std::string_view kSql =
    "SELECT waiting.pid AS waiting, blocker, usename, application_name, state, "
    "extract(epoch FROM clock_timestamp() - xact_start) AS age FROM (SELECT pid, "
    "unnest(pg_blocking_pids(pid)) AS blocker FROM pg_stat_activity WHERE wait_event_type = "
    "'Lock') AS waiting LEFT JOIN pg_stat_activity AS root ON root.pid = blocker";

base::Result<std::string> Sql(const Server&) { return std::string(kSql); }

// Columns of kSql.
enum : size_t { kWaitingPid, kBlockerPid, kUser, kApplication, kState, kAge };

std::vector<BlockingEdge> EdgesOf(const Rows& rows) {
  std::vector<BlockingEdge> edges;
  for (size_t row = 0; row < rows.row_count(); ++row) {
    const std::optional<int64_t> waiting = base::ParseInt(rows.at(row, kWaitingPid).value_or(""));
    const std::optional<int64_t> blocker = base::ParseInt(rows.at(row, kBlockerPid).value_or(""));
    if (waiting.has_value() && blocker.has_value()) {
      edges.push_back({.waiting = *waiting, .blocker = *blocker});
    }
  }
  return edges;
}

std::optional<size_t> RowOfBlocker(const Rows& rows, int64_t pid) {
  for (size_t row = 0; row < rows.row_count(); ++row) {
    if (base::ParseInt(rows.at(row, kBlockerPid).value_or("")) == pid) {
      return row;
    }
  }
  return std::nullopt;
}

void EmitWorst(const BlockingTree& tree, const Rows& rows, Scrape& scrape) {
  const std::optional<size_t> row = RowOfBlocker(rows, tree.root);
  if (!row.has_value()) {
    return;
  }
  const auto text = [&](size_t column) {
    return base::ToValidUtf8(rows.at(*row, column).value_or(""));
  };
  const std::string state =
      tree.root == kPreparedTransaction ? "prepared transaction" : text(kState);
  const model::LabelValues labels = {text(kUser), text(kApplication), state};
  scrape.Emit(kWorstSessions, static_cast<double>(tree.sessions), labels);
  if (const Cell age = rows.at(*row, kAge); age.has_value()) {
    if (const std::optional<double> seconds = ParseCell(*age); seconds.has_value()) {
      scrape.Emit(kWorstAge, *seconds, labels);
    }
  }
}

base::Result<void> Emit(Server&, const Rows& rows, Scrape& scrape) {
  if (rows.column_count() != kAge + 1) {
    return base::Error("the answer has other columns than asked for",
                       base::ErrorKind::kInvalidArgument);
  }
  const std::vector<BlockingEdge> edges = EdgesOf(rows);
  const BlockingForest forest = ForestOf(edges);
  size_t depth = 0;
  for (const BlockingTree& tree : forest.trees) {
    depth = std::max(depth, tree.depth);
  }
  scrape.Emit(kWaiting, static_cast<double>(forest.waiting));
  scrape.Emit(kRoots, static_cast<double>(forest.trees.size()));
  scrape.Emit(kDepth, static_cast<double>(depth));
  scrape.Emit(kDeadlocked, static_cast<double>(forest.in_cycles));
  if (!forest.trees.empty()) {
    EmitWorst(forest.trees.front(), rows, scrape);
  }
  return {};
}

constexpr Query kQueries[] = {{.sql = Sql, .emit = Emit}};

}  // namespace

extern constexpr PostgresCollector kBlocking{
    .name = "blocking",
    .help = "Sessions that hold up others, and how many wait behind them.",
    .queries = kQueries};

}  // namespace exporters::postgres
