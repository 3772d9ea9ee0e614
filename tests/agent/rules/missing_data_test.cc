#include "agent/rules/missing_data.h"

#include <memory>
#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "agent/rules/rule_group.h"
#include "tests/agent/rules/fakes.h"

namespace rules {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;

TEST(MissingData, KnowsItsWords) {
  EXPECT_EQ(*ParseMissingData("hold"), MissingData::kHold);
  EXPECT_EQ(*ParseMissingData("resolve"), MissingData::kResolve);
  EXPECT_EQ(*ParseMissingData("fire"), MissingData::kFire);
  EXPECT_FALSE(ParseMissingData("Hold").ok());
  EXPECT_FALSE(ParseMissingData("{{ .Value }}").ok());
}

TEST(MissingData, AsksForTheFirstSelector) {
  std::vector<std::string> asked;
  const ParseFunc parse = [&](std::string_view text) -> base::Result<Expression> {
    asked.emplace_back(text);
    return Expression{.text = std::string(text),
                      .query = [](int64_t) { return promql::QueryResult{}; }};
  };
  const auto check = [&](std::string_view expression, const std::string& selector) {
    asked.clear();
    EXPECT_EQ(MakeDataQueries(expression, parse).has_value(), !selector.empty()) << expression;
    EXPECT_EQ(asked.empty() ? "" : asked.front(), selector) << expression;
  };
  check("a / on(x) b > 3", "a");
  check("sum by (job) (rate(errors_total{code=\"5\"}[5m])) > 0", "errors_total{code=\"5\"}");
  check("100 - a offset 5m", "a offset 5m");
  check("vector(1)", "");
  check("a(", "");
}

// One rule on one target, every 15 s.
class MissingDataTest : public ::testing::Test {
 protected:
  void Start(const std::string& policy, std::chrono::milliseconds hold = seconds(0)) {
    const auto vector = [](const bool& there, double value) {
      return [&there, value](int64_t) {
        return promql::Value(there
                                 ? promql::Vector{Element({{"job", "j"}, {"instance", "i"}}, value)}
                                 : promql::Vector{});
      };
    };
    expressions_.Set("x > 5", [this](int64_t) {
      return promql::Value(
          has_data_ && high_
              ? promql::Vector{Element({{"job", "j"}, {"instance", "i"}, {"db", "d"}}, 7)}
              : promql::Vector{});
    });
    expressions_.Set("x", vector(has_data_, 7));
    expressions_.Set("up", [this](int64_t) {
      return promql::Value(
          scraped_ ? promql::Vector{Element({{"job", "j"}, {"instance", "i"}}, up_ ? 1 : 0)}
                   : promql::Vector{});
    });
    auto group = RuleGroup::Make({.file = "f",
                                  .name = "g",
                                  .rules = {{.alerting = true,
                                             .name = "A",
                                             .expression = "x > 5",
                                             .hold = hold,
                                             .annotations = {{"tarsier_missing_data", policy}}}}},
                                 {},
                                 {.parse = &parse_,
                                  .store = &store_,
                                  .notify = &notify_,
                                  .clock = &clock_,
                                  .logger = &logger_});
    ASSERT_TRUE(group.ok()) << group.error().message();
    group_ = *std::move(group);
  }

  void Run(int steps = 1) {
    for (; steps > 0; --steps) {
      group_->Evaluate({.at = base::FromMillis(1'000'000) + elapsed_, .elapsed = elapsed_});
      elapsed_ += seconds(15);
    }
  }
  void TargetGoesDown() { up_ = has_data_ = false; }
  RuleStatus rule() const { return group_->Status().rules[0]; }

  bool has_data_ = true;
  bool high_ = true;
  bool up_ = true;
  bool scraped_ = true;
  std::chrono::milliseconds elapsed_{0};
  FakeStore store_;
  FakeExpressions expressions_;
  ParseFunc parse_ = expressions_.parse();
  std::vector<notify::Alert> told_;
  notify::NotifyFunc notify_ = [this](std::vector<notify::Alert> alerts) {
    told_.insert(told_.end(), alerts.begin(), alerts.end());
  };
  base::FakeClock clock_;
  base::Logger logger_{base::LogLevel::kError, base::LogFormat::kLogfmt, [](std::string_view) {}};
  std::unique_ptr<RuleGroup> group_;
};

TEST_F(MissingDataTest, ByDefaultWhatIsMissingIsOverAndTheNotificationSaysWhy) {
  Start("resolve");
  Run();
  TargetGoesDown();
  Run();
  EXPECT_EQ(rule().state, AlertState::kInactive);
  ASSERT_TRUE(told_.back().resolved);
  EXPECT_EQ(told_.back().annotations.Get(kMissingReasonAnnotation), "target i of job j is down");
}

TEST_F(MissingDataTest, AFalseExpressionIsNotMissing) {
  for (const char* policy : {"resolve", "hold", "fire"}) {
    high_ = true;
    Start(policy);
    Run();
    high_ = false;
    Run();
    EXPECT_EQ(rule().state, AlertState::kInactive) << policy;
    EXPECT_FALSE(told_.back().annotations.Has(kMissingReasonAnnotation)) << policy;
  }
}

TEST_F(MissingDataTest, HoldKeepsAlertsUntilTheDataAreBack) {
  Start("hold");
  Run();
  TargetGoesDown();
  Run(100);
  ASSERT_EQ(rule().state, AlertState::kFiring);
  EXPECT_EQ(rule().alerts.at(0).missing_reason, "target i of job j is down");
  EXPECT_FALSE(told_.back().resolved);
  up_ = has_data_ = true;
  Run();
  EXPECT_EQ(rule().alerts.at(0).missing_reason, "");
  high_ = false;
  Run();
  EXPECT_EQ(rule().state, AlertState::kInactive);
}

TEST_F(MissingDataTest, HoldAlsoKeepsAlertsOfATargetThatIsUpWithoutData) {
  Start("hold");
  Run();
  has_data_ = false;
  Run(3);
  EXPECT_EQ(rule().alerts.at(0).missing_reason, "target i of job j is up, but has no (x)");
}

TEST_F(MissingDataTest, ATargetThatIsNoLongerScrapedIsNotMissed) {
  Start("hold");
  Run();
  TargetGoesDown();
  Run();
  scraped_ = false;
  Run();
  EXPECT_EQ(rule().state, AlertState::kInactive);
}

TEST_F(MissingDataTest, HoldKeepsPendingAlertsPending) {
  Start("hold", minutes(1));
  Run(2);
  TargetGoesDown();
  Run(20);
  EXPECT_EQ(rule().state, AlertState::kPending);
  up_ = has_data_ = true;
  Run();
  EXPECT_EQ(rule().state, AlertState::kFiring) << "its time went on";
}

TEST_F(MissingDataTest, FireLetsPendingAlertsFire) {
  Start("fire", minutes(1));
  Run(2);
  TargetGoesDown();
  Run(3);
  EXPECT_EQ(rule().state, AlertState::kFiring);
}

TEST_F(MissingDataTest, FireTellsOfTargetsThatVanish) {
  high_ = false;
  Start("fire");
  Run(2);
  EXPECT_TRUE(told_.empty());
  TargetGoesDown();
  Run(2);
  ASSERT_EQ(rule().alerts.size(), 1U);
  EXPECT_EQ(rule().alerts[0].labels,
            (model::Labels{{"alertname", "A"}, {"instance", "i"}, {"job", "j"}}));
  up_ = has_data_ = true;
  Run();
  EXPECT_EQ(rule().state, AlertState::kInactive);
  EXPECT_TRUE(told_.back().resolved);
}

TEST_F(MissingDataTest, DataThatCannotBeAskedForAreNotMissing) {
  Start("hold");
  Run();
  expressions_.Set("up", [](int64_t) -> base::Result<promql::Value> {
    return base::Error("timeout", base::ErrorKind::kDeadlineExceeded);
  });
  TargetGoesDown();
  const auto queries = MakeDataQueries("x > 5", parse_);
  ASSERT_TRUE(queries.has_value());
  DataSnapshot data(*queries, 0);
  EXPECT_EQ(data.WhyMissing({{"job", "j"}, {"instance", "i"}}), "");
  std::set<Target> known = {{"j", "i"}};
  EXPECT_TRUE(data.LostTargets(&known).empty());
  EXPECT_EQ(known.size(), 1U);
}

}  // namespace
}  // namespace rules
