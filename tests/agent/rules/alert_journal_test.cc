// Alerts over restarts: groups are made anew from what the journal has, on a clock of our own.
#include "agent/rules/alert_journal.h"

#include <memory>
#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "agent/rules/rule_group.h"
#include "agent/state/state_file.h"
#include "tests/agent/rules/fakes.h"
#include "tests/agent/state/temp_directory.h"

namespace rules {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr seconds kInterval{30};

class AlertJournalTest : public ::testing::Test {
 protected:
  AlertJournalTest() {
    expressions_.Set("x", [this](int64_t) {
      return promql::Value(active_ ? promql::Vector{Element({{"i", "a"}}, 7)} : promql::Vector{});
    });
    auto file = state::StateFile::Open(directory_.path(), clock_, logger_);
    EXPECT_TRUE(file.ok());
    file_ = std::make_unique<state::StateFile>(*std::move(file));
    auto journal = AlertJournal::Open(*file_->Connect());
    EXPECT_TRUE(journal.ok());
    journal_ = *std::move(journal);
    Start();
  }

  // As a new process: nothing but the journal is known.
  void Start() {
    told_.clear();
    auto group =
        RuleGroup::Make({.file = "f.yml", .name = "g", .rules = {rule_}}, {.interval = kInterval},
                        {.parse = &parse_,
                         .store = &store_,
                         .notify = &notify_,
                         .clock = &clock_,
                         .logger = &logger_,
                         .journal = journal_.get()});
    ASSERT_TRUE(group.ok());
    group_ = *std::move(group);
    group_->Restore();
  }

  void Restart(milliseconds down) {
    group_.reset();
    clock_.Advance(down);
    Start();
  }

  // Runs the slots of the next `time`.
  void Run(milliseconds time) {
    const base::MonotonicTime end = clock_.Monotonic() + time;
    while (group_->deadline() <= end) {
      clock_.Advance(group_->deadline() - clock_.Monotonic());
      group_->Run();
    }
    clock_.Advance(end - clock_.Monotonic());
  }

  AlertState state() const { return group_->Status().rules[0].state; }
  size_t Told(bool resolved) const {
    return static_cast<size_t>(std::count_if(
        told_.begin(), told_.end(),
        [resolved](const notify::Alert& alert) { return alert.resolved == resolved; }));
  }

  state::TempDirectory directory_;
  base::FakeClock clock_;
  base::Logger logger_{base::LogLevel::kError, base::LogFormat::kLogfmt, [](std::string_view) {}};
  std::unique_ptr<state::StateFile> file_;
  std::unique_ptr<AlertJournal> journal_;
  FakeStore store_;
  FakeExpressions expressions_;
  ParseFunc parse_ = expressions_.parse();
  bool active_ = true;
  std::vector<notify::Alert> told_;
  notify::NotifyFunc notify_ = [this](std::vector<notify::Alert> alerts) {
    told_.insert(told_.end(), alerts.begin(), alerts.end());
  };
  RuleSpec rule_{.alerting = true, .name = "A", .expression = "x", .hold = minutes(10)};
  std::unique_ptr<RuleGroup> group_;
};

TEST_F(AlertJournalTest, ARestartDoesNotResetFor) {
  Run(minutes(8));
  ASSERT_EQ(state(), AlertState::kPending);
  Restart(seconds(5));
  EXPECT_EQ(state(), AlertState::kPending);
  Run(minutes(1));
  EXPECT_EQ(state(), AlertState::kPending) << "active for 9 minutes";
  Run(minutes(2));
  EXPECT_EQ(state(), AlertState::kFiring);
  EXPECT_GT(Told(false), 0U);
}

TEST_F(AlertJournalTest, TimeWithoutTheAgentDoesNotCountForFor) {
  Run(minutes(5));
  Restart(minutes(30));
  Run(minutes(4));
  EXPECT_EQ(state(), AlertState::kPending);
  Run(minutes(2));
  EXPECT_EQ(state(), AlertState::kFiring);
}

TEST_F(AlertJournalTest, PendingAlertsBeginAnewAfterALongOutage) {
  Run(minutes(9));
  Restart(hours(2));
  EXPECT_EQ(state(), AlertState::kInactive);
  Run(minutes(5));
  EXPECT_EQ(state(), AlertState::kPending);
}

TEST_F(AlertJournalTest, WhatResolvedMeanwhileIsTold) {
  Run(minutes(12));
  ASSERT_EQ(state(), AlertState::kFiring);
  const base::WallTime fired_at = told_.front().starts_at;
  active_ = false;
  Restart(hours(30));
  EXPECT_EQ(state(), AlertState::kFiring);
  Run(minutes(4));
  EXPECT_EQ(state(), AlertState::kInactive);
  ASSERT_GT(Told(true), 0U);
  EXPECT_EQ(told_.back().starts_at, fired_at);
}

TEST_F(AlertJournalTest, AnEmptyStoreAfterARestartResolvesNothing) {
  Run(minutes(12));
  active_ = false;
  Restart(seconds(5));
  Run(seconds(90));  // Nothing is scraped yet.
  active_ = true;
  Run(minutes(10));
  EXPECT_EQ(state(), AlertState::kFiring);
  EXPECT_EQ(Told(true), 0U);
}

TEST_F(AlertJournalTest, AResolveThatWasNotYetToldAgainGoesOn) {
  Run(minutes(12));
  active_ = false;
  Run(minutes(3));
  ASSERT_GT(Told(true), 0U);
  Restart(seconds(5));
  Run(minutes(5));
  EXPECT_GT(Told(true), 0U) << "a resolve is told for 15 minutes";
  Run(minutes(20));
  told_.clear();
  Run(minutes(5));
  EXPECT_TRUE(told_.empty());
}

TEST_F(AlertJournalTest, KeepFiringForGoesOnAfterARestart) {
  rule_.hold = milliseconds(0);
  rule_.keep_firing_for = minutes(10);
  Start();
  Run(minutes(2));
  active_ = false;
  Run(minutes(6));
  ASSERT_EQ(state(), AlertState::kFiring);
  Restart(seconds(5));
  Run(minutes(3));
  EXPECT_EQ(state(), AlertState::kFiring);
  Run(minutes(3));
  EXPECT_EQ(state(), AlertState::kInactive);
}

TEST_F(AlertJournalTest, FiringAlertsAreNotToldTwiceWithinTheResendDelay) {
  Run(minutes(12));
  Restart(seconds(1));
  Run(seconds(29));
  EXPECT_LE(told_.size(), 1U);
}

TEST_F(AlertJournalTest, AWallClockSetBackOverARestartHarmsNothing) {
  Run(minutes(8));
  clock_.JumpWall(-hours(24));
  Restart(seconds(5));
  Run(minutes(1));
  EXPECT_EQ(state(), AlertState::kPending);
  Run(minutes(2));
  EXPECT_EQ(state(), AlertState::kFiring);
}

TEST_F(AlertJournalTest, OtherRulesDoNotInheritAlerts) {
  Run(minutes(12));
  rule_.name = "B";
  Restart(seconds(5));
  EXPECT_EQ(state(), AlertState::kInactive);
  Run(minutes(1));
  const auto saved = journal_->Load(RuleGroup::JournalName(group_->spec()));
  ASSERT_TRUE(saved.ok() && saved->has_value());
  ASSERT_EQ((*saved)->alerts.size(), 1U);
  EXPECT_EQ((*saved)->alerts.begin()->first, "alert B{}#1");
}

TEST_F(AlertJournalTest, ForgetsGroupsThatAreGone) {
  Run(minutes(1));
  const std::string name = RuleGroup::JournalName(group_->spec());
  ASSERT_TRUE(journal_->KeepOnly({name}).ok());
  EXPECT_TRUE(journal_->Load(name)->has_value());
  ASSERT_TRUE(journal_->KeepOnly({"other"}).ok());
  EXPECT_FALSE(journal_->Load(name)->has_value());
}

TEST_F(AlertJournalTest, ReadsBackWhatItWrote) {
  const ActiveAlert alert{.state = AlertState::kInactive,
                          .annotations = {{"s", "two\nlines"}},
                          .value = 1.5,
                          .active_at = base::FromMillis(1),
                          .active_since = milliseconds(-2),
                          .fired_at = base::FromMillis(3),
                          .resolved_at = base::FromMillis(4),
                          .resolved_since = milliseconds(5),
                          .kept_at = base::FromMillis(6),
                          .kept_since = milliseconds(7),
                          .last_sent = milliseconds(-8)};
  const model::Labels labels{{"alertname", "A"}, {"b", "c"}};
  const AlertChange change{"rule", labels, alert};
  ASSERT_TRUE(
      journal_->Save("h", {base::FromMillis(9), milliseconds(10)}, {&change, 1}, false).ok());
  const auto saved = journal_->Load("h");
  ASSERT_TRUE(saved.ok() && saved->has_value());
  EXPECT_EQ((*saved)->last.at, base::FromMillis(9));
  EXPECT_EQ((*saved)->last.elapsed, milliseconds(10));
  const ActiveAlert& read = (*saved)->alerts.at("rule").at(labels);
  EXPECT_TRUE(read.SameStateAs(alert));
  EXPECT_EQ(read.annotations, alert.annotations);
  EXPECT_EQ(read.value, 1.5);
  const AlertChange gone{"rule", labels, std::nullopt};
  ASSERT_TRUE(journal_->Save("h", {}, {&gone, 1}, false).ok());
  EXPECT_TRUE((*journal_->Load("h"))->alerts.empty());
}

TEST_F(AlertJournalTest, LeavesOutRowsThatCannotBeRead) {
  Run(minutes(1));
  auto db = file_->Connect();
  ASSERT_TRUE(db->Execute("UPDATE rule_alerts SET labels = x'ffffffff00'").ok());
  const auto saved = journal_->Load(RuleGroup::JournalName(group_->spec()));
  ASSERT_TRUE(saved.ok() && saved->has_value());
  EXPECT_TRUE((*saved)->alerts.empty());
}

}  // namespace
}  // namespace rules
