// The statements that take most time, from the extension pg_stat_statements, and one series a
// database for all others together. The extension's function is asked without texts, which
// otherwise loads the whole file of texts at every scrape. The same statement as top level and
// nested are two rows of it and one of ours.
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "exporters/postgres/collector.h"
#include "lib/base/strings.h"

namespace exporters::postgres {
namespace {

// Above the default of pg_stat_statements.max, and a bound of what is held in memory.
constexpr size_t kMaxStatements = 20000;
constexpr std::string_view kRemainder = "other";

constexpr ColumnTable kColumns({
    {.name = "user", .usage = Usage::kLabel},
    {.name = "datname", .usage = Usage::kLabel},
    {.name = "queryid", .usage = Usage::kLabel},
    {.name = "calls",
     .usage = Usage::kCounter,
     .metric = "pg_stat_statements_calls_total",
     .help = "Executions."},
    {.name = "milliseconds",
     .usage = Usage::kCounter,
     .metric = "pg_stat_statements_seconds_total",
     .help = "Time spent executing."},
    {.name = "rows",
     .usage = Usage::kCounter,
     .metric = "pg_stat_statements_rows_total",
     .help = "Rows retrieved or affected."},
    {.name = "read_milliseconds",
     .usage = Usage::kCounter,
     .metric = "pg_stat_statements_block_read_seconds_total",
     .help = "Time spent reading blocks; counts with track_io_timing."},
    {.name = "write_milliseconds",
     .usage = Usage::kCounter,
     .metric = "pg_stat_statements_block_write_seconds_total",
     .help = "Time spent writing blocks; counts with track_io_timing."},
});

constexpr size_t kFirstCounter = 3;
constexpr double kMillisecondsPerSecond = 1000;
constexpr double kDivisors[kStatementCounters] = {1, kMillisecondsPerSecond, 1,
                                                  kMillisecondsPerSecond, kMillisecondsPerSecond};

constexpr ColumnTable kTextColumns({
    {.name = "queryid", .usage = Usage::kLabel},
    {.name = "query", .usage = Usage::kLabel},
    {.name = "one",
     .usage = Usage::kCounter,
     .metric = "pg_stat_statements_query_id",
     .help = "The text of a statement, always 1.",
     .sql = "1"},
});

constexpr ColumnTable kInfoColumns({
    {.name = "dealloc",
     .usage = Usage::kCounter,
     .metric = "pg_stat_statements_dealloc_total",
     .help = "Times the least executed statements were forgotten for lack of room; raise "
             "pg_stat_statements.max if this grows."},
});

// The columns of a version of the extension, not of the server: an upgrade leaves the old one.
struct Times {
  std::string_view execution;
  std::string_view read;
  std::string_view write;
};

Times TimesOf(int extension_version) {
  constexpr int kSplitsExecution = 1008;
  constexpr int kSplitsBlocks = 1011;
  if (extension_version >= kSplitsBlocks) {
    return {"total_exec_time", "shared_blk_read_time + local_blk_read_time",
            "shared_blk_write_time + local_blk_write_time"};
  }
  return {extension_version >= kSplitsExecution ? "total_exec_time" : "total_time", "blk_read_time",
          "blk_write_time"};
}

base::Result<Extension> FindExtension(const Server& server) {
  const auto extension = server.extensions.find("pg_stat_statements");
  if (extension == server.extensions.end()) {
    return base::Error(
        fmt::format("the extension is missing in database {}; to have it: add pg_stat_statements "
                    "to shared_preload_libraries, restart the server, then CREATE EXTENSION "
                    "pg_stat_statements",
                    QuoteIdentifier(server.database)),
        base::ErrorKind::kUnsupported);
  }
  return extension->second;
}

base::Result<std::string> Sql(const Server& server) {
  ASSIGN_OR_RETURN(const Extension extension, FindExtension(server));
  const StatStatementsOptions& options = server.options->stat_statements;
  const Times times = TimesOf(extension.version);
  return fmt::format(
      "SELECT coalesce(rolname, '') AS \"user\", coalesce(datname, '') AS datname, queryid, "
      "sum(calls) AS calls, sum({}) AS milliseconds, sum(rows) AS rows, "
      "sum({}) AS read_milliseconds, sum({}) AS write_milliseconds FROM "
      "{}.pg_stat_statements(false) "
      "LEFT JOIN pg_roles ON pg_roles.oid = userid LEFT JOIN pg_database ON pg_database.oid = dbid "
      "WHERE queryid IS NOT NULL{}{} GROUP BY 1, 2, 3 LIMIT {}",
      times.execution, times.read, times.write, QuoteIdentifier(extension.schema),
      AndNotIn("coalesce(datname, '')", options.exclude_databases),
      AndNotIn("coalesce(rolname, '')", options.exclude_users), kMaxStatements);
}

void EmitTotals(const model::LabelValues& labels, const StatementTotals& totals, Scrape& scrape) {
  const QueryTable table = kColumns;
  for (size_t i = 0; i < kStatementCounters; ++i) {
    scrape.Emit(table.descs[kFirstCounter + i], totals[i] / kDivisors[i], labels);
  }
}

base::Result<std::vector<StatementRow>> ParseRows(const Rows& rows) {
  if (rows.column_count() != kFirstCounter + kStatementCounters) {
    return base::Error("the answer has other columns than asked for",
                       base::ErrorKind::kInvalidArgument);
  }
  std::vector<StatementRow> statements;
  statements.reserve(rows.row_count());
  for (size_t row = 0; row < rows.row_count(); ++row) {
    StatementRow statement{.user = base::ToValidUtf8(rows.at(row, 0).value_or("")),
                           .database = base::ToValidUtf8(rows.at(row, 1).value_or("")),
                           .queryid = std::string(rows.at(row, 2).value_or(""))};
    for (size_t i = 0; i < kStatementCounters; ++i) {
      statement.totals[i] =
          base::ParseDouble(rows.at(row, kFirstCounter + i).value_or("")).value_or(0);
    }
    statements.push_back(std::move(statement));
  }
  return statements;
}

base::Result<void> Emit(Server& server, const Rows& rows, Scrape& scrape) {
  ASSIGN_OR_RETURN(const std::vector<StatementRow> statements, ParseRows(rows));
  const auto limit = static_cast<size_t>(server.options->stat_statements.limit);
  for (const size_t i : server.statements.Take(statements, limit)) {
    const StatementRow& statement = statements[i];
    EmitTotals({statement.user, statement.database, statement.queryid}, statement.totals, scrape);
  }
  for (const auto& [database, totals] : server.statements.remainder()) {
    EmitTotals({kRemainder, database, kRemainder}, totals, scrape);
  }
  return {};
}

// Texts of the members; before there are any, of the statements with most time.
base::Result<std::string> TextSql(const Server& server) {
  const StatStatementsOptions& options = server.options->stat_statements;
  if (!options.include_query) {
    return std::string("SELECT NULL AS queryid, NULL AS query, NULL AS one WHERE false");
  }
  ASSIGN_OR_RETURN(const Extension extension, FindExtension(server));
  const std::vector<std::string> members = server.statements.MemberIds();
  return fmt::format(
      "SELECT queryid, left(max(query), {}) AS query, 1 AS one FROM {}.pg_stat_statements(true) "
      "WHERE queryid IS NOT NULL{} GROUP BY 1 ORDER BY sum({}) DESC LIMIT {}",
      options.query_length, QuoteIdentifier(extension.schema),
      members.empty() ? std::string()
                      : fmt::format(" AND queryid IN ({})", base::Join(members, ", ")),
      TimesOf(extension.version).execution, options.limit);
}

base::Result<std::string> InfoSql(const Server& server) {
  ASSIGN_OR_RETURN(const Extension extension, FindExtension(server));
  constexpr int kHasInfo = 1009;
  return extension.version < kHasInfo
             ? "SELECT NULL AS dealloc"
             : fmt::format("SELECT dealloc FROM {}.pg_stat_statements_info",
                           QuoteIdentifier(extension.schema));
}

constexpr Query kQueries[] = {
    {.sql = Sql, .emit = Emit},
    {.table = kTextColumns, .sql = TextSql, .refresh = Refresh::kMinute},
    {.table = kInfoColumns, .sql = InfoSql, .refresh = Refresh::kMinute},
};

}  // namespace

extern constexpr PostgresCollector kStatStatements{
    .name = "stat_statements",
    .help = "The statements that take most time; needs the extension pg_stat_statements.",
    .queries = kQueries,
    .role = "pg_read_all_stats"};

}  // namespace exporters::postgres
