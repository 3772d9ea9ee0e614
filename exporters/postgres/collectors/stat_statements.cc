// The statements that took most time, from the extension pg_stat_statements. Its function is asked
// without texts, which otherwise loads the whole file of texts at every scrape. The same statement
// as top level and nested are two rows of it and one of ours.
#include <fmt/format.h>

#include "exporters/postgres/collector.h"

namespace exporters::postgres {
namespace {

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
     .help = "Time spent executing.",
     .scale = 1e-3},
    {.name = "rows",
     .usage = Usage::kCounter,
     .metric = "pg_stat_statements_rows_total",
     .help = "Rows retrieved or affected."},
    {.name = "read_milliseconds",
     .usage = Usage::kCounter,
     .metric = "pg_stat_statements_block_read_seconds_total",
     .help = "Time spent reading blocks; counts with track_io_timing.",
     .scale = 1e-3},
    {.name = "write_milliseconds",
     .usage = Usage::kCounter,
     .metric = "pg_stat_statements_block_write_seconds_total",
     .help = "Time spent writing blocks; counts with track_io_timing.",
     .scale = 1e-3},
});

constexpr ColumnTable kTextColumns({
    {.name = "queryid", .usage = Usage::kLabel},
    {.name = "query", .usage = Usage::kLabel},
    {.name = "one",
     .usage = Usage::kCounter,
     .metric = "pg_stat_statements_query_id",
     .help = "The text of a statement, always 1."},
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

base::Result<std::string> Sql(const Server& server) {
  const auto extension = server.extensions.find("pg_stat_statements");
  if (extension == server.extensions.end()) {
    return base::Error(
        fmt::format("the extension is missing in database {}; to have it: add pg_stat_statements "
                    "to shared_preload_libraries, restart the server, then CREATE EXTENSION "
                    "pg_stat_statements",
                    QuoteIdentifier(server.database)),
        base::ErrorKind::kUnsupported);
  }
  const StatStatementsOptions& options = server.options->stat_statements;
  const Times times = TimesOf(extension->second.version);
  return fmt::format(
      "SELECT coalesce(rolname, '') AS \"user\", coalesce(datname, '') AS datname, queryid, "
      "sum(calls) AS calls, sum({}) AS milliseconds, sum(rows) AS rows, "
      "sum({}) AS read_milliseconds, sum({}) AS write_milliseconds{} FROM "
      "{}.pg_stat_statements({}) "
      "LEFT JOIN pg_roles ON pg_roles.oid = userid LEFT JOIN pg_database ON pg_database.oid = dbid "
      "WHERE queryid IS NOT NULL{}{} GROUP BY 1, 2, 3 ORDER BY milliseconds DESC LIMIT {}",
      times.execution, times.read, times.write,
      options.include_query
          ? fmt::format(", left(max(query), {}) AS query, 1 AS one", options.query_length)
          : "",
      QuoteIdentifier(extension->second.schema), options.include_query,
      AndNotIn("coalesce(datname, '')", options.exclude_databases),
      AndNotIn("coalesce(rolname, '')", options.exclude_users), options.limit);
}

base::Result<void> Emit(Server& server, const Rows& rows, Scrape& scrape) {
  RETURN_IF_ERROR(EmitRows(kColumns, rows, server.version, scrape));
  if (!server.options->stat_statements.include_query) {
    return {};
  }
  return EmitRows(kTextColumns, rows, server.version, scrape);
}

constexpr Query kQueries[] = {{.sql = Sql, .emit = Emit}};

}  // namespace

extern constexpr PostgresCollector kStatStatements{
    .name = "stat_statements",
    .help = "The statements that took most time; needs the extension pg_stat_statements.",
    .queries = kQueries,
    .role = "pg_read_all_stats"};

}  // namespace exporters::postgres
