// What collectors remember from one answer to the next, and what they make of it: positions in
// time, ranks of statements, who waits for whom.
#include <chrono>
#include <map>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "exporters/postgres/blocking_forest.h"
#include "exporters/postgres/collectors/synchronous_standbys.h"
#include "exporters/postgres/position_clock.h"
#include "exporters/postgres/statement_ranks.h"

namespace exporters::postgres {
namespace {

base::MonotonicTime At(int seconds) {
  return base::MonotonicTime() + std::chrono::hours(1) + std::chrono::seconds(seconds);
}

TEST(PositionClock, SaysHowLongAgoAPositionWasTheNewest) {
  PositionClock clock;
  EXPECT_EQ(clock.SecondsBehind(0, At(0)), std::nullopt);
  clock.Record(At(0), 100);
  clock.Record(At(10), 200);
  clock.Record(At(20), 300);
  EXPECT_EQ(clock.SecondsBehind(300, At(25)), 0);   // All there is.
  EXPECT_EQ(clock.SecondsBehind(200, At(25)), 15);  // Was the newest until 10.
  EXPECT_EQ(clock.SecondsBehind(250, At(25)), 15);
  EXPECT_EQ(clock.SecondsBehind(50, At(25)), 25);  // Passed before the clock began.
}

TEST(PositionClock, AnIdlePrimaryIsNotBehind) {
  PositionClock clock;
  clock.Record(At(0), 100);
  clock.Record(At(3600), 100);
  EXPECT_EQ(clock.SecondsBehind(100, At(3600)), 0);
  clock.Record(At(3610), 200);  // Whoever stands at 100 is behind since 3600, not since 0.
  EXPECT_EQ(clock.SecondsBehind(100, At(3620)), 20);
}

TEST(PositionClock, ASmallerPositionIsAnotherServer) {
  PositionClock clock;
  clock.Record(At(0), 1000);
  clock.Record(At(10), 10);
  EXPECT_EQ(clock.SecondsBehind(5, At(20)), 10);
}

TEST(PositionClock, KnowsItsRate) {
  PositionClock clock;
  EXPECT_EQ(clock.RatePerSecond(std::chrono::seconds(300), At(0)), std::nullopt);
  clock.Record(At(0), 0);
  EXPECT_EQ(clock.RatePerSecond(std::chrono::seconds(300), At(5)), std::nullopt);
  clock.Record(At(100), 1000);
  EXPECT_EQ(clock.RatePerSecond(std::chrono::seconds(300), At(100)), 10);
  EXPECT_EQ(clock.RatePerSecond(std::chrono::seconds(300), At(200)), 5);
  EXPECT_EQ(clock.RatePerSecond(std::chrono::seconds(300), At(900)), 0);
}

TEST(PositionClock, ForgetsDetailNotItsBeginning) {
  PositionClock clock;
  constexpr int kDay = 86400;
  for (int second = 0; second < kDay; ++second) {
    clock.Record(At(second), second);
  }
  EXPECT_EQ(clock.SecondsBehind(-1, At(kDay)), kDay);
  const double recent = *clock.SecondsBehind(kDay - 60, At(kDay));
  EXPECT_NEAR(recent, 60, 2);
}

StatementRow Row(std::string id, double milliseconds) {
  return {.user = "u", .database = "d", .queryid = std::move(id), .totals = {1, milliseconds}};
}

std::vector<std::string> Members(StatementRanks& ranks, const std::vector<StatementRow>& rows,
                                 size_t limit) {
  std::vector<std::string> ids;
  for (const size_t i : ranks.Take(rows, limit)) {
    ids.push_back(rows[i].queryid);
  }
  return ids;
}

TEST(StatementRanks, BeginsWithTheMostTime) {
  StatementRanks ranks;
  EXPECT_EQ(Members(ranks, {Row("a", 1), Row("b", 30), Row("c", 20)}, 2),
            (std::vector<std::string>{"b", "c"}));
  EXPECT_EQ(ranks.remainder().at("d")[kStatementTime], 0);  // Nothing since the first look.
}

TEST(StatementRanks, HasNoRemainderWhereAllAreMembers) {
  StatementRanks ranks;
  Members(ranks, {Row("a", 1)}, 5);
  Members(ranks, {Row("a", 10)}, 5);
  EXPECT_TRUE(ranks.remainder().empty());
}

TEST(StatementRanks, AMemberLeavesOnlyAfterItWasOutForAWhile) {
  StatementRanks ranks;
  EXPECT_EQ(Members(ranks, {Row("a", 100), Row("b", 1)}, 1), (std::vector<std::string>{"a"}));
  double busy = 1;
  std::vector<std::string> members;
  int looks = 0;
  do {
    busy += 1000;
    members = Members(ranks, {Row("a", 100), Row("b", busy)}, 1);
    ++looks;
  } while (members == std::vector<std::string>{"a"} && looks < 100);
  EXPECT_EQ(members, (std::vector<std::string>{"b"}));
  EXPECT_EQ(looks, StatementRanks::kPatience);
}

// What the rates of all series add up to is what the server did, whoever goes in and out.
TEST(StatementRanks, MembersAndRemainderAddUp) {
  StatementRanks ranks;
  std::map<std::string, double> totals;
  std::map<std::string, double> shown;  // Of members, at the look before.
  double seen = 0;                      // Sum of the growth of series that a scraper can see.
  double done = 0;
  for (int look = 0; look < 200; ++look) {
    std::vector<StatementRow> rows;
    for (int statement = 0; statement < 10; ++statement) {
      const std::string id = std::to_string(statement);
      const double growth = (look * 7 + statement * 13) % 50;
      totals[id] += growth;
      done += look == 0 ? 0 : growth;
      rows.push_back(Row(id, totals[id]));
    }
    std::map<std::string, double> now;
    for (const size_t i : ranks.Take(rows, 3)) {
      const std::string& id = rows[i].queryid;
      now[id] = rows[i].totals[kStatementTime];
      if (shown.contains(id)) {
        seen += now[id] - shown[id];
      }
    }
    EXPECT_EQ(now.size(), 3U);
    shown = now;
  }
  EXPECT_NEAR(seen + ranks.remainder().at("d")[kStatementTime], done, 1e-6);
}

TEST(StatementRanks, CountersThatFellWereReset) {
  StatementRanks ranks;
  Members(ranks, {Row("a", 100), Row("b", 50)}, 1);
  Members(ranks, {Row("a", 100), Row("b", 7)}, 1);
  EXPECT_EQ(ranks.remainder().at("d")[kStatementTime], 7);
}

BlockingForest Forest(std::vector<BlockingEdge> edges) { return ForestOf(edges); }

TEST(BlockingForest, IsEmptyWhereNobodyWaits) {
  const BlockingForest forest = Forest({});
  EXPECT_EQ(forest.waiting, 0U);
  EXPECT_TRUE(forest.trees.empty());
}

TEST(BlockingForest, CountsChainsBehindTheirRoot) {
  // 1 blocks 2 and 3, 3 blocks 4; 9 blocks 5.
  const BlockingForest forest = Forest({{2, 1}, {3, 1}, {4, 3}, {5, 9}});
  EXPECT_EQ(forest.waiting, 4U);
  ASSERT_EQ(forest.trees.size(), 2U);
  EXPECT_EQ(forest.trees[0].root, 1);
  EXPECT_EQ(forest.trees[0].sessions, 3U);
  EXPECT_EQ(forest.trees[0].depth, 2U);
  EXPECT_EQ(forest.trees[1].root, 9);
  EXPECT_EQ(forest.in_cycles, 0U);
}

TEST(BlockingForest, ADeadlockHasNoRootAndEnds) {
  const BlockingForest forest = Forest({{1, 2}, {2, 1}, {3, 1}});
  EXPECT_TRUE(forest.trees.empty());
  EXPECT_EQ(forest.in_cycles, 3U);
}

TEST(BlockingForest, APreparedTransactionIsARoot) {
  const BlockingForest forest = Forest({{7, kPreparedTransaction}});
  ASSERT_EQ(forest.trees.size(), 1U);
  EXPECT_EQ(forest.trees[0].root, kPreparedTransaction);
}

TEST(SynchronousStandbys, HowManyACommitWaitsFor) {
  const auto check = [](const char* names, int expected) {
    EXPECT_EQ(ParseRequiredStandbys(names), expected) << names;
  };
  check("", 0);
  check("  ", 0);
  check("*", 1);
  check("s1, s2", 1);
  check("FIRST 2 (s1, s2, s3)", 2);
  check("ANY 3 (s1, s2, s3)", 3);
  check("any 1(s1)", 1);
  check("2 (s1, s2)", 2);
  check("FIRST many (s1)", 1);
}

}  // namespace
}  // namespace exporters::postgres
