#include "agent/rules/manager.h"

#include <atomic>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "lib/base/mutex.h"
#include "tests/agent/rules/fakes.h"

namespace rules {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

// Counts events of other threads and waits for them.
class Counter {
 public:
  void Add() {
    base::MutexLock lock(mutex_);
    ++count_;
    changed_.NotifyAll();
  }
  bool WaitFor(int count) {
    const auto deadline = std::chrono::steady_clock::now() + seconds(10);
    base::MutexLock lock(mutex_);
    while (count_ < count) {
      if (!changed_.WaitUntil(mutex_, deadline) && count_ < count) {
        return false;
      }
    }
    return true;
  }
  int count() const {
    base::MutexLock lock(mutex_);
    return count_;
  }

 private:
  mutable base::Mutex mutex_;
  base::CondVar changed_;
  int count_ GUARDED_BY(mutex_) = 0;
};

class ManagerTest : public ::testing::Test {
 protected:
  ManagerTest() {
    expressions_.Set("x", [this](int64_t) {
      evaluations_.Add();
      return promql::Value(promql::Vector{Element({{"i", "a"}})});
    });
    manager_ = std::make_unique<Manager>(
        ManagerOptions{.external_url = "http://agent"}, expressions_.parse(), store_,
        [this](const std::vector<notify::Alert>&) { told_.Add(); }, clock_, logger_);
  }

  static GroupSpec Group(const std::string& name, std::vector<RuleSpec> rules) {
    return {.file = "f.yml", .name = name, .interval = seconds(15), .rules = std::move(rules)};
  }
  static RuleSpec AlertRule(const std::string& name, milliseconds hold) {
    return {.alerting = true, .name = name, .expression = "x", .hold = hold};
  }

  // One slot of every group comes, and is over.
  void NextSlot(int groups) {
    const int before = evaluations_.count();
    clock_.Advance(seconds(15));
    ASSERT_TRUE(evaluations_.WaitFor(before + groups));
  }

  base::FakeClock clock_;
  FakeStore store_;
  FakeExpressions expressions_;
  Counter evaluations_;
  Counter told_;
  base::Logger logger_{base::LogLevel::kError, base::LogFormat::kLogfmt, [](std::string_view) {}};
  std::unique_ptr<Manager> manager_;
};

TEST_F(ManagerTest, RunsEveryGroupOncePerInterval) {
  std::vector<GroupSpec> groups;
  for (int i = 0; i < 9; ++i) {  // More than there are workers.
    groups.push_back(Group("g" + std::to_string(i), {AlertRule("A", seconds(600))}));
  }
  ASSERT_TRUE(manager_->Reload({.groups = groups}).ok());
  for (int slot = 0; slot < 5; ++slot) {
    NextSlot(9);
  }
  manager_->Stop();
  EXPECT_EQ(evaluations_.count(), 45);
}

TEST_F(ManagerTest, AlertsFireAfterTheirTime) {
  ASSERT_TRUE(manager_->Reload({.groups = {Group("g", {AlertRule("A", seconds(30))})}}).ok());
  NextSlot(1);
  NextSlot(1);
  EXPECT_EQ(told_.count(), 0);
  NextSlot(1);
  EXPECT_TRUE(told_.WaitFor(1));
  manager_->Stop();
  const RulesStatus status = manager_->Status();
  ASSERT_EQ(status.size(), 1U);
  EXPECT_EQ(status[0].rules[0].state, AlertState::kFiring);
}

TEST_F(ManagerTest, AWallClockJumpNeitherFiresNorResets) {
  ASSERT_TRUE(manager_->Reload({.groups = {Group("g", {AlertRule("A", seconds(60))})}}).ok());
  NextSlot(1);
  clock_.JumpWall(std::chrono::hours(3));
  NextSlot(1);
  clock_.JumpWall(-std::chrono::hours(6));
  NextSlot(1);
  EXPECT_EQ(told_.count(), 0);
  for (int slot = 0; slot < 3; ++slot) {
    NextSlot(1);
  }
  EXPECT_TRUE(told_.WaitFor(1));
}

TEST_F(ManagerTest, ReloadKeepsStatesOfRulesThatStay) {
  ASSERT_TRUE(manager_->Reload({.groups = {Group("g", {AlertRule("A", seconds(30))})}}).ok());
  NextSlot(1);
  NextSlot(1);
  ASSERT_TRUE(manager_
                  ->Reload({.groups = {Group("g", {AlertRule("New", seconds(600)),
                                                   AlertRule("A", seconds(30))})}})
                  .ok());
  EXPECT_EQ(manager_->Status()[0].rules[1].state, AlertState::kPending);
  NextSlot(2);
  EXPECT_TRUE(told_.WaitFor(1)) << "two slots before the reload, one after it";
}

TEST_F(ManagerTest, AReloadOfTheSameRulesChangesNothing) {
  const RuleSet rules{.groups = {Group("g", {AlertRule("A", seconds(30))})}};
  ASSERT_TRUE(manager_->Reload(rules).ok());
  NextSlot(1);
  ASSERT_TRUE(manager_->Reload(rules).ok());
  NextSlot(1);
  ASSERT_TRUE(manager_->Reload(rules).ok());
  NextSlot(1);
  EXPECT_TRUE(told_.WaitFor(1));
}

TEST_F(ManagerTest, ABadReloadLeavesTheOldRulesRunning) {
  ASSERT_TRUE(manager_->Reload({.groups = {Group("g", {AlertRule("A", seconds(600))})}}).ok());
  NextSlot(1);
  RuleSpec bad = AlertRule("B", seconds(0));
  bad.expression = "unknown";
  EXPECT_FALSE(manager_->Reload({.groups = {Group("g", {bad})}}).ok());
  NextSlot(1);
  EXPECT_EQ(manager_->Status()[0].rules[0].name, "A");
}

TEST_F(ManagerTest, EndsTheSeriesOfRemovedGroups) {
  const RuleSpec record{.name = "r", .expression = "x"};
  ASSERT_TRUE(
      manager_->Reload({.groups = {Group("g", {record}), Group("h", {AlertRule("A", {})})}}).ok());
  NextSlot(2);
  ASSERT_TRUE(manager_->Reload({.groups = {Group("h", {AlertRule("A", {})})}}).ok());
  EXPECT_EQ(store_.Values(R"(r{i="a"})"), "1 stale");
}

TEST_F(ManagerTest, NothingRunsAfterStop) {
  ASSERT_TRUE(manager_->Reload({.groups = {Group("g", {AlertRule("A", seconds(600))})}}).ok());
  NextSlot(1);
  manager_->Stop();
  ASSERT_TRUE(manager_->Reload({.groups = {Group("h", {AlertRule("A", seconds(600))})}}).ok());
  clock_.Advance(seconds(60));
  manager_.reset();
  EXPECT_EQ(evaluations_.count(), 1);
}

TEST_F(ManagerTest, RunsWithoutAnyGroup) {
  ASSERT_TRUE(manager_->Reload({}).ok());
  EXPECT_TRUE(manager_->Status().empty());
  for (const model::MetricFamily& family : manager_->Metrics()) {
    EXPECT_TRUE(family.metrics.empty());
  }
}

TEST_F(ManagerTest, CountsInMetrics) {
  ASSERT_TRUE(manager_->Reload({.groups = {Group("g", {AlertRule("A", seconds(600))})}}).ok());
  NextSlot(1);
  manager_->Stop();
  double evaluations = 0;
  size_t described = 0;
  for (const model::MetricFamily& family : manager_->Metrics()) {
    described += family.desc->help.back() == '.' ? 1U : 0U;
    if (family.desc->name == "tarsier_rule_evaluations_total") {
      ASSERT_EQ(family.metrics.size(), 1U);
      evaluations = family.metrics[0].value;
      EXPECT_EQ(family.metrics[0].labels, (model::LabelValues{"f.yml", "g"}));
    }
  }
  EXPECT_EQ(evaluations, 1);
  EXPECT_EQ(described, manager_->Metrics().size());
}

}  // namespace
}  // namespace rules
