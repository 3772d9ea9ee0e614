// The shape of a PostgreSQL collector: queries, and what their answers become.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "exporters/postgres/options.h"
#include "exporters/postgres/position_clock.h"
#include "exporters/postgres/statement_ranks.h"
#include "exporters/toolkit/query_table.h"
#include "exporters/toolkit/scrape.h"
#include "lib/base/result.h"
#include "lib/model/metric_family.h"

namespace exporters::postgres {

inline constexpr int kOldestVersion = 100000;  // PostgreSQL 10.

struct Extension {
  std::string schema;
  int version = 0;  // 1.10 is 1010.
};

struct CustomQuery;

// Counts of wait events, over all looks at pg_stat_activity.
struct WaitSamples {
  struct Series {
    model::LabelValues labels;
    double count = 0;
  };
  std::map<std::string, Series, std::less<>> by_event;  // By encoded labels.
  uint64_t looks = 0;
  double dropped = 0;
};

// The server as it was when it was last asked, and what collectors remember of it from one answer
// to the next. Thread-compatible.
struct Server {
  const PostgresOptions* options = nullptr;
  std::string address;  // "db1:5432".
  int version = 0;      // 150020
  std::string version_text;
  std::string user;
  std::string database;
  bool in_recovery = false;
  std::map<std::string, Extension, std::less<>> extensions;
  std::vector<std::string> databases;  // The others that can be connected to.
  base::MonotonicTime now;             // When the answer at hand came.
  PositionClock wal_clock;
  PositionClock xid_clock;
  PositionClock multixact_clock;
  WaitSamples wait_samples;
  StatementRanks statements;
  // Descs whose names are known only at run time; built once.
  std::map<std::string, model::DescPtr, std::less<>> descs;
};

enum class Refresh {
  kEveryScrape,
  kSecond,       // Sampled, for what one look per scrape does not tell.
  kMinute,       // Changes seldom.
  kOwnInterval,  // Of a custom query, its cache_seconds.
  kSizes,        // Walks files; PostgresOptions::sizes_interval.
};

// A question and what its answer becomes. Usually `table` and `from`; `sql` and `emit` replace them
// where a table does not reach.
struct Query {
  QueryTable table = {};
  std::string_view from = {};  // What follows the SELECT list.
  // Errors say why this server cannot be asked, and what to do about it.
  base::Result<std::string> (*sql)(const Server& server) = nullptr;
  base::Result<void> (*emit)(Server& server, const Rows& rows, Scrape& scrape) = nullptr;
  Refresh refresh = Refresh::kEveryScrape;
  int since = kAnyVersion;
  int until = kNoLastVersion;
  // Of the database one is connected to; the other databases are asked as well.
  bool per_database = false;
  // Replaces all of the above but `refresh` and `per_database`.
  const CustomQuery* custom = nullptr;

  constexpr bool ExistsIn(int version) const { return since <= version && version < until; }
};

struct PostgresCollector {
  std::string_view name;
  std::string_view help;  // For --help; a sentence.
  bool enabled_by_default = true;
  std::span<const Query> queries;
  // The right it needs beyond connecting, as GRANT takes it: "pg_monitor".
  std::string_view role = "pg_monitor";
};

// Whether this version is asked the query at all.
bool IsAsked(const Query& query, int version);

// The text of a query for this server. {server} in it is the server's address, as a literal.
base::Result<std::string> SqlFor(const Query& query, const Server& server);

// The samples of its answer.
base::Result<void> EmitAnswer(const Query& query, Server& server, const Rows& rows, Scrape& scrape);

// " JOIN … ORDER BY … LIMIT …", for "FROM pg_stat_user_tables AS stats": the tables with most
// pages, or most rows read and written, as far as --tables-limit goes.
std::string LargestTables(const Server& server);

// 'it''s', for literals in SQL. The server runs with standard_conforming_strings on.
std::string QuoteLiteral(std::string_view text);
// "a ""name""", for identifiers.
std::string QuoteIdentifier(std::string_view name);
// " AND expression NOT IN ('a', 'b')", or "" for no values.
std::string AndNotIn(std::string_view expression, std::span<const std::string> values);

}  // namespace exporters::postgres
