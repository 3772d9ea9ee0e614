#include "agent/notify/alertmanager.h"

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace notify {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::HasSubstr;
using ::testing::Not;

const base::WallTime kStart{seconds(1'795'168'800)};  // 2026-11-20T10:00:00Z

Alert MakeAlert(const std::string& instance, bool resolved = false) {
  return {.labels = model::Labels{{"alertname", "A"}, {"instance", instance}},
          .annotations = model::Labels{{"summary", "s"}},
          .starts_at = kStart,
          .ends_at = kStart + seconds(240),
          .generator_url = "http://agent/graph",
          .resolved = resolved};
}

Moment At(milliseconds time) {
  return {.wall = kStart + time, .monotonic = base::MonotonicTime(std::chrono::hours(1)) + time};
}

class AlertmanagerOutboxTest : public ::testing::Test {
 protected:
  AlertmanagerOutbox outbox_{[] { return 1.0; }};
};

TEST(AlertmanagerBody, IsAnArrayOfPostableAlerts) {
  const Alert alert = MakeAlert("a");
  const Alert* const alerts[] = {&alert};
  EXPECT_EQ(AlertmanagerBody(alerts),
            R"([{"labels":{"alertname":"A","instance":"a"},"annotations":{"summary":"s"},)"
            R"("startsAt":"2026-11-20T10:00:00Z","endsAt":"2026-11-20T10:04:00Z",)"
            R"("generatorURL":"http://agent/graph"}])");
}

TEST_F(AlertmanagerOutboxTest, SendsAtOnceAndOnce) {
  outbox_.Add({MakeAlert("a")}, At({}));
  const auto delivery = outbox_.Take(At({}));
  ASSERT_TRUE(delivery);
  outbox_.Report({}, At({}));
  EXPECT_FALSE(outbox_.Take(At({})));
  EXPECT_FALSE(outbox_.Due());
}

TEST_F(AlertmanagerOutboxTest, RetriesWhatFailedWithTheNewestState) {
  outbox_.Add({MakeAlert("a"), MakeAlert("b")}, At({}));
  ASSERT_TRUE(outbox_.Take(At({})));
  outbox_.Report({.kind = Verdict::Kind::kRetry}, At({}));
  EXPECT_FALSE(outbox_.Take(At(milliseconds(999))));
  Alert newer = MakeAlert("a");
  newer.annotations = model::Labels{{"summary", "newer"}};
  outbox_.Add({newer}, At(milliseconds(500)));
  EXPECT_EQ(outbox_.undelivered(), 2U);
  const auto delivery = outbox_.Take(At(seconds(1)));
  ASSERT_TRUE(delivery);
  EXPECT_EQ(delivery->alerts, 2U);
  EXPECT_THAT(delivery->body, HasSubstr("newer"));
  outbox_.Report({}, At(seconds(1)));
  EXPECT_EQ(outbox_.undelivered(), 0U);
}

TEST_F(AlertmanagerOutboxTest, KeepsWhatChangesWhileItIsUnderWay) {
  outbox_.Add({MakeAlert("a")}, At({}));
  ASSERT_TRUE(outbox_.Take(At({})));
  outbox_.Add({MakeAlert("a", true)}, At({}));
  outbox_.Report({}, At({}));
  EXPECT_EQ(outbox_.undelivered(), 1U);
}

TEST_F(AlertmanagerOutboxTest, DropsWhatIsRejected) {
  outbox_.Add({MakeAlert("a")}, At({}));
  ASSERT_TRUE(outbox_.Take(At({})));
  outbox_.Report({.kind = Verdict::Kind::kRejected}, At({}));
  EXPECT_EQ(outbox_.undelivered(), 0U);
  EXPECT_EQ(outbox_.dropped(), 1U);
}

TEST_F(AlertmanagerOutboxTest, SendsInBatches) {
  std::vector<Alert> alerts;
  for (size_t i = 0; i < kMaxAlertsPerPost + 1; ++i) {
    alerts.push_back(MakeAlert(std::to_string(i)));
  }
  outbox_.Add(alerts, At({}));
  EXPECT_EQ(outbox_.Take(At({}))->alerts, kMaxAlertsPerPost);
  outbox_.Report({}, At({}));
  EXPECT_EQ(outbox_.Take(At({}))->alerts, 1U);
}

TEST_F(AlertmanagerOutboxTest, DropsTheOldestBeyondTheLimit) {
  std::vector<Alert> alerts;
  for (size_t i = 0; i < kMaxOutboxAlerts + 3; ++i) {
    alerts.push_back(MakeAlert("i" + std::to_string(i) + "."));
  }
  outbox_.Add(alerts, At({}));
  EXPECT_EQ(outbox_.undelivered(), kMaxOutboxAlerts);
  EXPECT_EQ(outbox_.dropped(), 3U);
  const auto delivery = outbox_.Take(At({}));
  EXPECT_THAT(delivery->body, Not(HasSubstr("\"i2.\"")));
  EXPECT_THAT(delivery->body, HasSubstr("\"i3.\""));
}

}  // namespace
}  // namespace notify
