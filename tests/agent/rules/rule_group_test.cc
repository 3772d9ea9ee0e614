#include "agent/rules/rule_group.h"

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/agent/rules/fakes.h"

namespace rules {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::HasSubstr;

class RuleGroupTest : public ::testing::Test {
 protected:
  std::unique_ptr<RuleGroup> Make(GroupSpec spec, GroupOptions options = {}) {
    spec.file = "f.yml";
    spec.name = "g";
    auto group = RuleGroup::Make(std::move(spec), std::move(options),
                                 {.parse = &parse_,
                                  .store = &store_,
                                  .notify = &notify_,
                                  .clock = &clock_,
                                  .logger = &logger_});
    EXPECT_TRUE(group.ok());
    return *std::move(group);
  }

  static RuleSpec Record(const std::string& name, const std::string& expression) {
    return {.name = name, .expression = expression};
  }
  static RuleSpec AlertRule(const std::string& name, const std::string& expression,
                            milliseconds hold = milliseconds(0)) {
    return {.alerting = true, .name = name, .expression = expression, .hold = hold};
  }

  static Tick TickAt(int step) {
    return {.at = base::FromMillis(1'000'000) + step * seconds(15), .elapsed = step * seconds(15)};
  }

  FakeStore store_;
  FakeExpressions expressions_;
  ParseFunc parse_ = expressions_.parse();
  std::vector<notify::Alert> told_;
  notify::NotifyFunc notify_ = [this](std::vector<notify::Alert> alerts) {
    told_.insert(told_.end(), alerts.begin(), alerts.end());
  };
  base::FakeClock clock_;
  std::string log_;
  base::Logger logger_{base::LogLevel::kInfo, base::LogFormat::kLogfmt,
                       [this](std::string_view line) { log_ += line; }};
};

TEST_F(RuleGroupTest, LaterRulesSeeWhatEarlierOnesWrote) {
  expressions_.SetVector("up", {Element({{"__name__", "up"}}, 7)});
  expressions_.Set("a", [this](int64_t at_ms) {
    promql::Vector vector;
    const FakeStore::SeriesMap series = store_.series();
    for (const model::Sample& sample : series.at("a")) {
      if (sample.timestamp_ms == at_ms) {
        vector.push_back(Element({}, sample.value));
      }
    }
    return promql::Value(vector);
  });
  const auto group = Make({.rules = {Record("a", "up"), Record("b", "a")}});
  group->Evaluate(TickAt(0));
  EXPECT_EQ(store_.Values("a"), "7");
  EXPECT_EQ(store_.Values("b"), "7");
}

TEST_F(RuleGroupTest, EndsSeriesThatVanish) {
  int step = 0;
  expressions_.Set("x", [&](int64_t) {
    promql::Vector vector = {Element({{"i", "a"}})};
    if (step == 1) {
      vector.push_back(Element({{"i", "b"}}));
    }
    return promql::Value(vector);
  });
  const auto group = Make({.rules = {Record("r", "x")}});
  for (; step < 4; ++step) {
    group->Evaluate(TickAt(step));
  }
  EXPECT_EQ(store_.Values(R"(r{i="a"})"), "1 1 1 1");
  EXPECT_EQ(store_.Values(R"(r{i="b"})"), "1 stale");
}

TEST_F(RuleGroupTest, AlertsSeriesFollowTheState) {
  bool active = true;
  expressions_.Set("x", [&](int64_t) {
    return promql::Value(active ? promql::Vector{Element({{"i", "a"}})} : promql::Vector{});
  });
  const auto group = Make({.rules = {AlertRule("A", "x", seconds(15))}});
  group->Evaluate(TickAt(0));
  group->Evaluate(TickAt(1));
  active = false;
  group->Evaluate(TickAt(2));
  EXPECT_EQ(store_.Values(R"(ALERTS{alertname="A", alertstate="pending", i="a"})"), "1 stale");
  EXPECT_EQ(store_.Values(R"(ALERTS{alertname="A", alertstate="firing", i="a"})"), "1 stale");
  EXPECT_EQ(store_.Values(R"(ALERTS_FOR_STATE{alertname="A", i="a"})"), "1000 1000 stale");
  ASSERT_EQ(told_.size(), 2U);
  EXPECT_FALSE(told_[0].resolved);
  EXPECT_TRUE(told_[1].resolved);
}

TEST_F(RuleGroupTest, AQueryErrorLeavesStatesAndSeriesAlone) {
  bool fails = false;
  expressions_.Set("x", [&](int64_t) -> base::Result<promql::Value> {
    if (fails) {
      return base::Error("many-to-many matching not allowed", base::ErrorKind::kInvalidArgument);
    }
    return promql::Value(promql::Vector{Element({{"i", "a"}})});
  });
  const auto group = Make({.rules = {AlertRule("A", "x", seconds(30)), Record("r", "x")}});
  group->Evaluate(TickAt(0));
  fails = true;
  group->Evaluate(TickAt(1));
  const GroupStatus status = group->Status();
  EXPECT_EQ(status.rules[0].health, RuleHealth::kErr);
  EXPECT_THAT(status.rules[0].last_error, HasSubstr("many-to-many"));
  EXPECT_EQ(status.rules[0].state, AlertState::kPending);
  EXPECT_EQ(store_.Values(R"(r{i="a"})"), "1") << "no stale marker";
  EXPECT_EQ(group->Counters().failures, 2U);
  fails = false;
  group->Evaluate(TickAt(2));
  EXPECT_EQ(group->Status().rules[0].state, AlertState::kFiring) << "`for` went on counting";
  EXPECT_EQ(group->Status().rules[0].health, RuleHealth::kOk);
  EXPECT_EQ(group->Status().rules[0].last_error, "");
}

TEST_F(RuleGroupTest, WhatFiresIsToldOnWhileItsRuleFails) {
  bool fails = false;
  expressions_.Set("x", [&](int64_t) -> base::Result<promql::Value> {
    if (fails) {
      return base::Error("timeout", base::ErrorKind::kDeadlineExceeded);
    }
    return promql::Value(promql::Vector{Element({{"i", "a"}})});
  });
  const auto group = Make({.interval = seconds(15), .rules = {AlertRule("A", "x")}});
  group->Evaluate(TickAt(0));
  fails = true;
  for (int step = 1; step <= 8; ++step) {
    group->Evaluate(TickAt(step));
  }
  ASSERT_EQ(told_.size(), 3U) << "at once, after one and after two minutes";
  EXPECT_FALSE(told_[2].resolved);
  EXPECT_EQ(told_[2].ends_at, TickAt(8).at + std::chrono::minutes(4));
}

TEST_F(RuleGroupTest, LogsAnErrorOnceWhileItLasts) {
  expressions_.Set(
      "x", [](int64_t) -> base::Result<promql::Value> { return base::Error("no such thing"); });
  const auto group = Make({.rules = {Record("r", "x")}});
  group->Evaluate(TickAt(0));
  EXPECT_THAT(log_, HasSubstr("no such thing"));
  log_.clear();
  group->Evaluate(TickAt(1));
  EXPECT_EQ(log_, "");
}

TEST_F(RuleGroupTest, OneFailingRuleDoesNotStopTheNext) {
  expressions_.Set("bad", [](int64_t) { return promql::Value(promql::String{0, "text"}); });
  expressions_.Set("five", [](int64_t) { return promql::Value(promql::Scalar{0, 5}); });
  const auto group = Make({.rules = {Record("r", "bad"), Record("s", "five")}});
  group->Evaluate(TickAt(0));
  EXPECT_EQ(group->Status().rules[0].last_error, "rule result is not a vector or scalar");
  EXPECT_EQ(store_.Values("s"), "5");
}

TEST_F(RuleGroupTest, QueriesAndWritesAtTheOffset) {
  int64_t queried_ms = 0;
  expressions_.Set("x", [&](int64_t at_ms) {
    queried_ms = at_ms;
    return promql::Value(promql::Vector{Element({})});
  });
  const auto group = Make({.query_offset = seconds(60), .rules = {Record("r", "x")}},
                          {.query_offset = seconds(5)});
  group->Evaluate(TickAt(0));
  EXPECT_EQ(queried_ms, 940'000);
  EXPECT_EQ(store_.series()["r"][0].timestamp_ms, 940'000);
  const auto by_default = Make({.rules = {Record("r", "x")}}, {.query_offset = seconds(5)});
  by_default->Evaluate(TickAt(0));
  EXPECT_EQ(queried_ms, 995'000);
}

TEST_F(RuleGroupTest, TemplatesQueryAtTheSameMoment) {
  expressions_.SetVector("x", {Element({{"i", "a"}})});
  expressions_.Set("other", [](int64_t at_ms) {
    return promql::Value(promql::Vector{Element({}, static_cast<double>(at_ms))});
  });
  RuleSpec rule = AlertRule("A", "x");
  rule.annotations = {{"s", "{{ query \"other\" | first | value | printf \"%.0f\" }}"},
                      {"bad", "{{ query \"nope\" }}"}};
  const auto group = Make({.rules = {rule}});
  group->Evaluate(TickAt(0));
  EXPECT_EQ(told_[0].annotations.Get("s"), "1000000");
  EXPECT_THAT(std::string(told_[0].annotations.Get("bad")), HasSubstr("unknown: nope"));
}

TEST_F(RuleGroupTest, CountsWhatTheStoreRejects) {
  expressions_.SetVector("x", {Element({{"refused", "yes"}}), Element({{"i", "a"}})});
  const auto group = Make({.rules = {Record("r", "x")}});
  group->Evaluate(TickAt(0));
  EXPECT_EQ(group->Counters().samples_rejected, 1U);
  EXPECT_EQ(store_.Values(R"(r{i="a"})"), "1");
  EXPECT_EQ(group->Status().rules[0].health, RuleHealth::kOk);
}

TEST_F(RuleGroupTest, TellsAlertsEvenWhenTheStoreFails) {
  expressions_.SetVector("x", {Element({{"i", "a"}})});
  store_.RefuseCommits(true);
  const auto group = Make({.rules = {AlertRule("A", "x")}});
  group->Evaluate(TickAt(0));
  EXPECT_EQ(told_.size(), 1U);
  EXPECT_EQ(group->Status().rules[0].health, RuleHealth::kErr);
  EXPECT_THAT(group->Status().rules[0].last_error, HasSubstr("disk full"));
}

TEST_F(RuleGroupTest, GivesLabelsAgainWhenTheStoreForgotAReference) {
  expressions_.SetVector("x", {Element({{"i", "a"}})});
  const auto group = Make({.rules = {Record("r", "x")}});
  group->Evaluate(TickAt(0));
  store_.ForgetReferences();
  group->Evaluate(TickAt(1));
  EXPECT_EQ(store_.Values(R"(r{i="a"})"), "1 1");
}

TEST_F(RuleGroupTest, TakesOverRulesOfTheSameNameAndLabels) {
  expressions_.SetVector("x", {Element({{"i", "a"}})});
  expressions_.SetVector("y", {Element({{"i", "a"}})});
  const auto former = Make(
      {.rules = {AlertRule("A", "x", seconds(30)), Record("kept", "x"), Record("removed", "x")}});
  former->Evaluate(TickAt(0));
  const auto group =
      Make({.rules = {Record("kept", "y"), AlertRule("B", "x"), AlertRule("A", "y", seconds(30))}});
  group->TakeState(*former);
  EXPECT_EQ(group->Status().rules[2].state, AlertState::kPending) << "shown before its first run";
  group->Evaluate(TickAt(2));
  EXPECT_EQ(group->Status().rules[2].state, AlertState::kFiring);
  EXPECT_EQ(store_.Values(R"(kept{i="a"})"), "1 1");
  EXPECT_EQ(store_.Values(R"(removed{i="a"})"), "1 stale");
}

TEST_F(RuleGroupTest, EndsItsSeriesWhenItIsRemoved) {
  expressions_.SetVector("x", {Element({{"i", "a"}})});
  const auto group = Make({.rules = {Record("r", "x")}});
  group->Evaluate(TickAt(0));
  group->EndSeries();
  EXPECT_EQ(store_.Values(R"(r{i="a"})"), "1 stale");
}

TEST_F(RuleGroupTest, RefusesWhatDoesNotParse) {
  const auto group = RuleGroup::Make(
      {.file = "f.yml", .name = "g", .rules = {{.line = 7, .name = "r", .expression = "nope"}}}, {},
      {.parse = &parse_, .clock = &clock_});
  ASSERT_FALSE(group.ok());
  EXPECT_THAT(group.error().message(), HasSubstr("f.yml:7: rule \"r\": 1:1: parse error"));
}

TEST_F(RuleGroupTest, StatusSaysWhatTheRulesAre) {
  expressions_.SetVector("x", {});
  RuleSpec alert = AlertRule("A", "x", seconds(30));
  alert.keep_firing_for = seconds(60);
  alert.labels = {{"severity", "page"}};
  alert.annotations = {{"summary", "{{ $value }}"}};
  const auto group =
      Make({.interval = seconds(20), .limit = 9, .rules = {alert, Record("r", "x")}});
  const GroupStatus before = group->Status();
  EXPECT_EQ(before.name, "g");
  EXPECT_EQ(before.file, "f.yml");
  EXPECT_EQ(before.interval, seconds(20));
  EXPECT_EQ(before.limit, 9U);
  EXPECT_FALSE(before.last_evaluation);
  EXPECT_EQ(before.rules[0].type, RuleType::kAlerting);
  EXPECT_EQ(before.rules[0].query, "(x)") << "reprinted";
  EXPECT_EQ(before.rules[0].duration, seconds(30));
  EXPECT_EQ(before.rules[0].keep_firing_for, seconds(60));
  EXPECT_EQ(before.rules[0].labels.ToString(), R"({severity="page"})");
  EXPECT_EQ(before.rules[0].annotations.Get("summary"), "{{ $value }}");
  EXPECT_EQ(before.rules[0].health, RuleHealth::kUnknown);
  EXPECT_EQ(before.rules[1].type, RuleType::kRecording);
  group->Evaluate(TickAt(0));
  EXPECT_EQ(group->Status().last_evaluation, TickAt(0).at);
  EXPECT_EQ(group->Status().rules[1].health, RuleHealth::kOk);
}

}  // namespace
}  // namespace rules
