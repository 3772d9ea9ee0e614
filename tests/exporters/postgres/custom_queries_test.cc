#include "exporters/postgres/custom_queries.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "exporters/postgres/page_names.h"
#include "lib/exposition/writer.h"
#include "tests/exporters/postgres/fake_session.h"

namespace exporters::postgres {
namespace {

constexpr char kFile[] = R"(
pg_thing:
  query: "SELECT 1"
  master: true
  cache_seconds: 30
  runonserver: ">=10.0.0 <12.0.0 || 15.4"
  metrics:
    - host: {usage: "LABEL", description: "Where."}
    - hits: {usage: "COUNTER", description: "Hits."}
    - size: {usage: "GAUGE", description: "Size."}
    - state:
        usage: "MAPPEDMETRIC"
        description: "State."
        metric_mapping: {good: 1, bad: 0}
    - took: {usage: "DURATION", description: "Time."}
    - secret: {usage: "DISCARD", description: "Not shown."}
    - wait: {usage: "HISTOGRAM", description: "Waits."}
)";

TEST(CustomQueries, ReadAFile) {
  const auto queries = CustomQueries::Parse(kFile, "queries.yaml", /*per_database=*/true);
  ASSERT_TRUE(queries.ok()) << queries.error().message();
  EXPECT_EQ((*queries)->hash().size(), 64U);
  const auto collectors = (*queries)->Collectors();
  ASSERT_EQ(collectors.size(), 1U);
  EXPECT_EQ(collectors[0]->name, "custom.pg_thing");
  const Query& query = collectors[0]->queries[0];
  EXPECT_FALSE(query.per_database);  // For the master only.
  EXPECT_EQ(query.refresh, Refresh::kOwnInterval);
  EXPECT_EQ(query.custom->cache, std::chrono::seconds(30));
  for (const auto& [version, asked] : std::vector<std::pair<int, bool>>{
           {100000, true}, {119999, true}, {120000, false}, {150004, true}, {150005, false}}) {
    EXPECT_EQ(IsAsked(query, version), asked) << version;
  }
}

std::string Page(const char* file, const pq::RowsPtr& rows, bool* ok, bool per_database = false) {
  const auto queries = CustomQueries::Parse(file, "queries.yaml", per_database);
  EXPECT_TRUE(queries.ok()) << queries.error().message();
  const PostgresOptions options;
  Server server{.options = &options, .address = "db1:5432", .version = 150000, .database = "app"};
  Scrape scrape{base::MonotonicTime()};
  *ok = EmitAnswer((*queries)->Collectors()[0]->queries[0], server, *rows, scrape).ok();
  std::string page;
  exposition::WriteText(scrape.TakeFamilies(), &page);
  return page;
}

TEST(CustomQueries, TurnColumnsIntoWhatTheFileSays) {
  bool ok = false;
  const std::string page =
      Page(kFile,
           MakeRows({"host", "hits", "size", "state", "took", "secret", "wait", "wait_bucket",
                     "wait_sum", "wait_count", "more", "text"},
                    {{"h", "3", std::nullopt, "bad", "1m30s", "7", "{0.1,1}", "{2,5}", "2.5", "6",
                      "2026-11-20 00:00:01+00", "words"}}),
           &ok);
  EXPECT_TRUE(ok);
  EXPECT_EQ(page,
            "# HELP pg_thing_hits Hits.\n"
            "# TYPE pg_thing_hits counter\n"
            "pg_thing_hits{host=\"h\",server=\"db1:5432\"} 3\n"
            "# HELP pg_thing_more Column more of the query pg_thing.\n"
            "# TYPE pg_thing_more untyped\n"
            "pg_thing_more{host=\"h\",server=\"db1:5432\"} 1795132801\n"
            "# HELP pg_thing_state State.\n"
            "# TYPE pg_thing_state gauge\n"
            "pg_thing_state{host=\"h\",server=\"db1:5432\"} 0\n"
            "# HELP pg_thing_took_milliseconds Time.\n"
            "# TYPE pg_thing_took_milliseconds gauge\n"
            "pg_thing_took_milliseconds{host=\"h\",server=\"db1:5432\"} 90000\n"
            "# HELP pg_thing_wait Waits.\n"
            "# TYPE pg_thing_wait histogram\n"
            "pg_thing_wait_bucket{host=\"h\",server=\"db1:5432\",le=\"0.1\"} 2\n"
            "pg_thing_wait_bucket{host=\"h\",server=\"db1:5432\",le=\"1\"} 5\n"
            "pg_thing_wait_bucket{host=\"h\",server=\"db1:5432\",le=\"+Inf\"} 6\n"
            "pg_thing_wait_sum{host=\"h\",server=\"db1:5432\"} 2.5\n"
            "pg_thing_wait_count{host=\"h\",server=\"db1:5432\"} 6\n");
}

TEST(CustomQueries, ABadValueIsAnErrorAndTheRestIsServed) {
  bool ok = true;
  const std::string page =
      Page("q: {query: SELECT, metrics: [a: {usage: GAUGE}, b: {usage: GAUGE}]}",
           MakeRows({"a", "b"}, {{"words", "2"}}), &ok);
  EXPECT_FALSE(ok);
  EXPECT_NE(page.find("q_b{server=\"db1:5432\"} 2"), std::string::npos) << page;
}

TEST(CustomQueries, InEveryDatabaseTheyBearItsName) {
  bool ok = false;
  const std::string page = Page("q: {query: SELECT, metrics: [a: {usage: GAUGE}]}",
                                MakeRows({"a"}, {{"1"}}), &ok, /*per_database=*/true);
  EXPECT_NE(page.find("q_a{server=\"db1:5432\",datname=\"app\"} 1"), std::string::npos) << page;
}

TEST(CustomQueries, RefuseWhatTheyDoNotUnderstand) {
  const auto check = [](const char* text, const char* part) {
    const auto queries = CustomQueries::Parse(text, "f.yaml", false);
    ASSERT_FALSE(queries.ok()) << text;
    EXPECT_NE(queries.error().message().find(part), std::string::npos)
        << text << ": " << queries.error().message();
  };
  check("q: [", "f.yaml");
  check("- q", "f.yaml:1");
  check("q: {}", "query is missing");
  check("q: {query: \"  \"}", "query is missing");
  check("1q: {query: SELECT}", "cannot begin");
  check("q: {query: SELECT, quary: x}", "quary");
  check("q: {query: SELECT, metrics: [a: {usage: GUAGE}]}", "GUAGE");
  check("q: {query: SELECT, metrics: [a-b: {usage: GAUGE}]}", "a-b");
  check("q: {query: SELECT, metrics: [a: {metric_mapping: {x: y}}]}", "no number");
  check("q: {query: SELECT, runonserver: \">=x\"}", "no version");
  check("q: {query: SELECT, runonserver: \"~1.2\"}", "no comparison");
  check("q: {query: SELECT, cache_seconds: 100000000}", "cache_seconds");
  check("q: {query: SELECT, cache_seconds: soon}", "f.yaml:1");
}

TEST(CustomQueries, ComparisonsOfVersions) {
  const auto check = [](const char* text, int version, bool runs) {
    const auto versions = ParseVersions(text);
    ASSERT_TRUE(versions.ok()) << text;
    EXPECT_EQ((CustomQuery{.versions = *versions}.RunsOn(version)), runs)
        << text << " on " << version;
  };
  check(">=9.6.0", 90600, true);
  check(">=9.6.1", 90600, false);
  check("< 10.0.0", 90699, true);
  check("<= 10.1", 100001, true);
  check("> 10.1, <11", 100001, false);
  check("> 10.1, <11", 100002, true);
  check("=13.0.0", 130000, true);
  check("<10 || >=14", 120000, false);
  check("<10 || >=14", 140000, true);
}

model::MetricFamily Family(const model::MetricDesc& desc, double value) {
  model::MetricFamily family{.desc = &desc};
  family.Add(value);
  return family;
}

std::string Renamed(const PostgresOptions& options) {
  static constexpr model::MetricDesc kLag{.name = "pg_replication_lag_seconds", .help = "L."};
  static constexpr model::MetricDesc kUp{.name = "pg_up", .help = "U."};
  std::vector<model::MetricFamily> families;
  families.push_back(Family(kLag, 1));
  families.push_back(Family(kUp, 2));
  PageNames names(options);
  names.Apply(&families);
  std::string page;
  for (const model::MetricFamily& family : families) {
    page += std::string(family.desc->name);
    for (const std::string_view label : family.desc->labels) {
      page += " " + std::string(label);
    }
    for (const std::string_view value : family.metrics[0].labels) {
      page += "=" + std::string(value);
    }
    page += "\n";
  }
  return page;
}

TEST(PageNames, OldNamesStandBesideNewOnes) {
  EXPECT_EQ(Renamed({}), "pg_replication_lag\npg_replication_lag_seconds\npg_up\n");
  EXPECT_EQ(Renamed({.old_names = false}), "pg_replication_lag_seconds\npg_up\n");
}

TEST(PageNames, ConstantLabelsGoEverywhereAndThePrefixWhereItAlwaysWent) {
  EXPECT_EQ(Renamed({.constant_labels = {{"team", "db"}}, .metric_prefix = "my"}),
            "my_up team=db\npg_replication_lag team=db\npg_replication_lag_seconds team=db\n");
}

TEST(PageNames, TheTableIsSorted) {
  for (size_t i = 1; i < OldNames().size(); ++i) {
    EXPECT_LT(OldNames()[i - 1].now, OldNames()[i].now);
  }
}

}  // namespace
}  // namespace exporters::postgres
