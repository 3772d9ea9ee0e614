#include "agent/notify/webhook.h"

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace notify {
namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;
using ::testing::HasSubstr;
using ::testing::Not;

const base::WallTime kStart{seconds(1'795'168'800)};  // 2026-11-20T10:00:00Z

Alert MakeAlert(const std::string& name, const std::string& instance, bool resolved = false,
                base::WallTime starts_at = kStart) {
  return {.labels = model::Labels{{"alertname", name}, {"instance", instance}},
          .annotations = model::Labels{{"summary", "s"}},
          .starts_at = starts_at,
          .ends_at = resolved ? starts_at + minutes(1) : starts_at + std::chrono::hours(24),
          .generator_url = "http://agent/graph",
          .resolved = resolved};
}

// An outbox with its clocks; time is given in ms since the start.
class WebhookOutboxTest : public ::testing::Test {
 protected:
  static Moment At(milliseconds time) {
    return {.wall = kStart + time, .monotonic = base::MonotonicTime(std::chrono::hours(1)) + time};
  }

  void Add(milliseconds time, const std::vector<Alert>& alerts) { outbox_.Add(alerts, At(time)); }

  // What is due at `time` gets this answer. "a:firing b:resolved", "" when nothing is due.
  std::string Deliver(milliseconds time, const Verdict& verdict = {}) {
    const auto delivery = outbox_.Take(At(time));
    if (!delivery) {
      return "";
    }
    outbox_.Report(verdict, At(time));
    last_ = *delivery;
    return Summary(delivery->body);
  }

  static std::string Summary(const std::string& body) {
    std::string summary;
    for (size_t at = body.find("\"alerts\":"); (at = body.find("{\"status\":\"", at)) != body.npos;
         ++at) {
      const size_t status = at + 11;
      const size_t instance = body.find("\"instance\":\"", at) + 12;
      summary += summary.empty() ? "" : " ";
      summary += body.substr(instance, body.find('"', instance) - instance) + ":" +
                 body.substr(status, body.find('"', status) - status);
    }
    return summary;
  }

  std::string LastKey() const {
    for (const auto& [name, value] : last_.headers) {
      if (name == "Idempotency-Key") {
        return value;
      }
    }
    return "none";
  }

  std::optional<milliseconds> Due() const {
    const auto due = outbox_.Due();
    return due ? std::optional(std::chrono::duration_cast<milliseconds>(*due - At({}).monotonic))
               : std::nullopt;
  }

  static constexpr milliseconds kWait{2'000};
  const Verdict retry_{.kind = Verdict::Kind::kRetry, .reason = "down"};
  const Verdict rejected_{.kind = Verdict::Kind::kRejected, .reason = "HTTP status 401"};

  WebhookOutbox outbox_{{.receiver = "hook", .external_url = "http://agent"}, [] { return 1.0; }};
  Delivery last_;
};

TEST(WebhookBody, IsAlertmanagersVersion4) {
  Alert firing = MakeAlert("Down", "a");
  const Alert resolved = MakeAlert("Down", "b", true);
  firing.annotations = model::Labels{{"summary", "s"}, {"only", "a"}};
  const std::string body = WebhookBody({.receiver = "hook",
                                        .external_url = "http://agent",
                                        .group_labels = model::Labels{{"alertname", "Down"}},
                                        .alerts = {&firing, &resolved},
                                        .truncated = 3});
  EXPECT_EQ(
      body,
      R"({"version":"4","groupKey":"{}:{alertname=\"Down\"}","truncatedAlerts":3,"status":"firing",)"
      R"("receiver":"hook","groupLabels":{"alertname":"Down"},"commonLabels":{"alertname":"Down"},)"
      R"("commonAnnotations":{"summary":"s"},"externalURL":"http://agent","alerts":[)"
      R"({"status":"firing","labels":{"alertname":"Down","instance":"a"},)"
      R"("annotations":{"only":"a","summary":"s"},"startsAt":"2026-11-20T10:00:00Z",)"
      R"("endsAt":"0001-01-01T00:00:00Z","generatorURL":"http://agent/graph",)"
      R"("fingerprint":")" +
          [&] {
            char text[17];
            std::snprintf(text, sizeof(text), "%016lx", firing.labels.Fingerprint());
            return std::string(text);
          }() +
          R"("},{"status":"resolved","labels":{"alertname":"Down","instance":"b"},)"
          R"("annotations":{"summary":"s"},"startsAt":"2026-11-20T10:00:00Z",)"
          R"("endsAt":"2026-11-20T10:01:00Z","generatorURL":"http://agent/graph",)"
          R"("fingerprint":")" +
          [&] {
            char text[17];
            std::snprintf(text, sizeof(text), "%016lx", resolved.labels.Fingerprint());
            return std::string(text);
          }() +
          R"("}]})");
}

TEST(WebhookBody, IsResolvedWhenAllAre) {
  const Alert resolved = MakeAlert("Down", "b", true);
  EXPECT_THAT(WebhookBody({.alerts = {&resolved}}), HasSubstr(R"("status":"resolved","receiver")"));
}

TEST_F(WebhookOutboxTest, TellsWhatFiresTogetherInOneBody) {
  Add({}, {MakeAlert("A", "a")});
  Add(seconds(1), {MakeAlert("A", "b")});
  EXPECT_EQ(Due(), kWait);
  EXPECT_EQ(Deliver(milliseconds(1'999)), "");
  EXPECT_EQ(Deliver(kWait), "a:firing b:firing");
  EXPECT_EQ(Deliver(minutes(10)), "");
}

TEST_F(WebhookOutboxTest, GroupsByAlertname) {
  Add({}, {MakeAlert("A", "a"), MakeAlert("B", "b")});
  EXPECT_EQ(Deliver(kWait), "a:firing");
  EXPECT_EQ(Deliver(kWait), "b:firing");
  EXPECT_EQ(Deliver(kWait), "");
}

TEST_F(WebhookOutboxTest, ShowsWhatGoesOnFiringBesideTheNews) {
  Add({}, {MakeAlert("A", "a"), MakeAlert("A", "b")});
  EXPECT_EQ(Deliver(kWait), "a:firing b:firing");
  Add(minutes(1), {MakeAlert("A", "b", true)});
  EXPECT_EQ(Deliver(minutes(1) + kWait), "b:resolved a:firing");
  Add(minutes(2), {MakeAlert("A", "c")});
  EXPECT_EQ(Deliver(minutes(2) + kWait), "c:firing a:firing") << "b was told";
}

TEST_F(WebhookOutboxTest, DoesNotRepeatWhatTheRulesRepeat) {
  for (int minute = 0; minute < 60; ++minute) {
    Add(minutes(minute), {MakeAlert("A", "a")});
    EXPECT_EQ(Deliver(minutes(minute) + kWait), minute == 0 ? "a:firing" : "");
  }
  for (int minute = 60; minute < 75; ++minute) {
    Add(minutes(minute), {MakeAlert("A", "a", true)});
    EXPECT_EQ(Deliver(minutes(minute) + kWait), minute == 60 ? "a:resolved" : "");
  }
}

TEST_F(WebhookOutboxTest, RepeatsAfterTheRepeatInterval) {
  Add({}, {MakeAlert("A", "a")});
  EXPECT_EQ(Deliver(kWait), "a:firing");
  const std::string key = LastKey();
  const milliseconds repeat = kWait + std::chrono::hours(4);
  EXPECT_EQ(Due(), repeat);
  EXPECT_EQ(Deliver(repeat - milliseconds(1)), "");
  EXPECT_EQ(Deliver(repeat), "a:firing");
  EXPECT_NE(LastKey(), key) << "a receiver that drops what it saw must take the repetition";
  EXPECT_EQ(Deliver(repeat + seconds(1)), "");
}

TEST_F(WebhookOutboxTest, TriesAgainWithTheSameKey) {
  Add({}, {MakeAlert("A", "a")});
  EXPECT_EQ(Deliver(kWait, retry_), "a:firing");
  const std::string key = LastKey();
  EXPECT_EQ(Due(), kWait + seconds(1));
  EXPECT_EQ(Deliver(kWait + milliseconds(999)), "");
  EXPECT_EQ(Deliver(kWait + seconds(1), retry_), "a:firing");
  EXPECT_EQ(Due(), kWait + seconds(3)) << "doubled";
  EXPECT_EQ(Deliver(kWait + seconds(3)), "a:firing");
  EXPECT_EQ(LastKey(), key);
  EXPECT_EQ(Deliver(minutes(5)), "");
}

TEST_F(WebhookOutboxTest, LosesNothingWhileTheReceiverIsDownForMinutes) {
  Add({}, {MakeAlert("A", "a"), MakeAlert("B", "b")});
  milliseconds time = kWait;
  int tries = 0;
  for (; time < minutes(10); time = std::max(time + milliseconds(1), Due().value())) {
    tries += Deliver(time, retry_).empty() ? 0 : 1;
  }
  EXPECT_LT(tries, 20) << "backoff";
  EXPECT_EQ(outbox_.undelivered(), 2U);
  std::string told;
  for (int i = 0; i < 4; ++i) {
    told += Deliver(time) + ";";
    time += seconds(61);
  }
  EXPECT_THAT(told, HasSubstr("a:firing"));
  EXPECT_THAT(told, HasSubstr("b:firing"));
  EXPECT_EQ(outbox_.undelivered(), 0U);
  EXPECT_EQ(outbox_.dropped(), 0U);
}

TEST_F(WebhookOutboxTest, AGroupThatFailsDoesNotHoldBackTheOthers) {
  Add({}, {MakeAlert("A", "poison"), MakeAlert("B", "fine")});
  EXPECT_EQ(Deliver(kWait, retry_), "poison:firing");
  EXPECT_EQ(Deliver(kWait + seconds(1)), "fine:firing") << "the one that waited longer is first";
  EXPECT_EQ(Deliver(kWait + seconds(1)), "poison:firing");
}

TEST_F(WebhookOutboxTest, WaitsAsLongAsTheReceiverAsks) {
  Add({}, {MakeAlert("A", "a"), MakeAlert("B", "b")});
  EXPECT_EQ(Deliver(kWait, {.kind = Verdict::Kind::kRetry, .retry_after = seconds(90)}),
            "a:firing");
  EXPECT_EQ(Deliver(kWait + seconds(89)), "") << "neither this group nor another";
  EXPECT_EQ(Deliver(kWait + seconds(90)), "b:firing");
  EXPECT_EQ(Deliver(kWait + seconds(90)), "a:firing");
}

TEST_F(WebhookOutboxTest, ANewerStateReplacesAnUndeliveredOne) {
  Add({}, {MakeAlert("A", "a")});
  EXPECT_EQ(Deliver(kWait, retry_), "a:firing");
  const std::string key = LastKey();
  Add(minutes(1), {MakeAlert("A", "a", true)});
  EXPECT_EQ(Deliver(minutes(2)), "a:resolved") << "told once, as over";
  EXPECT_NE(LastKey(), key);
  EXPECT_THAT(last_.body, HasSubstr("\"startsAt\":\"2026-11-20T10:00:00Z\",\"endsAt\":"
                                    "\"2026-11-20T10:01:00Z\""));
  EXPECT_EQ(Deliver(minutes(3)), "");
}

TEST_F(WebhookOutboxTest, KeepsAStateThatChangesWhileItIsUnderWay) {
  Add({}, {MakeAlert("A", "a")});
  ASSERT_TRUE(outbox_.Take(At(kWait)));
  Add(kWait + seconds(1), {MakeAlert("A", "a", true)});
  outbox_.Report({}, At(kWait + seconds(2)));
  EXPECT_EQ(Deliver(kWait + seconds(2)), "a:resolved");
}

TEST_F(WebhookOutboxTest, TellsAnAlertThatComesBackAnew) {
  Add({}, {MakeAlert("A", "a")});
  EXPECT_EQ(Deliver(kWait), "a:firing");
  Add(minutes(1), {MakeAlert("A", "a", true)});
  EXPECT_EQ(Deliver(minutes(2)), "a:resolved");
  Add(minutes(3), {MakeAlert("A", "a", false, kStart + minutes(3))});
  EXPECT_EQ(Deliver(minutes(4)), "a:firing");
}

TEST_F(WebhookOutboxTest, AFiringAlertThatNobodyRefreshesIsOver) {
  Alert alert = MakeAlert("A", "a");
  alert.ends_at = kStart + minutes(4);
  Add({}, {alert});
  EXPECT_EQ(Deliver(kWait), "a:firing");
  EXPECT_EQ(Due(), minutes(4));
  EXPECT_EQ(Deliver(minutes(4) - milliseconds(1)), "");
  EXPECT_EQ(Deliver(minutes(4)), "a:resolved");
}

TEST_F(WebhookOutboxTest, DoesNotHammerAReceiverThatRejects) {
  Add({}, {MakeAlert("A", "a")});
  EXPECT_EQ(Deliver(kWait, rejected_), "a:firing");
  EXPECT_EQ(Deliver(kWait + minutes(5) - milliseconds(1)), "");
  EXPECT_EQ(Deliver(kWait + minutes(5)), "a:firing") << "someone may have repaired it";
}

TEST_F(WebhookOutboxTest, NewsIsTriedSoonAfterARejection) {
  Add({}, {MakeAlert("A", "a")});
  EXPECT_EQ(Deliver(kWait, rejected_), "a:firing");
  Add(minutes(1), {MakeAlert("A", "b")});
  EXPECT_EQ(Deliver(minutes(1) + kWait), "a:firing b:firing");
}

TEST_F(WebhookOutboxTest, GivesUpAResolutionAfterADay) {
  Add({}, {MakeAlert("A", "a", true)});
  EXPECT_EQ(Deliver(kWait, retry_), "a:resolved");
  EXPECT_EQ(Deliver(std::chrono::hours(24) - minutes(1), retry_), "a:resolved");
  EXPECT_EQ(Deliver(std::chrono::hours(24) + minutes(2)), "");
  EXPECT_EQ(outbox_.dropped(), 1U);
  EXPECT_FALSE(Due());
}

TEST_F(WebhookOutboxTest, ForgetsWhatIsOverAndTold) {
  Add({}, {MakeAlert("A", "a")});
  EXPECT_EQ(Deliver(kWait), "a:firing");
  Add(minutes(1), {MakeAlert("A", "a", true)});
  EXPECT_EQ(Deliver(minutes(2)), "a:resolved");
  EXPECT_EQ(Deliver(minutes(30)), "");
  EXPECT_FALSE(Due());
}

TEST_F(WebhookOutboxTest, LeavesResolutionsOutWhenTold) {
  WebhookOutbox outbox({.receiver = "hook", .send_resolved = false}, [] { return 1.0; });
  outbox.Add({MakeAlert("A", "a")}, At({}));
  ASSERT_TRUE(outbox.Take(At(kWait)));
  outbox.Report({}, At(kWait));
  outbox.Add({MakeAlert("A", "a", true)}, At(minutes(1)));
  EXPECT_FALSE(outbox.Take(At(minutes(2))));
  EXPECT_EQ(outbox.undelivered(), 0U);
}

TEST_F(WebhookOutboxTest, SplitsLargeGroups) {
  std::vector<Alert> alerts;
  for (size_t i = 0; i < kMaxAlertsPerBody + 7; ++i) {
    alerts.push_back(MakeAlert("A", std::to_string(i)));
  }
  Add({}, alerts);
  const auto first = outbox_.Take(At(kWait));
  ASSERT_TRUE(first);
  EXPECT_EQ(first->alerts, kMaxAlertsPerBody);
  EXPECT_THAT(first->body, HasSubstr("\"truncatedAlerts\":7,"));
  outbox_.Report({}, At(kWait));
  const auto second = outbox_.Take(At(kWait));
  ASSERT_TRUE(second) << "the rest follows at once";
  EXPECT_EQ(second->alerts, 7U);
  outbox_.Report({}, At(kWait));
  EXPECT_FALSE(outbox_.Take(At(kWait)));
}

TEST_F(WebhookOutboxTest, HasRoomForALimitedNumber) {
  std::vector<Alert> alerts;
  for (size_t i = 0; i < kMaxOutboxAlerts; ++i) {
    alerts.push_back(MakeAlert("A", std::to_string(i)));
  }
  Add({}, {MakeAlert("Old", "old")});
  Add(seconds(1), alerts);
  EXPECT_EQ(outbox_.dropped(), 1U) << "the oldest";
  EXPECT_EQ(outbox_.undelivered(), kMaxOutboxAlerts);
  EXPECT_THAT(outbox_.Take(At(minutes(1)))->body, Not(HasSubstr("\"old\"")));
}

TEST_F(WebhookOutboxTest, HurriesBeforeAStop) {
  Add({}, {MakeAlert("A", "a")});
  outbox_.Hurry(At({}));
  EXPECT_EQ(Deliver({}), "a:firing");
}

}  // namespace
}  // namespace notify
