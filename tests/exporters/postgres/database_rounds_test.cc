#include "exporters/postgres/database_rounds.h"

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "tests/exporters/postgres/fake_session.h"

namespace exporters::postgres {
namespace {

using std::chrono::seconds;

constexpr ColumnTable kColumns({
    {.name = "datname", .usage = Usage::kLabel},
    {.name = "n", .metric = "things", .help = "Things."},
});
constexpr Query kThings[] = {
    {.table = kColumns, .from = "FROM things", .per_database = true},
    {.table = kColumns, .from = "FROM cluster"},
};
constexpr PostgresCollector kCollector{.name = "things", .help = "Things.", .queries = kThings};
constexpr const PostgresCollector* kCollectors[] = {&kCollector};

class DatabaseRoundsTest : public ::testing::Test {
 protected:
  DatabaseRoundsTest() {
    options_.database_session_factory = [this](const std::string& database) {
      visited_.push_back(database);
      return std::make_unique<FakeSession>(servers_[database]);
    };
    for (const char* name : {"a", "b", "c"}) {
      servers_[name].Answer("FROM things", MakeRows({"datname", "n"}, {{name, "1"}}));
    }
    server_.options = &options_;
    server_.version = 150000;
  }

  void Visit() { rounds_.VisitOne(kCollectors, server_, *interrupt_); }

  double Sum(std::string_view name) const {
    Scrape scrape(clock_.Monotonic());
    rounds_.Emit(kCollectors, scrape);
    double sum = 0;
    for (const model::MetricFamily& family : scrape.TakeFamilies()) {
      for (const model::Metric& metric : family.metrics) {
        sum += family.desc->name == name ? metric.value : 0;
      }
    }
    return sum;
  }

  PostgresOptions options_;
  base::FakeClock clock_;
  const base::Logger logger_{base::LogLevel::kError};
  std::map<std::string, FakeServer> servers_;
  std::vector<std::string> visited_;
  Server server_;
  base::Result<pq::Interrupt> interrupt_ = pq::Interrupt::Make();
  DatabaseRounds rounds_{options_, clock_, logger_};
};

TEST_F(DatabaseRoundsTest, NobodyToVisitIsNeverDue) {
  EXPECT_EQ(rounds_.NextVisit(), base::MonotonicTime::max());
}

TEST_F(DatabaseRoundsTest, VisitsAllInTurnWithAGapBetween) {
  const std::vector<std::string> names = {"a", "b", "c"};
  rounds_.SetDatabases(names);
  for (int i = 0; i < 3; ++i) {
    ASSERT_LE(rounds_.NextVisit(), clock_.Monotonic());
    Visit();
    EXPECT_GT(rounds_.NextVisit(), clock_.Monotonic());
    clock_.Advance(options_.databases_gap);
  }
  EXPECT_EQ(visited_, names);
  EXPECT_EQ(Sum("things"), 3);
  EXPECT_EQ(Sum("pg_database_visit_success"), 3);
  // Only what is said of each database is asked there.
  EXPECT_EQ(servers_["a"].seen.size(), 1U);
  // The next round begins when the interval of the first is over.
  EXPECT_GT(rounds_.NextVisit(), clock_.Monotonic());
  clock_.Advance(options_.databases_interval);
  Visit();
  EXPECT_EQ(visited_.back(), "a");
}

TEST_F(DatabaseRoundsTest, ADroppedDatabaseIsForgotten) {
  rounds_.SetDatabases(std::vector<std::string>{"a"});
  Visit();
  rounds_.SetDatabases(std::vector<std::string>{"b"});
  EXPECT_EQ(Sum("things"), 0);
}

TEST_F(DatabaseRoundsTest, AFullServerIsLeftAloneLongerAndLonger) {
  for (auto& [name, server] : servers_) {
    server.refuses = pq::ConnectFailure{.reason = pq::FailureReason::kTooManyConnections,
                                        .error = base::Error("too many clients already")};
  }
  rounds_.SetDatabases(std::vector<std::string>{"a", "b", "c"});
  Visit();
  EXPECT_EQ(rounds_.NextVisit(), clock_.Monotonic() + DatabaseRounds::kFirstPause);
  clock_.Advance(DatabaseRounds::kFirstPause);
  Visit();
  EXPECT_EQ(rounds_.NextVisit(), clock_.Monotonic() + 2 * DatabaseRounds::kFirstPause);
  EXPECT_EQ(visited_.size(), 2U);
}

TEST_F(DatabaseRoundsTest, ADatabaseThatLetsNobodyInHoldsUpNoOther) {
  servers_["a"].refuses = pq::ConnectFailure{.reason = pq::FailureReason::kAuth,
                                             .error = base::Error("permission denied")};
  rounds_.SetDatabases(std::vector<std::string>{"a", "b"});
  Visit();
  clock_.Advance(options_.databases_gap);
  Visit();
  EXPECT_EQ(visited_, (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(Sum("things"), 1);
  EXPECT_EQ(Sum("pg_database_visit_success"), 1);
}

TEST_F(DatabaseRoundsTest, OldValuesGoWhenADatabaseNoLongerAnswers) {
  rounds_.SetDatabases(std::vector<std::string>{"a"});
  Visit();
  EXPECT_EQ(Sum("things"), 1);
  servers_["a"].refuses = pq::ConnectFailure{.reason = pq::FailureReason::kNoDatabase,
                                             .error = base::Error("is being dropped")};
  clock_.Advance(options_.databases_interval);
  Visit();
  EXPECT_EQ(Sum("things"), 0);
}

}  // namespace
}  // namespace exporters::postgres
