#include "exporters/postgres/server_scraper.h"

#include <algorithm>
#include <chrono>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "exporters/postgres/collectors.h"
#include "tests/exporters/postgres/fake_session.h"

namespace exporters::postgres {
namespace {

using base::ErrorKind;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr ColumnTable kFastColumns({{.name = "v", .metric = "t_fast", .help = "Fast."}});
constexpr ColumnTable kSlowColumns({{.name = "v", .metric = "t_slow", .help = "Slow."}});
constexpr Query kFastQueries[] = {{.table = kFastColumns, .from = "FROM fast"}};
constexpr Query kSlowQueries[] = {
    {.table = kSlowColumns, .from = "FROM slow", .refresh = Refresh::kSizes}};
constexpr PostgresCollector kFast{.name = "fast", .help = "Fast.", .queries = kFastQueries};
constexpr PostgresCollector kSlow{.name = "slow", .help = "Slow.", .queries = kSlowQueries};
constexpr const PostgresCollector* kBoth[] = {&kSlow, &kFast};

pq::RowsPtr Value(std::string value) { return MakeRows({"v"}, {{std::move(value)}}); }

base::Error Failure(ErrorKind kind) { return base::Error("it failed", kind); }

class ServerScraperTest : public testing::Test {
 protected:
  ServerScraperTest()
      : logger_(base::LogLevel::kDebug, base::LogFormat::kLogfmt,
                [this](std::string_view line) { log_ += line; }),
        stop_(pq::Interrupt::Make()),
        scraper_(Options(), clock_, logger_, *stop_) {
    server_.Answer("FROM fast", Value("1"));
    server_.Answer("FROM slow", Value("2"));
  }

  // The page as "name{labels}" → value.
  std::map<std::string, double> Page(ServerScraper::Collectors collectors = kBoth) {
    Scrape scrape(clock_.Monotonic() + seconds(10));
    scraper_.Collect(collectors, scrape);
    std::map<std::string, double> page;
    for (const model::MetricFamily& family : scrape.TakeFamilies()) {
      for (const model::Metric& metric : family.metrics) {
        std::string key(family.desc->name);
        for (const std::string_view label : metric.labels) {
          key.append(",").append(label);
        }
        page[key] = metric.value;
      }
    }
    return page;
  }

  size_t TimesLogged(std::string_view text) const {
    size_t count = 0;
    for (size_t at = log_.find(text); at != std::string::npos; at = log_.find(text, at + 1)) {
      ++count;
    }
    return count;
  }

  bool Asked(std::string_view part) const {
    return std::any_of(server_.seen.begin(), server_.seen.end(),
                       [&](const std::string& sql) { return sql.find(part) != std::string::npos; });
  }

  const PostgresOptions& Options() {
    options_.conninfo.Set("host", base::Secret("db1"));
    options_.session_factory = [this] { return std::make_unique<FakeSession>(server_); };
    return options_;
  }

  std::string log_;
  FakeServer server_;
  PostgresOptions options_;
  base::FakeClock clock_;
  base::Logger logger_;
  base::Result<pq::Interrupt> stop_;
  ServerScraper scraper_;
};

TEST_F(ServerScraperTest, APageOfAServerThatIsUp) {
  auto page = Page();
  EXPECT_EQ(page["pg_up"], 1);
  for (const pq::FailureReason reason : pq::kFailureReasons) {
    EXPECT_EQ(page.at("pg_up_failure_reason," + std::string(FailureReasonName(reason))), 0);
  }
  EXPECT_EQ(page.at("t_fast"), 1);
  EXPECT_EQ(page.at("t_slow"), 2);
  EXPECT_EQ(page.at("pg_static,db1:5432,PostgreSQL 15.20,15.20.0"), 1);
  EXPECT_EQ(page.at("pg_scrape_collector_success,fast"), 1);
  EXPECT_EQ(page.at("pg_scrape_collector_duration_seconds,fast"), 0.25);
  EXPECT_EQ(page.at("pg_exporter_last_scrape_error"), 0);
  EXPECT_EQ(page.at("pg_exporter_scrapes_total"), 1);
  EXPECT_EQ(Page().at("pg_exporter_scrapes_total"), 2);
  EXPECT_EQ(server_.connects, 1);
}

TEST_F(ServerScraperTest, AServerThatIsDownIsAPageWithItsReason) {
  server_.refuses = pq::ConnectFailure{.reason = pq::FailureReason::kAuth,
                                       .error = base::Error("wrong password")};
  const auto page = Page();
  EXPECT_EQ(page.at("pg_up"), 0);
  EXPECT_EQ(page.at("pg_up_failure_reason,auth"), 1);
  EXPECT_EQ(page.at("pg_up_failure_reason,refused"), 0);
  EXPECT_EQ(page.at("pg_exporter_last_scrape_error"), 1);
  EXPECT_EQ(page.count("t_fast"), 0U);
  EXPECT_EQ(page.count("pg_static"), 0U);
  EXPECT_EQ(page.count("pg_scrape_collector_success,fast"), 0U);
}

TEST_F(ServerScraperTest, FailuresAreLoggedOnceAndSoIsRecovery) {
  server_.refuses = pq::ConnectFailure{.reason = pq::FailureReason::kAuth,
                                       .error = base::Error("wrong password")};
  for (int i = 0; i < 3; ++i) {
    Page();
    clock_.Advance(seconds(15));
  }
  EXPECT_EQ(TimesLogged("wrong password"), 1U) << log_;
  server_.refuses.reset();
  Page();
  Page();
  EXPECT_EQ(TimesLogged("up again"), 1U) << log_;
}

TEST_F(ServerScraperTest, AttemptsToConnectKeepTheirDistance) {
  server_.refuses =
      pq::ConnectFailure{.reason = pq::FailureReason::kRefused, .error = base::Error("refused")};
  for (int i = 0; i < 100; ++i) {
    EXPECT_EQ(Page().at("pg_up_failure_reason,refused"), 1);
    clock_.Advance(milliseconds(100));
  }
  EXPECT_GE(server_.connects, 6);
  EXPECT_LE(server_.connects, 20);
  server_.refuses.reset();
  clock_.Advance(seconds(2));
  EXPECT_EQ(Page().at("pg_up"), 1);
}

TEST_F(ServerScraperTest, ADeadSessionIsReplacedWithinTheScrape) {
  Page();
  server_.loses_connection_once = true;
  const auto page = Page();
  EXPECT_EQ(page.at("pg_up"), 1);
  EXPECT_EQ(page.at("t_fast"), 1);
  EXPECT_EQ(page.at("pg_scrape_collector_success,fast"), 1);
  EXPECT_EQ(server_.connects, 2);
}

TEST_F(ServerScraperTest, AServerThatSaysNothingIsDownForTimeout) {
  Page();
  server_.hangs = true;
  auto page = Page();
  EXPECT_EQ(page.at("pg_up"), 0);
  EXPECT_EQ(page.at("pg_up_failure_reason,timeout"), 1);
  EXPECT_EQ(page.count("t_fast"), 0U);
  server_.hangs = false;
  clock_.Advance(seconds(15));
  EXPECT_EQ(Page().at("pg_up"), 1);
}

TEST_F(ServerScraperTest, OneCollectorThatFailsLeavesTheOthers) {
  server_.Answer("FROM fast", Failure(ErrorKind::kDeadlineExceeded));
  const auto page = Page();
  EXPECT_EQ(page.at("pg_up"), 1);
  EXPECT_EQ(page.at("t_slow"), 2);
  EXPECT_EQ(page.count("t_fast"), 0U);
  EXPECT_EQ(page.at("pg_scrape_collector_success,fast"), 0);
  EXPECT_EQ(page.at("pg_scrape_collector_success,slow"), 1);
  EXPECT_EQ(page.at("pg_exporter_last_scrape_error"), 1);
}

TEST_F(ServerScraperTest, GarbageFailsItsCollectorOnly) {
  server_.Answer("FROM fast", Value("garbage"));
  const auto page = Page();
  EXPECT_EQ(page.at("pg_scrape_collector_success,fast"), 0);
  EXPECT_EQ(page.count("t_fast"), 0U);
  EXPECT_EQ(page.at("t_slow"), 2);
}

TEST_F(ServerScraperTest, AMissingRightIsExplainedOnceAndNotAskedAgainAtOnce) {
  server_.Answer("FROM fast", Failure(ErrorKind::kPermissionDenied));
  EXPECT_EQ(Page().at("pg_scrape_collector_success,fast"), 0);
  EXPECT_TRUE(Asked("FROM fast"));
  for (int i = 0; i < 3; ++i) {
    clock_.Advance(seconds(15));
    EXPECT_EQ(Page().at("pg_scrape_collector_success,fast"), 0);
    EXPECT_FALSE(Asked("FROM fast"));
  }
  EXPECT_EQ(TimesLogged("GRANT pg_monitor TO \\\"monitor\\\""), 1U) << log_;
  server_.Answer("FROM fast", Value("1"));
  clock_.Advance(seconds(300));
  EXPECT_EQ(Page().at("t_fast"), 1);
}

TEST_F(ServerScraperTest, WhatTheServerLacksIsLoggedWithTheWayToSilenceIt) {
  server_.Answer("FROM fast", Failure(ErrorKind::kNotFound));
  Page();
  EXPECT_EQ(TimesLogged("--no-collector.fast"), 1U) << log_;
}

TEST_F(ServerScraperTest, ExpensiveAnswersAreKeptWithTheirAge) {
  EXPECT_EQ(Page().at("pg_scrape_collector_age_seconds,slow"), 0);
  EXPECT_EQ(server_.timeouts.back(), milliseconds(1000)) << "expensive queries come last, bounded";
  server_.Answer("FROM slow", Value("3"));
  clock_.Advance(seconds(100));
  auto page = Page();
  EXPECT_FALSE(Asked("FROM slow"));
  EXPECT_EQ(page.at("t_slow"), 2);
  EXPECT_EQ(page.at("pg_scrape_collector_age_seconds,slow"), 100);
  EXPECT_EQ(page.count("pg_scrape_collector_age_seconds,fast"), 0U);

  EXPECT_EQ(scraper_.NextRefresh(kBoth), clock_.Monotonic() + seconds(200));
  clock_.Advance(seconds(200));
  scraper_.RefreshOne(kBoth, *stop_);
  EXPECT_TRUE(Asked("FROM slow"));
  EXPECT_EQ(server_.timeouts.back(), milliseconds(60000));
  page = Page();
  EXPECT_EQ(page.at("t_slow"), 3);
  EXPECT_EQ(page.at("pg_scrape_collector_age_seconds,slow"), 0);
}

TEST_F(ServerScraperTest, AFailedRenewalKeepsTheLastAnswerAndSaysSo) {
  Page();
  server_.Answer("FROM slow", Failure(ErrorKind::kDeadlineExceeded));
  clock_.Advance(seconds(300));
  scraper_.RefreshOne(kBoth, *stop_);
  auto page = Page();
  EXPECT_EQ(page.at("t_slow"), 2);
  EXPECT_EQ(page.at("pg_scrape_collector_age_seconds,slow"), 300);
  EXPECT_EQ(page.at("pg_scrape_collector_success,slow"), 0);
  EXPECT_EQ(scraper_.NextRefresh(kBoth), clock_.Monotonic() + seconds(60));
}

TEST_F(ServerScraperTest, AnInterruptedRenewalIsTriedAgainButNotForEver) {
  Page();
  server_.Answer("FROM slow", Failure(ErrorKind::kCancelled));
  clock_.Advance(seconds(300));
  for (int i = 0; i < 2; ++i) {
    scraper_.RefreshOne(kBoth, *stop_);
    EXPECT_EQ(scraper_.NextRefresh(kBoth), clock_.Monotonic());
    EXPECT_EQ(Page().at("pg_scrape_collector_success,slow"), 1);
  }
  scraper_.RefreshOne(kBoth, *stop_);
  EXPECT_EQ(scraper_.NextRefresh(kBoth), clock_.Monotonic() + seconds(60));
}

TEST_F(ServerScraperTest, AnExpensiveQueryTooSlowForTheFirstPageRunsInTheBackground) {
  server_.Answer("FROM slow", Failure(ErrorKind::kDeadlineExceeded));
  EXPECT_EQ(Page().at("pg_scrape_collector_success,slow"), 0);
  EXPECT_EQ(scraper_.NextRefresh(kBoth), clock_.Monotonic());
  server_.Answer("FROM slow", Value("2"));
  scraper_.RefreshOne(kBoth, *stop_);
  const auto page = Page();
  EXPECT_EQ(page.at("t_slow"), 2);
  EXPECT_EQ(page.at("pg_scrape_collector_success,slow"), 1);
}

TEST_F(ServerScraperTest, ARestartedServerIsLearnedAnew) {
  Page();
  server_.Answer("FROM slow", Value("9"));
  server_.Answer("AS extensions", Identity("1800000000"));
  server_.loses_connection_once = true;
  EXPECT_EQ(Page().at("t_slow"), 9);
}

TEST_F(ServerScraperTest, NothingIsRenewedWithoutAConnection) {
  EXPECT_EQ(scraper_.NextRefresh(kBoth), base::MonotonicTime::max());
}

TEST_F(ServerScraperTest, VersionsTooOldAreDownWithAReason) {
  server_.version = 90624;
  const auto page = Page();
  EXPECT_EQ(page.at("pg_up"), 0);
  EXPECT_EQ(page.at("pg_up_failure_reason,other"), 1);
  EXPECT_EQ(TimesLogged("not supported"), 1U) << log_;
}

TEST_F(ServerScraperTest, TheSessionIsRenewedNowAndThen) {
  Page();
  clock_.Advance(std::chrono::minutes(31));
  Page();
  EXPECT_EQ(server_.connects, 2);
}

TEST_F(ServerScraperTest, AnExtensionThatAppearsIsUsedFromTheNextScrapeOn) {
  const PostgresCollector* const statements[] = {
      *std::find_if(AllCollectors().begin(), AllCollectors().end(),
                    [](const PostgresCollector* c) { return c->name == "stat_statements"; })};
  EXPECT_EQ(Page(statements).at("pg_scrape_collector_success,stat_statements"), 0);
  EXPECT_EQ(TimesLogged("CREATE EXTENSION pg_stat_statements"), 1U) << log_;
  server_.Answer("AS extensions", Identity("1700000000", "pg_stat_statements 1.10 odd \"schema"));
  Page(statements);
  Page(statements);
  EXPECT_TRUE(Asked("FROM \"odd \"\"schema\".pg_stat_statements(false)"));
}

}  // namespace
}  // namespace exporters::postgres
