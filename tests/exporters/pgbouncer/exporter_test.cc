// What the exporter makes of recorded conversations, as whole pages. TARSIER_UPDATE_GOLDEN=1
// rewrites the pages; the difference is for review.
#include "exporters/pgbouncer/exporter.h"

#include <chrono>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <unistd.h>

#include "exporters/pgbouncer/collectors.h"
#include "exporters/pgbouncer/doctor.h"
#include "lib/base/file.h"
#include "lib/exposition/writer.h"
#include "tests/exporters/pgbouncer/fake_console.h"

namespace exporters::pgbouncer {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

Options For(int port) {
  Options options;
  options.connection.endpoint = {.host = "127.0.0.1", .port = port};
  options.connection.user = "stats";
  options.connection.ssl_mode = SslMode::kDisable;
  return options;
}

std::string PageOf(Exporter& exporter) {
  const auto families = exporter.Collect({.deadline = steady_clock::now() + milliseconds(5000)});
  EXPECT_TRUE(families.ok());
  std::string page;
  exposition::WriteText(*families, &page);
  return page;
}

// Without the lines that differ from run to run.
std::string Stable(const std::string& page) {
  std::istringstream lines(page);
  std::string stable;
  for (std::string line; std::getline(lines, line);) {
    if (line.rfind("pgbouncer_scrape_collector_duration_seconds{", 0) != 0) {
      stable += line + "\n";
    }
  }
  return stable;
}

std::string ReadTestFile(const std::string& name) {
  const auto content = base::ReadFile(std::string(TESTDATA_DIR) + "/" + name);
  EXPECT_TRUE(content.ok()) << name;
  return content.ok() ? *content : "";
}

bool Contains(const std::string& page, std::string_view line) {
  return ("\n" + page).find("\n" + std::string(line) + "\n") != std::string::npos;
}

// Says what a recorded server said: its welcome and then its answers.
FakeServer::Talk Replay(const std::string& stream) {
  const size_t welcome = stream.find(Ready()) + Ready().size();
  return [stream, welcome](FakeConnection& connection, int) {
    ReadStartup(connection);
    connection.Write(stream.substr(0, welcome));
    connection.Read();
    connection.Write(stream.substr(welcome));
    connection.Hang();
  };
}

class RecordedBouncer : public testing::TestWithParam<const char*> {};

TEST_P(RecordedBouncer, GivesTheGoldenPage) {
  const std::string name = GetParam();
  FakeServer server(Replay(ReadTestFile(name + ".stream")));
  const base::Logger logger(base::LogLevel::kError);
  PgBouncerExporter exporter(For(server.port()), logger);
  const std::string page = Stable(PageOf(exporter));
  const std::string golden = name + ".metrics";
  if (std::getenv("TARSIER_UPDATE_GOLDEN") != nullptr) {
    std::ofstream(std::string(TESTDATA_DIR) + "/" + golden) << page;
  }
  EXPECT_EQ(page, ReadTestFile(golden));
}

INSTANTIATE_TEST_SUITE_P(Versions, RecordedBouncer,
                         testing::Values("pgbouncer-1.18.0", "pgbouncer-1.24.1"),
                         [](const auto& test) {
                           std::string name = test.param;
                           for (char& c : name) {
                             c = c == '-' || c == '.' ? '_' : c;
                           }
                           return name;
                         });

std::string Render(const Snapshot& snapshot) {
  Scrape scrape(steady_clock::now() + milliseconds(5000));
  for (const PgBouncerCollector* collector : AllCollectors()) {
    static_cast<void>(collector->collect(snapshot, scrape));
  }
  std::string page;
  exposition::WriteText(scrape.TakeFamilies(), &page);
  return page;
}

TEST(Pools, HaveTheColumnsOfEachVersion) {
  Snapshot old;
  old.version = ParseVersion("PgBouncer 1.16.1");
  old.Set(Show::kPools,
          TextRows(
              {"database", "user", "cl_active", "cl_waiting", "cl_cancel_req", "sv_active",
               "sv_idle", "sv_used", "sv_tested", "sv_login", "maxwait", "maxwait_us", "pool_mode"},
              {{"db", "me", "1", "2", "3", "4", "5", "6", "7", "8", "9", "250000", "session"}}));
  const std::string page = Render(old);
  EXPECT_TRUE(
      Contains(page, "pgbouncer_pools_client_active_connections{database=\"db\",user=\"me\"} 1"));
  EXPECT_TRUE(
      Contains(page, "pgbouncer_pools_server_login_connections{database=\"db\",user=\"me\"} 8"));
  EXPECT_TRUE(
      Contains(page, "pgbouncer_pools_client_maxwait_seconds{database=\"db\",user=\"me\"} 9.25"));
  EXPECT_EQ(page.find("cancel"), std::string::npos);
}

TEST(Pools, ShowWaitsOfLessThanASecond) {
  Snapshot snapshot;
  snapshot.Set(Show::kPools, TextRows({"database", "user", "maxwait", "maxwait_us"},
                                      {{"db", "me", "0", "1500"}, {"db", "you", "", "1"}}));
  const std::string page = Render(snapshot);
  EXPECT_TRUE(
      Contains(page, "pgbouncer_pools_client_maxwait_seconds{database=\"db\",user=\"me\"} 0.0015"));
  EXPECT_EQ(page.find("you"), std::string::npos) << "no value, no sample";
}

TEST(Stats, AreFoundByNameUnderBothPrefixes) {
  Snapshot snapshot;
  snapshot.version = ParseVersion("PgBouncer 1.25.2");
  snapshot.Set(Show::kStats, TextRows({"some_new_column", "database", "server_assignment_count",
                                       "xact_count", "query_time", "client_login_count"},
                                      {{"x", "db", "3", "18446744073709551616", "2500000", "7"}}));
  const std::string page = Render(snapshot);
  for (const std::string prefix : {"pgbouncer_stats_", "pgbouncer_stats_totals_"}) {
    EXPECT_TRUE(Contains(page, prefix + "server_assignments_total{database=\"db\"} 3"));
    EXPECT_TRUE(Contains(page, prefix + "queries_duration_seconds_total{database=\"db\"} 2.5"));
    EXPECT_TRUE(Contains(page, prefix + "client_logins_total{database=\"db\"} 7"));
    EXPECT_TRUE(Contains(
        page, prefix + "sql_transactions_pooled_total{database=\"db\"} 18446744073709551616"));
  }
}

TEST(Databases, KnowTheOldAndTheNewNameOfTheReserve) {
  const auto check = [](const char* version, const std::string& column) {
    Snapshot snapshot;
    snapshot.version = ParseVersion(version);
    snapshot.Set(Show::kDatabases,
                 TextRows({"name", "host", "port", "database", "force_user", "pool_mode", column},
                          {{"db", std::nullopt, "5432", "db", std::nullopt, std::nullopt, "2"}}));
    EXPECT_TRUE(Contains(Render(snapshot),
                         "pgbouncer_databases_reserve_pool{name=\"db\",host=\"\",port=\"5432\","
                         "database=\"db\",force_user=\"\",pool_mode=\"\"} 2"))
        << version;
  };
  check("PgBouncer 1.12.0", "reserve_pool");
  check("PgBouncer 1.24.0", "reserve_pool_size");
}

TEST(Lists, IgnoreWhatIsNoNumberOfOurs) {
  Snapshot snapshot;
  snapshot.Set(Show::kLists, TextRows({"list", "items"}, {{"used_clients", "3"},
                                                          {"dns_queries", "-307"},
                                                          {"users", "many"},
                                                          {"something_new", "1"}}));
  const std::string page = Render(snapshot);
  EXPECT_TRUE(Contains(page, "pgbouncer_used_clients 3"));
  EXPECT_EQ(page.find("307"), std::string::npos);
  EXPECT_EQ(page.find("pgbouncer_users"), std::string::npos);
}

TEST(Process, IsTheOneOfThePidFile) {
  const std::string path = testing::TempDir() + "tarsier-pgbouncer-" + std::to_string(getpid());
  std::ofstream(path) << getpid() << "\n";
  Snapshot snapshot;
  snapshot.pid_file = path;
  EXPECT_NE(Render(snapshot).find("\npgbouncer_process_resident_memory_bytes "), std::string::npos);
  std::ofstream(path) << "not a number";
  EXPECT_EQ(Render(snapshot).find("pgbouncer_process_"), std::string::npos);
  unlink(path.c_str());
}

TEST(PgBouncerExporter, SaysWhyItIsDownAndRecovers) {
  std::vector<std::string> log;
  const base::Logger logger(base::LogLevel::kDebug, base::LogFormat::kLogfmt,
                            [&](std::string_view line) { log.emplace_back(line); });
  const std::string stream = ReadTestFile("pgbouncer-1.18.0.stream");
  FakeServer server([&](FakeConnection& connection, int number) {
    if (number <= 2) {
      ReadStartup(connection);
      connection.Write(Complaint("FATAL", "08P01", "not allowed"));
    } else {
      Replay(stream)(connection, number);
    }
  });
  Options options = For(server.port());
  options.connection.password = base::Secret("canary");
  PgBouncerExporter exporter(options, logger);
  for (int i = 0; i < 2; ++i) {
    const std::string down = PageOf(exporter);
    EXPECT_TRUE(Contains(down, "pgbouncer_up 0"));
    EXPECT_TRUE(Contains(down, "pgbouncer_probe_failure{reason=\"not_stats_user\"} 1"));
    EXPECT_EQ(down.find("pgbouncer_pools"), std::string::npos);
  }
  const std::string up = PageOf(exporter);
  EXPECT_TRUE(Contains(up, "pgbouncer_up 1"));
  EXPECT_TRUE(Contains(up, "pgbouncer_probe_failure{reason=\"not_stats_user\"} 0"));
  ASSERT_EQ(log.size(), 2U) << "a failure is logged once until it changes";
  EXPECT_NE(log[0].find("not_stats_user"), std::string::npos);
  for (const std::string& text : {up, log[0], log[1]}) {
    EXPECT_EQ(text.find("canary"), std::string::npos);
  }
}

TEST(PgBouncerExporter, LivesBesideAnother) {
  FakeServer first(Replay(ReadTestFile("pgbouncer-1.18.0.stream")));
  FakeServer second(Replay(ReadTestFile("pgbouncer-1.24.1.stream")));
  const base::Logger logger(base::LogLevel::kError);
  PgBouncerExporter one(For(first.port()), logger);
  PgBouncerExporter two(For(second.port()), logger);
  EXPECT_TRUE(Contains(PageOf(one), "pgbouncer_version_info{version=\"PgBouncer 1.18.0\"} 1"));
  EXPECT_TRUE(Contains(PageOf(two), "pgbouncer_version_info{version=\"PgBouncer 1.24.1\"} 1"));
}

TEST(PgBouncerDoctor, SaysWhatIsNeeded) {
  FakeServer server([](FakeConnection& connection, int) {
    ReadStartup(connection);
    connection.Write(Complaint("FATAL", "08P01", "not allowed"));
  });
  std::string report;
  EXPECT_FALSE(Diagnose(For(server.port()), steady_clock::now() + milliseconds(5000), &report));
  EXPECT_NE(report.find("reason: not_stats_user"), std::string::npos) << report;
  EXPECT_NE(report.find("stats_users = stats"), std::string::npos) << report;
}

}  // namespace
}  // namespace exporters::pgbouncer
