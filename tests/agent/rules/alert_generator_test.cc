// The timelines of the alert_generator compliance specification, replayed with a clock of our own:
// 30 s between evaluations, samples every 15 s.
#include <cmath>
#include <functional>
#include <string>

#include <gtest/gtest.h>

#include "agent/rules/alerting_rule.h"
#include "tests/agent/rules/fakes.h"

namespace rules {
namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr seconds kInterval{30};

struct Sent {
  int firing = 0;
  int resolved = 0;
};

class Generator {
 public:
  explicit Generator(milliseconds hold, milliseconds resend_delay = minutes(1))
      : rule_(*AlertingRule::Make({.alerting = true, .name = "Generated", .hold = hold}, "x > 10",
                                  {.interval = kInterval, .resend_delay = resend_delay})) {}

  // Evaluates "value > 10" up to `until`.
  Sent RunUntil(milliseconds until, double value) {
    Sent sent;
    for (; now_ <= until; now_ += kInterval) {
      promql::Vector vector;
      if (value > 10) {
        vector.push_back(Element({{"rulegroup", "test"}}, value));
      }
      const auto outcome = rule_.Advance(
          vector, {.at = base::FromMillis(1'700'000'000'000) + now_, .elapsed = now_}, {});
      EXPECT_TRUE(outcome.ok());
      for (const notify::Alert& alert : outcome->alerts) {
        ++(alert.resolved ? sent.resolved : sent.firing);
        if (!alert.resolved) {
          EXPECT_EQ(alert.ends_at, base::FromMillis(1'700'000'000'000) + now_ + 4 * minutes(1));
        }
      }
    }
    return sent;
  }

  AlertState state() const { return rule_.state(); }

 private:
  AlertingRule rule_;
  milliseconds now_{0};
};

TEST(AlertGenerator, PendingThenFiringThenResolved) {
  Generator generator(minutes(6));
  EXPECT_EQ(generator.RunUntil(minutes(2), 5).firing, 0);
  EXPECT_EQ(generator.state(), AlertState::kInactive);
  EXPECT_EQ(generator.RunUntil(minutes(8), 11).firing, 0);
  EXPECT_EQ(generator.state(), AlertState::kPending) << "active for 5m30s at 8m";
  // Fires at 8m30s, is told then and once a minute.
  const Sent firing = generator.RunUntil(minutes(12), 11);
  EXPECT_EQ(generator.state(), AlertState::kFiring);
  EXPECT_EQ(firing.firing, 4);
  // Resolved at 12m30s, told once a minute for 15 minutes, the last time at 27m30s.
  const Sent resolved = generator.RunUntil(minutes(40), 5);
  EXPECT_EQ(generator.state(), AlertState::kInactive);
  EXPECT_EQ(resolved.firing, 0);
  EXPECT_EQ(resolved.resolved, 16);
}

TEST(AlertGenerator, PendingThenInactiveIsNeverTold) {
  Generator generator(minutes(3));
  EXPECT_EQ(generator.RunUntil(minutes(2), 11).firing, 0);
  EXPECT_EQ(generator.state(), AlertState::kPending);
  const Sent sent = generator.RunUntil(minutes(30), 5);
  EXPECT_EQ(sent.firing + sent.resolved, 0);
  EXPECT_EQ(generator.state(), AlertState::kInactive);
}

TEST(AlertGenerator, ZeroForFiresAtOnce) {
  Generator generator(milliseconds(0));
  EXPECT_EQ(generator.RunUntil(seconds(0), 11).firing, 1);
  EXPECT_EQ(generator.state(), AlertState::kFiring);
}

TEST(AlertGenerator, ForBelowTheIntervalFiresAtTheNextEvaluation) {
  Generator generator(seconds(15));
  EXPECT_EQ(generator.RunUntil(seconds(0), 11).firing, 0);
  EXPECT_EQ(generator.state(), AlertState::kPending);
  EXPECT_EQ(generator.RunUntil(seconds(30), 11).firing, 1);
  EXPECT_EQ(generator.state(), AlertState::kFiring);
}

TEST(AlertGenerator, ANewAlertEndsTheTellingOfTheOldResolution) {
  Generator generator(milliseconds(0));
  generator.RunUntil(seconds(30), 11);
  EXPECT_EQ(generator.RunUntil(seconds(60), 5).resolved, 1);
  const Sent again = generator.RunUntil(minutes(5), 11);
  EXPECT_EQ(again.resolved, 0);
  EXPECT_EQ(again.firing, 4);
}

}  // namespace
}  // namespace rules
