// The notifier against a real HTTP server, through its failures.
#include "agent/notify/notifier.h"

#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "agent/notify/courier.h"
#include "lib/base/mutex.h"
#include "lib/http/server.h"

namespace notify {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr seconds kPatience{20};

// Answers what it is told to, 200 otherwise, and keeps what it got.
class FakeReceiver {
 public:
  explicit FakeReceiver(int port = 0) {
    auto server = http::Server::Start(
        {.listen_addresses = {"127.0.0.1:" + std::to_string(port)}},
        [this](const http::Request& request) { return Handle(request); }, logger_);
    EXPECT_TRUE(server.ok()) << (server.ok() ? "" : server.error().message());
    server_ = *std::move(server);
  }
  ~FakeReceiver() {
    ReleaseHung();
    server_.reset();
  }

  void Script(std::vector<http::Response> answers) {
    base::MutexLock lock(mutex_);
    answers_.assign(answers.begin(), answers.end());
  }

  void Hang() {
    base::MutexLock lock(mutex_);
    hang_ = true;
  }
  void ReleaseHung() {
    base::MutexLock lock(mutex_);
    hang_ = false;
    changed_.NotifyAll();
  }

  bool WaitFor(size_t requests) {
    const auto deadline = std::chrono::steady_clock::now() + kPatience;
    base::MutexLock lock(mutex_);
    while (requests_.size() < requests) {
      if (!changed_.WaitUntil(mutex_, deadline) && requests_.size() < requests) {
        return false;
      }
    }
    return true;
  }

  std::vector<http::Request> requests() const {
    base::MutexLock lock(mutex_);
    return requests_;
  }
  int port() const { return server_->ports()[0]; }
  std::string url() const { return "http://127.0.0.1:" + std::to_string(port()) + "/hook"; }

 private:
  http::Response Handle(const http::Request& request) {
    base::MutexLock lock(mutex_);
    requests_.push_back(request);
    changed_.NotifyAll();
    while (hang_) {
      changed_.Wait(mutex_);
    }
    if (answers_.empty()) {
      return {};
    }
    http::Response answer = answers_.front();
    answers_.pop_front();
    return answer;
  }

  base::Logger logger_{base::LogLevel::kError, base::LogFormat::kLogfmt, [](std::string_view) {}};
  mutable base::Mutex mutex_;
  base::CondVar changed_;
  std::vector<http::Request> requests_ GUARDED_BY(mutex_);
  std::deque<http::Response> answers_ GUARDED_BY(mutex_);
  bool hang_ GUARDED_BY(mutex_) = false;
  std::unique_ptr<http::Server> server_;
};

class NotifierTest : public ::testing::Test {
 protected:
  std::unique_ptr<Notifier> Make(std::vector<ReceiverConfig> receivers) {
    auto notifier = Notifier::Make({.receivers = std::move(receivers),
                                    .external_labels = model::Labels{{"cluster", "c1"}},
                                    .external_url = "http://agent"},
                                   clock_, logger_);
    EXPECT_TRUE(notifier.ok());
    return *std::move(notifier);
  }
  static ReceiverConfig Webhook(const std::string& url, milliseconds timeout = seconds(10)) {
    return {.name = "hook", .url = url, .timeout = timeout};
  }

  Alert MakeAlert(bool resolved = false) const {
    return {.labels = model::Labels{{"alertname", "A"}, {"instance", "db1"}},
            .annotations = {},
            .starts_at = start_,
            .ends_at = start_ + std::chrono::hours(1),
            .generator_url = "",
            .resolved = resolved};
  }

  // Lets the fake time pass until `done`.
  bool PassTimeUntil(const std::function<bool()>& done) {
    const auto deadline = std::chrono::steady_clock::now() + kPatience;
    const base::StopSignal never;
    while (!done()) {
      if (std::chrono::steady_clock::now() > deadline) {
        return false;
      }
      clock_.Advance(milliseconds(100));
      never.WaitUntil(std::chrono::steady_clock::now() + milliseconds(2));
    }
    return true;
  }
  bool PassTimeUntilRequests(const FakeReceiver& receiver, size_t count) {
    return PassTimeUntil([&] { return receiver.requests().size() >= count; });
  }

  static double Metric(const Notifier& notifier, const std::string& name) {
    for (const model::MetricFamily& family : notifier.Metrics()) {
      if (family.desc->name == "tarsier_notifications_" + name && !family.metrics.empty()) {
        return family.metrics[0].histogram ? family.metrics[0].histogram->count
                                           : family.metrics[0].value;
      }
    }
    return -1;
  }

  base::FakeClock clock_;
  base::WallTime start_ = clock_.Now();
  base::Mutex log_mutex_;
  std::string log_;
  base::Logger logger_{base::LogLevel::kInfo, base::LogFormat::kLogfmt,
                       [this](std::string_view line) {
                         base::MutexLock lock(log_mutex_);
                         log_ += line;
                       }};
};

TEST_F(NotifierTest, PostsABodyWithExternalLabels) {
  FakeReceiver receiver;
  const auto notifier = Make({Webhook(receiver.url())});
  notifier->Notify({MakeAlert()});
  ASSERT_TRUE(PassTimeUntilRequests(receiver, 1));
  const http::Request request = receiver.requests()[0];
  EXPECT_EQ(request.method, "POST");
  EXPECT_EQ(request.path, "/hook");
  EXPECT_EQ(request.Header("Content-Type"), "application/json");
  EXPECT_TRUE(request.Header("Idempotency-Key"));
  EXPECT_THAT(request.body,
              HasSubstr(R"("labels":{"alertname":"A","cluster":"c1","instance":"db1"})"));
}

TEST_F(NotifierTest, RetriesAfter500And429UntilDelivered) {
  FakeReceiver receiver;
  receiver.Script(
      {{.status = 500}, {.status = 429, .headers = {{"Retry-After", "30"}}}, {.status = 503}});
  const auto notifier = Make({Webhook(receiver.url())});
  notifier->Notify({MakeAlert()});
  ASSERT_TRUE(PassTimeUntilRequests(receiver, 2));
  const base::MonotonicTime asked = clock_.Monotonic();
  ASSERT_TRUE(PassTimeUntilRequests(receiver, 3));
  EXPECT_GE(clock_.Monotonic() - asked, seconds(29)) << "Retry-After";
  ASSERT_TRUE(PassTimeUntilRequests(receiver, 4));
  ASSERT_TRUE(PassTimeUntil([&] { return Metric(*notifier, "alerts_total") == 1; }));
  EXPECT_EQ(Metric(*notifier, "total"), 4);
  EXPECT_EQ(Metric(*notifier, "failed_total"), 3);
  EXPECT_EQ(Metric(*notifier, "dropped_total"), 0);
  EXPECT_EQ(Metric(*notifier, "queue_length"), 0);
  EXPECT_EQ(Metric(*notifier, "latency_seconds"), 4);
  const std::vector<http::Request> requests = receiver.requests();
  for (const http::Request& request : requests) {
    EXPECT_EQ(request.body, requests[0].body);
    EXPECT_EQ(request.Header("Idempotency-Key"), requests[0].Header("Idempotency-Key"));
  }
}

TEST_F(NotifierTest, DeliversOnceARefusedPortAnswers) {
  int port = 0;
  {
    const FakeReceiver once;
    port = once.port();
  }
  const auto notifier = Make({Webhook("http://127.0.0.1:" + std::to_string(port) + "/hook")});
  notifier->Notify({MakeAlert()});
  ASSERT_TRUE(PassTimeUntil([&] { return Metric(*notifier, "failed_total") >= 2; }));
  EXPECT_EQ(Metric(*notifier, "queue_length"), 1);
  FakeReceiver receiver(port);
  ASSERT_TRUE(PassTimeUntilRequests(receiver, 1));
  EXPECT_THAT(receiver.requests()[0].body, HasSubstr("\"status\":\"firing\""));
}

TEST_F(NotifierTest, GivesUpOnAHangingRequestAndTriesAgain) {
  FakeReceiver receiver;
  receiver.Hang();
  const auto notifier = Make({Webhook(receiver.url(), milliseconds(200))});
  notifier->Notify({MakeAlert()});
  ASSERT_TRUE(PassTimeUntil([&] { return Metric(*notifier, "failed_total") >= 1; }));
  receiver.ReleaseHung();
  ASSERT_TRUE(PassTimeUntil([&] { return Metric(*notifier, "alerts_total") >= 1; }));
}

TEST_F(NotifierTest, TellsTheResolutionOfWhatFiredWhileTheReceiverWasDown) {
  FakeReceiver receiver;
  receiver.Script({{.status = 502}, {.status = 502}});
  const auto notifier = Make({Webhook(receiver.url())});
  notifier->Notify({MakeAlert()});
  ASSERT_TRUE(PassTimeUntilRequests(receiver, 1));
  notifier->Notify({MakeAlert(true)});
  ASSERT_TRUE(PassTimeUntil([&] { return Metric(*notifier, "alerts_total") == 1; }));
  EXPECT_THAT(receiver.requests().back().body, HasSubstr("\"status\":\"resolved\""));
}

TEST_F(NotifierTest, AHangingReceiverDelaysNoOther) {
  FakeReceiver hanging;
  hanging.Hang();
  FakeReceiver fine;
  ReceiverConfig first = Webhook(hanging.url());
  first.name = "hanging";
  const auto notifier = Make({first, Webhook(fine.url())});
  notifier->Notify({MakeAlert()});
  EXPECT_TRUE(PassTimeUntilRequests(fine, 1));
  EXPECT_TRUE(PassTimeUntilRequests(hanging, 1));
  hanging.ReleaseHung();
}

TEST_F(NotifierTest, ForwardsToAlertmanagers) {
  FakeReceiver receiver;
  const auto notifier =
      Make({{.kind = ReceiverKind::kAlertmanager,
             .name = "am",
             .url = "http://127.0.0.1:" + std::to_string(receiver.port()) + "/prefix/"}});
  notifier->Notify({MakeAlert()});
  ASSERT_TRUE(receiver.WaitFor(1)) << "without any wait";
  EXPECT_EQ(receiver.requests()[0].path, "/prefix/api/v2/alerts");
  EXPECT_THAT(receiver.requests()[0].body, HasSubstr("\"cluster\":\"c1\""));
  notifier->Notify({MakeAlert()});
  EXPECT_TRUE(receiver.WaitFor(2)) << "every notification is passed on";
}

TEST_F(NotifierTest, StopDeliversWhatWaits) {
  FakeReceiver receiver;
  const auto notifier = Make({Webhook(receiver.url())});
  notifier->Notify({MakeAlert()});
  notifier->Stop(seconds(5));
  EXPECT_EQ(receiver.requests().size(), 1U) << "without waiting for the group";
  notifier->Notify({MakeAlert(true)});
  EXPECT_EQ(receiver.requests().size(), 1U) << "nothing is taken after it";
}

TEST_F(NotifierTest, StopEndsAlthoughTheReceiverHangs) {
  FakeReceiver receiver;
  receiver.Hang();
  const auto notifier = Make({Webhook(receiver.url(), milliseconds(300))});
  notifier->Notify({MakeAlert()});
  notifier->Stop(milliseconds(0));
  receiver.ReleaseHung();
  EXPECT_LE(receiver.requests().size(), 1U);
}

TEST_F(NotifierTest, LogsAnOutageOnceAndNoSecret) {
  FakeReceiver receiver;
  receiver.Script({{.status = 500}, {.status = 500}, {.status = 500}});
  const auto notifier = Make({Webhook(receiver.url() + "?token=s3cret")});
  notifier->Notify({MakeAlert()});
  ASSERT_TRUE(PassTimeUntil([&] { return Metric(*notifier, "alerts_total") == 1; }));
  notifier->Stop(milliseconds(0));
  base::MutexLock lock(log_mutex_);
  EXPECT_EQ(log_.find("could not be delivered"), log_.rfind("could not be delivered"));
  EXPECT_THAT(log_, HasSubstr("HTTP status 500"));
  EXPECT_THAT(log_, HasSubstr("delivered again"));
  EXPECT_THAT(log_, Not(HasSubstr("s3cret")));
}

TEST_F(NotifierTest, RefusesBadReceivers) {
  const auto check = [&](std::vector<ReceiverConfig> receivers, const std::string& want) {
    const auto notifier = Notifier::Make({.receivers = std::move(receivers)}, clock_, logger_);
    ASSERT_FALSE(notifier.ok());
    EXPECT_THAT(notifier.error().message(), HasSubstr(want));
  };
  check({Webhook("not a url")}, "receiver \"hook\"");
  check({Webhook("ftp://host/")}, "must be http://HOST");
  check({Webhook("http://a/"), Webhook("http://b/")}, "configured twice");
}

}  // namespace
}  // namespace notify
