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
#include "exporters/pgbouncer/probe.h"
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

// A pool of the database db and the user u with that many servers.
std::string LimitsOf(const char* servers, const char* max_db, const char* max_user) {
  Snapshot snapshot;
  snapshot.Set(Show::kPools,
               TextRows({"database", "user", "sv_active", "sv_idle"},
                        {{"db", "u", servers, "1"}, {"pgbouncer", "pgbouncer", "0", "0"}}));
  snapshot.Set(Show::kDatabases, TextRows({"name", "pool_size", "reserve_pool_size",
                                           "max_connections", "current_connections"},
                                          {{"db", "10", "2", max_db, servers}}));
  snapshot.Set(Show::kUsers, TextRows({"name", "max_user_connections"}, {{"u", "   "}}));
  snapshot.Set(Show::kConfig, TextRows({"key", "value"}, {{"max_user_connections", max_user},
                                                          {"max_client_conn", "100"}}));
  snapshot.Set(Show::kLists, TextRows({"list", "items"}, {{"used_clients", "30"}}));
  return Render(snapshot);
}

TEST(Limits, NameTheOneThatIsMetFirst) {
  const auto check = [](const std::string& page, const char* limit, const char* saturation) {
    EXPECT_TRUE(Contains(page, std::string("pgbouncer_pool_binding_limit{database=\"db\",user="
                                           "\"u\",limit=\"") +
                                   limit + "\"} 1"))
        << limit;
    EXPECT_TRUE(Contains(
        page,
        std::string("pgbouncer_pool_saturation_ratio{database=\"db\",user=\"u\"} ") + saturation))
        << limit;
  };
  check(LimitsOf("5", "0", "0"), "pool_size", "0.5");  // 6 of 12.
  check(LimitsOf("5", "7", "0"), "max_db_connections", "0.75");
  check(LimitsOf("5", "0", "8"), "max_user_connections", "0.75");
  check(LimitsOf("11", "0", "0"), "pool_size", "1");
  EXPECT_TRUE(Contains(LimitsOf("5", "0", "0"), "pgbouncer_client_room 70"));
  EXPECT_EQ(LimitsOf("5", "0", "0").find("pool_server_room{database=\"pgbouncer\""),
            std::string::npos);
}

TEST(Connections, AreCountedInBounds) {
  TextRows clients({"database", "user", "state", "application_name", "wait", "wait_us"});
  for (int i = 0; i < 500; ++i) {
    clients.Add(
        {"db", "u", i % 2 == 0 ? "active" : "waiting", "app" + std::to_string(i), "0", "500000"});
  }
  Snapshot snapshot;
  snapshot.listed = true;
  snapshot.Set(Show::kClients, clients);
  snapshot.Set(Show::kServers, TextRows({"database", "user", "state", "close_needed"},
                                        {{"db", "u", "idle", "1"}, {"db", "u", "idle", "0"}}));
  const std::string page = Render(snapshot);
  EXPECT_TRUE(Contains(page,
                       "pgbouncer_client_connections{database=\"other\",user=\"other\","
                       "application_name=\"other\",state=\"other\"} 300"));
  EXPECT_TRUE(Contains(page, "pgbouncer_client_wait_seconds_bucket{le=\"0.1\"} 0"));
  EXPECT_TRUE(Contains(page, "pgbouncer_client_wait_seconds_bucket{le=\"1\"} 250"));
  EXPECT_TRUE(Contains(page,
                       "pgbouncer_server_connections{database=\"db\",user=\"u\","
                       "application_name=\"\",state=\"idle\"} 2"));
  EXPECT_TRUE(Contains(page, "pgbouncer_server_close_needed 1"));
}

TEST(Targets, AreNamesAndConnectionStrings) {
  const auto targets = ParseTargets(
      "# ours\n\n a postgres://stats:pw@db1:6432/pgbouncer\r\nb\thost=db2 user=x\n", {});
  ASSERT_TRUE(targets.ok()) << targets.error().message();
  ASSERT_EQ(targets->size(), 2U);
  EXPECT_EQ(targets->at("a").ToString(), "stats@db1:6432/pgbouncer");
  EXPECT_EQ(targets->at("b").endpoint.host, "db2");
}

TEST(Targets, ErrorsNameTheLineAndNoSecret) {
  const auto check = [](const std::string& text, const char* part) {
    const auto targets = ParseTargets(text, {});
    ASSERT_FALSE(targets.ok()) << text;
    EXPECT_NE(targets.error().message().find(part), std::string::npos) << targets.error().message();
    EXPECT_EQ(targets.error().message().find("canary"), std::string::npos);
  };
  check("a\n", "line 1");
  check("a host=x\na host=y password=canary\n", "line 2");
  check("\na postgres://u:canary@h:notaport/x\n", "line 2");
  std::string many;
  for (size_t i = 0; i <= kMaxTargets; ++i) {
    many += "t" + std::to_string(i) + " host=h user=u\n";
  }
  check(many, "more than");
}

TEST(Probe, AsksTheBouncerThatTheFileNames) {
  FakeServer server(Replay(ReadTestFile("pgbouncer-1.18.0.stream")));
  const std::string path = testing::TempDir() + "tarsier-targets-" + std::to_string(getpid());
  std::ofstream(path) << "one host=127.0.0.1 port=" << server.port()
                      << " user=stats password=canary sslmode=disable\n";
  const base::Logger logger(base::LogLevel::kError);
  const Route route = MakeProbeRoute(For(1), path, logger);
  const auto get = [&](const char* target) {
    http::Request request;
    request.query = {{"target", target}};
    return route.handler(request);
  };
  const http::Response answer = get("one");
  EXPECT_EQ(answer.status, 200);
  EXPECT_TRUE(Contains(answer.body, "pgbouncer_up 1"));
  EXPECT_EQ(answer.body.find("canary"), std::string::npos);
  EXPECT_EQ(get("two").status, 400);
  EXPECT_EQ(get("127.0.0.1:1").status, 400);
  EXPECT_EQ(get("").status, 400);
  unlink(path.c_str());
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
