#include "agent/rules/alerting_rule.h"

#include <string>
#include <string_view>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/agent/rules/fakes.h"

namespace rules {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::HasSubstr;

constexpr seconds kInterval{15};

AlertingRule MakeRule(RuleSpec spec, RuleContext context = {}) {
  spec.alerting = true;
  spec.name = "A";
  context.interval = kInterval;
  context.external_url = "http://agent";
  auto rule = AlertingRule::Make(spec, "up == 0", context);
  EXPECT_TRUE(rule.ok());
  return *std::move(rule);
}

Tick TickAt(int step, milliseconds wall_jump = milliseconds(0)) {
  return {.at = base::FromMillis(1'000'000'000'000) + step * kInterval + wall_jump,
          .elapsed = step * kInterval};
}

base::Result<Outcome> Step(AlertingRule& rule, const promql::Vector& vector, int step) {
  return rule.Advance(vector, TickAt(step), {});
}

// One character an evaluation, 15 s apart. `input`: x the series is in the result, - it is not.
// `states`: - none, p pending, F firing. `sent`: F told as firing, R told as resolved, - nothing.
void CheckTimeline(const RuleSpec& spec, std::string_view input, std::string_view states,
                   std::string_view sent) {
  AlertingRule rule = MakeRule(spec);
  std::string got_states;
  std::string got_sent;
  for (size_t i = 0; i < input.size(); ++i) {
    promql::Vector vector;
    if (input[i] == 'x') {
      vector.push_back(Element({{"instance", "a"}}));
    }
    const auto outcome = Step(rule, vector, static_cast<int>(i));
    ASSERT_TRUE(outcome.ok());
    const AlertState state = rule.state();
    got_states += state == AlertState::kPending ? 'p' : state == AlertState::kFiring ? 'F' : '-';
    got_sent += outcome->alerts.empty() ? '-' : outcome->alerts[0].resolved ? 'R' : 'F';
    EXPECT_EQ(outcome->samples.size(), state == AlertState::kInactive ? 0U : 2U);
  }
  EXPECT_EQ(got_states, states) << input;
  EXPECT_EQ(got_sent, sent) << input;
}

TEST(AlertingRule, FiresAtOnceWithoutFor) { CheckTimeline({}, "-x-", "-F-", "-FR"); }

TEST(AlertingRule, PendsForTheWholeOfFor) {
  CheckTimeline({.hold = seconds(45)}, "xxxxx", "pppFF", "---F-");
  CheckTimeline({.hold = seconds(40)}, "xxxxx", "pppFF", "---F-");
  CheckTimeline({.hold = seconds(46)}, "xxxxx", "ppppF", "----F");
  // Shorter than the interval: the next evaluation, not in between.
  CheckTimeline({.hold = seconds(1)}, "xxx", "pFF", "-F-");
}

TEST(AlertingRule, StartsForAnewAfterAGap) {
  CheckTimeline({.hold = seconds(30)}, "xx-xxx", "pp-ppF", "-----F");
}

TEST(AlertingRule, NeverTellsOfAPendingAlertThatGoes) {
  CheckTimeline({.hold = seconds(60)}, "xxx---", "ppp---", "------");
}

TEST(AlertingRule, RepeatsAfterTheResendDelay) {
  CheckTimeline({}, "xxxxxxxxx", "FFFFFFFFF", "F---F---F");
}

TEST(AlertingRule, KeepsFiringForAWhile) {
  CheckTimeline({.keep_firing_for = seconds(30)}, "xx-----", "FFFF---", "F---R--");
}

TEST(AlertingRule, KeepFiringStartsAnewWhenTheAlertComesBack) {
  CheckTimeline({.keep_firing_for = seconds(30)}, "x-x---", "FFFFF-", "F---FR");
}

TEST(AlertingRule, TellsOfAResolutionForFifteenMinutes) {
  std::string input = "x" + std::string(70, '-');
  std::string sent = "FR";  // Resolved at step 1, told again every 4 steps up to step 61.
  for (int step = 2; step <= 70; ++step) {
    sent += step <= 61 && (step - 1) % 4 == 0 ? 'R' : '-';
  }
  CheckTimeline({}, input, "F" + std::string(70, '-'), sent);
}

TEST(AlertingRule, StartsAnewWhenAResolvedAlertComesBack) {
  CheckTimeline({}, "x-x", "F-F", "FRF");
  AlertingRule rule = MakeRule({});
  ASSERT_TRUE(Step(rule, {Element({{"i", "a"}})}, 0).ok());
  ASSERT_TRUE(Step(rule, {}, 1).ok());
  const auto outcome = Step(rule, {Element({{"i", "a"}})}, 2);
  ASSERT_TRUE(outcome.ok());
  EXPECT_EQ(outcome->alerts[0].starts_at, TickAt(2).at);
}

TEST(AlertingRule, MeasuresForOnElapsedTimeNotOnTheWallClock) {
  const promql::Vector vector = {Element({{"instance", "a"}})};
  for (const auto jump : {std::chrono::hours(5), std::chrono::hours(-5)}) {
    AlertingRule rule = MakeRule({.hold = seconds(60)});
    ASSERT_TRUE(rule.Advance(vector, TickAt(0), {}).ok());
    ASSERT_TRUE(rule.Advance(vector, TickAt(1, jump), {}).ok());
    EXPECT_EQ(rule.state(), AlertState::kPending) << "a jump must not fire it";
    ASSERT_TRUE(rule.Advance(vector, TickAt(3, jump), {}).ok());
    EXPECT_EQ(rule.state(), AlertState::kPending);
    ASSERT_TRUE(rule.Advance(vector, TickAt(4, jump), {}).ok());
    EXPECT_EQ(rule.state(), AlertState::kFiring) << "a jump must not delay it";
  }
}

TEST(AlertingRule, BuildsLabelsFromSampleThenRuleThenName) {
  AlertingRule rule = MakeRule({.labels = {{"severity", "page"},
                                           {"job", "from rule"},
                                           {"alertname", "lost"},
                                           {"where", "{{ $labels.instance }}"}},
                                .annotations = {{"summary", "{{ $value }} of {{ $labels.job }}"}}});
  const auto outcome = Step(
      rule, {Element({{"__name__", "up"}, {"instance", "a"}, {"job", "from sample"}}, 0.5)}, 0);
  ASSERT_TRUE(outcome.ok());
  EXPECT_EQ(outcome->alerts[0].labels.ToString(),
            R"({alertname="A", instance="a", job="from rule", severity="page", where="a"})");
  EXPECT_EQ(outcome->alerts[0].annotations.ToString(), R"({summary="0.5 of from sample"})");
}

TEST(AlertingRule, WritesAlertsAndForState) {
  AlertingRule rule = MakeRule({.hold = seconds(15)});
  const promql::Vector vector = {Element({{"i", "a"}})};
  const auto pending = Step(rule, vector, 0);
  ASSERT_EQ(pending->samples.size(), 2U);
  EXPECT_EQ(pending->samples[0].labels.ToString(), R"(ALERTS_FOR_STATE{alertname="A", i="a"})");
  EXPECT_EQ(pending->samples[0].value, 1'000'000'000);
  EXPECT_EQ(pending->samples[1].labels.ToString(),
            R"(ALERTS{alertname="A", alertstate="pending", i="a"})");
  EXPECT_EQ(pending->samples[1].value, 1);
  const auto firing = Step(rule, vector, 1);
  EXPECT_EQ(firing->samples[0].value, 1'000'000'000) << "since it became active";
  EXPECT_EQ(firing->samples[1].labels.ToString(),
            R"(ALERTS{alertname="A", alertstate="firing", i="a"})");
}

TEST(AlertingRule, NotifiesWithTimesAndLink) {
  AlertingRule rule = MakeRule({.hold = seconds(15)});
  const promql::Vector vector = {Element({{"i", "a"}})};
  ASSERT_TRUE(Step(rule, vector, 0).ok());
  const auto firing = Step(rule, vector, 1);
  ASSERT_EQ(firing->alerts.size(), 1U);
  EXPECT_EQ(firing->alerts[0].starts_at, TickAt(1).at) << "when it fired, not when it pended";
  EXPECT_EQ(firing->alerts[0].ends_at, TickAt(1).at + std::chrono::minutes(4));
  EXPECT_EQ(firing->alerts[0].generator_url, "http://agent/graph?g0.expr=up+%3D%3D+0&g0.tab=1");
  const auto resolved = Step(rule, {}, 2);
  ASSERT_EQ(resolved->alerts.size(), 1U);
  EXPECT_TRUE(resolved->alerts[0].resolved);
  EXPECT_EQ(resolved->alerts[0].starts_at, TickAt(1).at);
  EXPECT_EQ(resolved->alerts[0].ends_at, TickAt(2).at);
}

TEST(AlertingRule, RefreshesAnnotationsAndValues) {
  AlertingRule rule = MakeRule({.hold = seconds(60), .annotations = {{"v", "{{ $value }}"}}});
  ASSERT_TRUE(Step(rule, {Element({{"i", "a"}}, 1)}, 0).ok());
  ASSERT_TRUE(Step(rule, {Element({{"i", "a"}}, 2)}, 1).ok());
  ASSERT_EQ(rule.Alerts().size(), 1U);
  EXPECT_EQ(rule.Alerts()[0].annotations.Get("v"), "2");
  EXPECT_EQ(rule.Alerts()[0].value, 2);
  EXPECT_EQ(rule.Alerts()[0].active_at, TickAt(0).at);
}

TEST(AlertingRule, ShowsWhenItOnlyKeepsFiring) {
  AlertingRule rule = MakeRule({.keep_firing_for = seconds(300)});
  ASSERT_TRUE(Step(rule, {Element({{"i", "a"}})}, 0).ok());
  EXPECT_FALSE(rule.Alerts()[0].keep_firing_since);
  ASSERT_TRUE(Step(rule, {}, 1).ok());
  ASSERT_TRUE(Step(rule, {}, 2).ok());
  EXPECT_EQ(rule.Alerts()[0].keep_firing_since, TickAt(1).at);
}

TEST(AlertingRule, FailsOnEqualLabelSetsAndChangesNothing) {
  AlertingRule rule = MakeRule({.labels = {{"instance", "same"}}});
  ASSERT_TRUE(Step(rule, {Element({{"instance", "a"}})}, 0).ok());
  const auto outcome = Step(rule, {Element({{"instance", "a"}}), Element({{"instance", "b"}})}, 1);
  ASSERT_FALSE(outcome.ok());
  EXPECT_THAT(outcome.error().message(), HasSubstr("same labelset after applying alert labels"));
  EXPECT_EQ(rule.state(), AlertState::kFiring);
}

TEST(AlertingRule, FailsOverTheLimitAndChangesNothing) {
  AlertingRule rule = MakeRule({}, {.limit = 1});
  ASSERT_TRUE(Step(rule, {Element({{"i", "a"}})}, 0).ok());
  const auto outcome = Step(rule, {Element({{"i", "b"}}), Element({{"i", "c"}})}, 1);
  ASSERT_FALSE(outcome.ok());
  EXPECT_EQ(outcome.error().kind(), base::ErrorKind::kResourceExhausted);
  ASSERT_EQ(rule.Alerts().size(), 1U);
  EXPECT_EQ(rule.Alerts()[0].labels.Get("i"), "a") << "what fires goes on";
}

TEST(AlertingRule, ResolvedAlertsDoNotCountForTheLimit) {
  AlertingRule rule = MakeRule({}, {.limit = 1});
  ASSERT_TRUE(Step(rule, {Element({{"i", "a"}})}, 0).ok());
  ASSERT_TRUE(Step(rule, {Element({{"i", "b"}})}, 1).ok());
  EXPECT_TRUE(Step(rule, {Element({{"i", "c"}})}, 2).ok());
}

TEST(AlertingRule, SendsAlertsWhoseTemplateFails) {
  AlertingRule rule = MakeRule({.annotations = {{"s", "{{ query \"up\" | first }}"}}});
  const auto outcome = Step(rule, {Element({{"i", "a"}})}, 0);
  ASSERT_TRUE(outcome.ok());
  EXPECT_THAT(std::string(outcome->alerts[0].annotations.Get("s")),
              HasSubstr("<error expanding template: "));
}

TEST(AlertingRule, GoesOnWithTheStateOfAFormerVersion) {
  AlertingRule former = MakeRule({.hold = seconds(30)});
  ASSERT_TRUE(Step(former, {Element({{"i", "a"}})}, 0).ok());
  AlertingRule rule = MakeRule({.hold = seconds(30)});
  rule.TakeState(former);
  ASSERT_TRUE(Step(rule, {Element({{"i", "a"}})}, 2).ok());
  EXPECT_EQ(rule.state(), AlertState::kFiring);
}

}  // namespace
}  // namespace rules
