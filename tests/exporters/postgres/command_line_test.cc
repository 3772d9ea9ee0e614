#include "exporters/postgres/command_line.h"

#include <map>
#include <optional>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace exporters::postgres {
namespace {

using Words = std::map<std::string, std::string>;

base::Result<PostgresOptions> Parse(const std::vector<std::string>& arguments,
                                    const Words& variables = {}) {
  const EnvironmentFunc environment = [&](const char* name) -> std::optional<std::string> {
    const auto found = variables.find(name);
    return found == variables.end() ? std::nullopt : std::optional(found->second);
  };
  const CommandLine line{.program = "tarsier-postgres", .summary = "", .flags = PostgresFlags()};
  ASSIGN_OR_RETURN(const ParsedFlags flags, ParseFlags(line, arguments, environment));
  return ParseOptions(flags, environment);
}

TEST(CommandLine, DefaultsAreThoseOfTheOfficialExporterOrPoliter) {
  const auto options = Parse({});
  ASSERT_TRUE(options.ok()) << options.error().message();
  EXPECT_EQ(options->collection_timeout, std::chrono::minutes(1));
  EXPECT_EQ(options->statement_timeout, std::chrono::seconds(3));
  EXPECT_EQ(options->lock_timeout, std::chrono::milliseconds(250));
  EXPECT_EQ(options->stat_statements.limit, 100);
  EXPECT_EQ(options->stat_statements.query_length, 120);
  EXPECT_FALSE(options->stat_statements.include_query);
  EXPECT_TRUE(options->selection.named.empty());
}

TEST(CommandLine, ReadsFlags) {
  const auto options = Parse(
      {"--no-collector.locks", "--collector.postmaster", "--collector.stat_statements.limit=5",
       "--collector.stat_statements.include_query", "--collector.stat_statements.exclude_users=a,b",
       "--exclude-databases=x,y", "--statement-timeout=1s", "--sizes-interval=1h",
       "--disable-settings-metrics", "--no-collector.replication_slot"});
  ASSERT_TRUE(options.ok()) << options.error().message();
  EXPECT_EQ(options->selection.named,
            (std::map<std::string, bool, std::less<>>{{"locks", false},
                                                      {"postmaster", true},
                                                      {"replication_slots", false},
                                                      {"settings", false}}));
  EXPECT_EQ(options->stat_statements.limit, 5);
  EXPECT_TRUE(options->stat_statements.include_query);
  EXPECT_EQ(options->exclude_databases, (std::vector<std::string>{"x", "y"}));
  EXPECT_EQ(options->sizes_interval, std::chrono::hours(1));
}

TEST(CommandLine, ReadsTheEnvironment) {
  const auto options = Parse({}, {{"DATA_SOURCE_NAME", "host=db1"},
                                  {"PG_EXPORTER_COLLECTION_TIMEOUT", "5s"},
                                  {"PG_EXPORTER_EXCLUDE_DATABASES", "x,y"},
                                  {"PG_EXPORTER_DISABLE_SETTINGS_METRICS", "true"},
                                  {"PG_EXPORTER_METRIC_PREFIX", "pg"},
                                  {"PG_EXPORTER_AUTO_DISCOVER_DATABASES", "false"}});
  ASSERT_TRUE(options.ok()) << options.error().message();
  EXPECT_EQ(options->conninfo.Server(), "db1:5432");
  EXPECT_EQ(options->collection_timeout, std::chrono::seconds(5));
  EXPECT_EQ(options->exclude_databases, (std::vector<std::string>{"x", "y"}));
  EXPECT_FALSE(options->selection.Enabled("settings", true));
}

TEST(CommandLine, TakesWhatPostgresExporterTakes) {
  const auto options = Parse({"--disable-default-metrics", "--auto-discover-databases"},
                             {{"PG_EXPORTER_CONSTANT_LABELS", "team=db, site = ams"},
                              {"PG_EXPORTER_METRIC_PREFIX", "mypg"},
                              {"PG_EXPORTER_INCLUDE_DATABASES", "a,b"}});
  ASSERT_TRUE(options.ok()) << options.error().message();
  EXPECT_FALSE(options->selection.Enabled("stat_activity", true));
  EXPECT_TRUE(options->selection.Enabled("stat_database", true));
  EXPECT_EQ(options->constant_labels,
            (std::vector<std::pair<std::string, std::string>>{{"team", "db"}, {"site", "ams"}}));
  EXPECT_EQ(options->metric_prefix, "mypg");
  EXPECT_EQ(options->include_databases, (std::vector<std::string>{"a", "b"}));
}

TEST(CommandLine, RefusesByName) {
  const auto check = [](const std::vector<std::string>& arguments, const Words& variables,
                        std::string_view name) {
    const auto options = Parse(arguments, variables);
    ASSERT_FALSE(options.ok()) << name;
    EXPECT_EQ(options.error().kind(), base::ErrorKind::kInvalidArgument) << name;
    EXPECT_NE(options.error().message().find(name), std::string::npos) << options.error().message();
  };
  check({"--extend.query-path=x"}, {}, "extend.query-path");
  check({"--metric-prefix=1-2"}, {}, "metric-prefix");
  check({"--constantLabels=team"}, {}, "constantLabels");
  check({"--constantLabels=1a=x"}, {}, "constantLabels");
  check({"--tables-limit=0"}, {}, "tables-limit");
  check({"--databases-limit=-1"}, {}, "databases-limit");
  check({"--databases-interval=0"}, {}, "databases-interval");
  check({"--collector.nope"}, {}, "collector.nope");
  check({"--collector.stat_statements.limit=0"}, {}, "collector.stat_statements.limit");
  check({"--collector.stat_statements.limit=99999"}, {}, "collector.stat_statements.limit");
  check({"--collector.stat_statements.query_length=0"}, {},
        "collector.stat_statements.query_length");
  check({"--collection-timeout=0"}, {}, "collection-timeout");
  check({"--lock-timeout=0"}, {}, "lock-timeout");
  check({"--statement-timeout=soon"}, {}, "statement-timeout");
  check({}, {{"PG_EXPORTER_EXTEND_QUERY_PATH", "/no/such"}}, "extend.query-path");
  check({}, {{"DATA_SOURCE_NAME", "nonsense"}}, "DATA_SOURCE_NAME");
}

}  // namespace
}  // namespace exporters::postgres
