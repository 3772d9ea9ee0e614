// The SQL that every version is asked, as one file that can be read, and what PostgreSQL 15
// answered to it, as the page it becomes. TARSIER_UPDATE_GOLDEN=1 writes the files anew.
#include "exporters/postgres/collectors.h"

#include <algorithm>
#include <optional>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "exporters/postgres/exporter.h"
#include "exporters/postgres/server_scraper.h"
#include "lib/base/file.h"
#include "lib/base/strings.h"
#include "lib/exposition/writer.h"
#include "tests/exporters/postgres/fake_session.h"

namespace exporters::postgres {
namespace {

constexpr int kVersions[] = {10, 11, 12, 13, 14, 15, 16, 17, 18};

std::string Path(std::string_view name) { return fmt::format("{}/{}", TESTDATA_DIR, name); }

void ExpectGolden(std::string_view name, const std::string& actual) {
  if (base::GetEnv("TARSIER_UPDATE_GOLDEN").has_value()) {
    ASSERT_TRUE(base::WriteFileAtomically(Path(name), actual).ok());
  }
  const auto expected = base::ReadFile(Path(name));
  ASSERT_TRUE(expected.ok()) << expected.error().message();
  const std::vector<std::string_view> is = base::Split(actual, '\n');
  const std::vector<std::string_view> should = base::Split(*expected, '\n');
  for (size_t i = 0; i < std::min(is.size(), should.size()); ++i) {
    ASSERT_EQ(is[i], should[i]) << name << " differs first in line " << i + 1
                                << "; run with TARSIER_UPDATE_GOLDEN=1 and review the difference";
  }
  EXPECT_EQ(is.size(), should.size()) << name << " has another number of lines";
}

// The extension that comes with each major version.
int StatStatementsVersion(int major) {
  switch (major) {
    case 10:
    case 11:
    case 12:
      return 1007;
    case 13:
      return 1008;
    case 14:
      return 1009;
    case 15:
    case 16:
      return 1010;
    case 17:
      return 1011;
    default:
      return 1012;
  }
}

Server ServerOf(const PostgresOptions& options, int major) {
  Server server{.options = &options, .address = "db1:5432", .version = major * 10000 + 1};
  server.database = "postgres";
  server.extensions["pg_stat_statements"] = {.schema = "public",
                                             .version = StatStatementsVersion(major)};
  server.extensions["pg_buffercache"] = {.schema = "public", .version = 1004};
  return server;
}

std::optional<std::string> SqlOf(const Query& query, const PostgresOptions& options, int major) {
  const Server server = ServerOf(options, major);
  if (!query.ExistsIn(server.version)) {
    return std::nullopt;
  }
  const base::Result<std::string> sql = SqlFor(query, server);
  EXPECT_TRUE(sql.ok());
  return *sql;
}

// "12-14: SELECT …" for each run of versions that are asked the same.
std::string VersionsOf(const Query& query, const PostgresOptions& options) {
  std::string text;
  for (size_t i = 0; i < std::size(kVersions);) {
    const std::optional<std::string> sql = SqlOf(query, options, kVersions[i]);
    size_t end = i + 1;
    while (end < std::size(kVersions) && SqlOf(query, options, kVersions[end]) == sql) {
      ++end;
    }
    text += fmt::format("  {}-{}: {}\n", kVersions[i], kVersions[end - 1], sql.value_or("nothing"));
    i = end;
  }
  return text;
}

TEST(Collectors, AskEachVersionForWhatItHas) {
  const PostgresOptions options;
  std::string text;
  for (const PostgresCollector* const collector : AllCollectors()) {
    text += fmt::format("{}{}\n", collector->name, collector->enabled_by_default ? "" : " (off)");
    for (const Query& query : collector->queries) {
      text += VersionsOf(query, options);
    }
  }
  ExpectGolden("sql_by_version.txt", text);
}

TEST(Collectors, AreSortedByNameAndNamedOnce) {
  std::vector<std::string_view> names;
  for (const PostgresCollector* const collector : AllCollectors()) {
    names.push_back(collector->name);
    EXPECT_EQ(collector->help.back(), '.') << collector->name;
    EXPECT_FALSE(collector->queries.empty()) << collector->name;
  }
  EXPECT_TRUE(std::is_sorted(names.begin(), names.end()));
  EXPECT_EQ(std::set<std::string_view>(names.begin(), names.end()).size(), names.size());
}

TEST(Collectors, OptionsReachTheSqlQuoted) {
  PostgresOptions options;
  options.exclude_databases = {"it's", "b"};
  options.stat_statements = {.include_query = true,
                             .query_length = 80,
                             .limit = 7,
                             .exclude_databases = {"app"},
                             .exclude_users = {"o'neil"}};
  std::string all;
  for (const PostgresCollector* const collector : AllCollectors()) {
    for (const Query& query : collector->queries) {
      all += SqlOf(query, options, 15).value_or("") + "\n";
    }
  }
  for (const char* part :
       {"datname NOT IN ('it''s', 'b')", "coalesce(rolname, '') NOT IN ('o''neil')",
        "coalesce(datname, '') NOT IN ('app')", "left(max(query), 80) AS query", "LIMIT 7",
        "pg_stat_statements(true)"}) {
    EXPECT_NE(all.find(part), std::string::npos) << part;
  }
}

// What testdata/record_answers.py wrote: the SQL after "--- ", a line of column names, lines of
// cells; tabs between, \N for NULL.
void Load(std::string_view name, FakeServer* server) {
  const auto text = base::ReadFile(Path(name));
  ASSERT_TRUE(text.ok()) << text.error().message();
  std::string sql;
  std::vector<std::string> columns;
  std::vector<TextRows::Row> rows;
  const auto flush = [&] {
    if (!sql.empty()) {
      server->Answer(sql, MakeRows(columns, rows));
    }
    columns.clear();
    rows.clear();
  };
  for (const std::string_view line : base::Split(*text, '\n')) {
    if (line.starts_with("--- ")) {
      flush();
      sql = line.substr(4);
    } else if (columns.empty()) {
      for (const std::string_view cell : base::Split(line, '\t')) {
        columns.emplace_back(cell);
      }
    } else if (!line.empty()) {
      TextRows::Row row;
      for (const std::string_view cell : base::Split(line, '\t')) {
        row.push_back(cell == "\\N" ? std::nullopt
                                    : std::optional(base::ReplaceAll(cell, "\\n", "\n")));
      }
      rows.push_back(std::move(row));
    }
  }
  flush();
}

struct Recorded {
  int version;
  const char* extensions;
};

class RecordedServer : public testing::TestWithParam<Recorded> {};

TEST_P(RecordedServer, GivesTheGoldenPage) {
  const int major = GetParam().version / 10000;
  FakeServer server;
  server.version = GetParam().version;
  ASSERT_NO_FATAL_FAILURE(Load(fmt::format("answers_{}.txt", major), &server));
  server.Answer("AS extensions", Identity("1700000000", GetParam().extensions));
  PostgresOptions options;
  options.conninfo.Set("host", base::Secret("db1"));
  options.session_factory = [&] { return std::make_unique<FakeSession>(server); };
  const base::FakeClock clock;
  const base::Logger logger(base::LogLevel::kError);
  const auto stop = pq::Interrupt::Make();
  ServerScraper scraper(options, clock, logger, *stop);
  Scrape scrape(clock.Monotonic() + std::chrono::seconds(10));
  scraper.Collect(AllCollectors(), scrape);
  size_t duplicates = 0;
  const auto families = scrape.TakeFamilies(&duplicates);
  EXPECT_EQ(duplicates, 0U);
  std::string page;
  exposition::WriteText(families, &page);
  ExpectGolden(fmt::format("page_{}.txt", major), page);
}

INSTANTIATE_TEST_SUITE_P(
    Versions, RecordedServer,
    testing::Values(Recorded{150020, "pg_stat_statements 1.10 public"},
                    Recorded{170011, "pg_stat_statements 1.11 public\npg_buffercache 1.5 public"}),
    [](const auto& test) { return fmt::format("Postgres{}", test.param.version / 10000); });

}  // namespace
}  // namespace exporters::postgres
