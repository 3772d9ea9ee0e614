// The notifier against a real HTTP server, through its failures.
#include "agent/notify/notifier.h"

#include <cstdlib>
#include <deque>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "agent/notify/letter_queue.h"
#include "lib/base/mutex.h"
#include "lib/http/server.h"

namespace notify {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr seconds kPatience{60};

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
  struct Hook {
    std::string name;
    std::string url;
    milliseconds timeout = seconds(10);
  };

  NotifierConfig Config(const std::vector<Hook>& hooks) {
    auto routing = std::make_shared<Routing>();
    for (const Hook& hook : hooks) {
      WebhookConfig webhook;
      webhook.url.text = base::Secret(hook.url);
      webhook.timeout = hook.timeout;
      webhook.signing_key.text = base::Secret("key");
      routing->receivers.push_back(
          {.name = hook.name, .integrations = {{.http = {}, .config = webhook}}});
      Route route{.receiver = hook.name, .matchers = {}, .group_by = {"alertname"}};
      route.group_wait = seconds(2);
      route.group_interval = seconds(5);
      AssignRouteKeys(&route);
      routing->routes.push_back(route);
    }
    return {.routing = routing, .alertmanagers = {}, .external_url = "http://agent"};
  }
  std::unique_ptr<Notifier> Make(NotifierConfig config, const state::StateFile* file = nullptr) {
    auto notifier = Notifier::Make(std::move(config), file, clock_, logger_);
    EXPECT_TRUE(notifier.ok()) << (notifier.ok() ? "" : notifier.error().message());
    return *std::move(notifier);
  }
  std::unique_ptr<Notifier> Make(const std::vector<Hook>& hooks) { return Make(Config(hooks)); }
  static Hook Webhook(const std::string& url, milliseconds timeout = seconds(10)) {
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
  bool PassTimeUntil(const std::function<bool()>& done, milliseconds step = milliseconds(100)) {
    const auto deadline = std::chrono::steady_clock::now() + kPatience;
    const base::StopSignal never;
    while (!done()) {
      if (std::chrono::steady_clock::now() > deadline) {
        return false;
      }
      clock_.Advance(step);
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

TEST_F(NotifierTest, PostsASignedBody) {
  FakeReceiver receiver;
  const auto notifier = Make(std::vector<Hook>{Webhook(receiver.url())});
  notifier->Notify({MakeAlert()});
  ASSERT_TRUE(PassTimeUntilRequests(receiver, 1));
  const http::Request request = receiver.requests()[0];
  EXPECT_EQ(request.method, "POST");
  EXPECT_EQ(request.path, "/hook");
  EXPECT_EQ(request.Header("Content-Type"), "application/json");
  EXPECT_TRUE(request.Header("Idempotency-Key"));
  EXPECT_THAT(request.body, HasSubstr(R"("labels":{"alertname":"A","instance":"db1"})"));
  EXPECT_EQ(request.Header("X-Tarsier-Signature"), "sha256=" + HmacSha256Hex("key", request.body));
}

TEST_F(NotifierTest, RetriesAfter500And429UntilDelivered) {
  FakeReceiver receiver;
  receiver.Script(
      {{.status = 500}, {.status = 429, .headers = {{"Retry-After", "30"}}}, {.status = 503}});
  const auto notifier = Make(std::vector<Hook>{Webhook(receiver.url())});
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
  const auto notifier =
      Make(std::vector<Hook>{Webhook("http://127.0.0.1:" + std::to_string(port) + "/hook")});
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
  const auto notifier = Make(std::vector<Hook>{Webhook(receiver.url(), milliseconds(200))});
  notifier->Notify({MakeAlert()});
  ASSERT_TRUE(PassTimeUntil([&] { return Metric(*notifier, "failed_total") >= 1; }));
  receiver.ReleaseHung();
  ASSERT_TRUE(PassTimeUntil([&] { return Metric(*notifier, "alerts_total") >= 1; }));
}

TEST_F(NotifierTest, TellsEveryTransitionInOrderAlsoWhenTheReceiverWasDown) {
  FakeReceiver receiver;
  receiver.Script({{.status = 502}, {.status = 502}});
  const auto notifier = Make(std::vector<Hook>{Webhook(receiver.url())});
  notifier->Notify({MakeAlert()});
  ASSERT_TRUE(PassTimeUntilRequests(receiver, 1));
  notifier->Notify({MakeAlert(true)});
  ASSERT_TRUE(PassTimeUntil([&] { return Metric(*notifier, "alerts_total") == 2; }));
  EXPECT_THAT(receiver.requests()[2].body, HasSubstr("\"status\":\"firing\""));
  EXPECT_THAT(receiver.requests().back().body, HasSubstr("\"status\":\"resolved\""));
}

TEST_F(NotifierTest, AHangingReceiverDelaysNoOther) {
  FakeReceiver hanging;
  hanging.Hang();
  FakeReceiver fine;
  Hook first = Webhook(hanging.url());
  first.name = "hanging";
  const auto notifier = Make(std::vector<Hook>{first, Webhook(fine.url())});
  notifier->Notify({MakeAlert()});
  EXPECT_TRUE(PassTimeUntilRequests(fine, 1));
  EXPECT_TRUE(PassTimeUntilRequests(hanging, 1));
  hanging.ReleaseHung();
}

TEST_F(NotifierTest, ForwardsToAlertmanagers) {
  FakeReceiver receiver;
  NotifierConfig config = Config({});
  config.alertmanagers = {
      {.name = "am",
       .url = "http://127.0.0.1:" + std::to_string(receiver.port()) + "/prefix/",
       .http = {}}};
  const auto notifier = Make(config);
  notifier->Notify({MakeAlert()});
  ASSERT_TRUE(receiver.WaitFor(1)) << "without any wait";
  EXPECT_EQ(receiver.requests()[0].path, "/prefix/api/v2/alerts");
  notifier->Notify({MakeAlert()});
  EXPECT_TRUE(receiver.WaitFor(2)) << "every notification is passed on";
}

TEST_F(NotifierTest, StopDeliversWhatWaits) {
  FakeReceiver receiver;
  const auto notifier = Make(std::vector<Hook>{Webhook(receiver.url())});
  notifier->Notify({MakeAlert()});
  notifier->Stop(seconds(5));
  EXPECT_EQ(receiver.requests().size(), 1U) << "without waiting for the group";
  notifier->Notify({MakeAlert(true)});
  EXPECT_EQ(receiver.requests().size(), 1U) << "nothing is taken after it";
}

TEST_F(NotifierTest, StopEndsAlthoughTheReceiverHangs) {
  FakeReceiver receiver;
  receiver.Hang();
  const auto notifier = Make(std::vector<Hook>{Webhook(receiver.url(), milliseconds(300))});
  notifier->Notify({MakeAlert()});
  notifier->Stop(milliseconds(0));
  receiver.ReleaseHung();
  EXPECT_LE(receiver.requests().size(), 1U);
}

TEST_F(NotifierTest, LogsAnOutageOnceAndNoSecret) {
  FakeReceiver receiver;
  receiver.Script({{.status = 500}, {.status = 500}, {.status = 500}});
  const auto notifier = Make(std::vector<Hook>{Webhook(receiver.url() + "?token=s3cret")});
  notifier->Notify({MakeAlert()});
  ASSERT_TRUE(PassTimeUntil([&] { return Metric(*notifier, "alerts_total") == 1; }));
  notifier->Stop(milliseconds(0));
  base::MutexLock lock(log_mutex_);
  EXPECT_EQ(log_.find("could not be delivered"), log_.rfind("could not be delivered"));
  EXPECT_THAT(log_, HasSubstr("HTTP status 500"));
  EXPECT_THAT(log_, HasSubstr("delivered again"));
  EXPECT_THAT(log_, Not(HasSubstr("s3cret")));
}

TEST_F(NotifierTest, RefusesBadTargetsAndTemplates) {
  const auto check = [&](NotifierConfig config, const std::string& want) {
    const auto notifier = Notifier::Make(std::move(config), nullptr, clock_, logger_);
    ASSERT_FALSE(notifier.ok());
    EXPECT_THAT(notifier.error().message(), HasSubstr(want));
  };
  NotifierConfig config = Config({});
  config.alertmanagers = {{.name = "am", .url = "ftp://x", .http = {}}};
  check(config, "http://HOST");
  config.alertmanagers = {{.name = "am", .url = "http://x", .http = {}},
                          {.name = "am", .url = "http://y", .http = {}}};
  check(config, "twice");
  auto routing = std::make_shared<Routing>();
  SlackConfig slack;
  slack.api_url.text = base::Secret("http://x");
  slack.title = "{{ nope }}";
  routing->receivers.push_back({.name = "r", .integrations = {{.http = {}, .config = slack}}});
  check({.routing = routing, .alertmanagers = {}, .external_url = ""}, "\"nope\" not defined");
}

TEST_F(NotifierTest, RejectedNotificationsBecomeDeadLettersThatCanBeRetried) {
  FakeReceiver receiver;
  receiver.Script({{.status = 400}, {.status = 400}, {.status = 400, .body = "no such chat"}});
  const auto notifier = Make(std::vector<Hook>{Webhook(receiver.url())});
  notifier->Notify({MakeAlert()});
  ASSERT_TRUE(PassTimeUntil([&] { return !notifier->DeadLetters().empty(); }, seconds(5)));
  const Letter letter = notifier->DeadLetters()[0];
  EXPECT_EQ(letter.attempts, kMaxRejections);
  EXPECT_THAT(letter.reason, HasSubstr("no such chat"));
  EXPECT_FALSE(notifier->RetryLetter("unknown").ok());
  ASSERT_TRUE(notifier->RetryLetter(letter.notification->key).ok());
  EXPECT_TRUE(notifier->DeadLetters().empty());
  ASSERT_TRUE(receiver.WaitFor(4));
  EXPECT_EQ(receiver.requests()[3].Header("Idempotency-Key"), letter.notification->key);
}

TEST_F(NotifierTest, WhatWaitedForAReceiverThatIsGoneIsADeadLetter) {
  FakeReceiver receiver;
  receiver.Script({{.status = 500}});
  const auto notifier = Make(std::vector<Hook>{Webhook(receiver.url())});
  notifier->Notify({MakeAlert()});
  ASSERT_TRUE(PassTimeUntil([&] { return Metric(*notifier, "failed_total") >= 1; }));
  Hook other = Webhook(receiver.url());
  other.name = "other";
  ASSERT_TRUE(notifier->Configure(Config({other})).ok());
  ASSERT_EQ(notifier->DeadLetters().size(), 1U);
  EXPECT_TRUE(notifier->DiscardLetter(notifier->DeadLetters()[0].notification->key).ok());
  EXPECT_TRUE(notifier->DeadLetters().empty());
}

class DurableNotifierTest : public NotifierTest {
 protected:
  DurableNotifierTest() {
    auto file = state::StateFile::Open(directory_, clock_, logger_);
    EXPECT_TRUE(file.ok());
    file_.emplace(*std::move(file));
  }
  ~DurableNotifierTest() override {
    file_.reset();
    std::filesystem::remove_all(directory_);
  }

  std::string directory_ = [] {
    std::string pattern = testing::TempDir() + "/notifier-XXXXXX";
    return std::string(mkdtemp(pattern.data()));
  }();
  std::optional<state::StateFile> file_;
};

TEST_F(DurableNotifierTest, ARestartDeliversWhatWaitedUnderItsKeyAndRepeatsNothing) {
  FakeReceiver receiver;
  receiver.Script({{.status = 500}});
  auto notifier = Make(Config({Webhook(receiver.url())}), &*file_);
  notifier->Notify({MakeAlert()});
  ASSERT_TRUE(PassTimeUntil([&] { return Metric(*notifier, "failed_total") >= 1; }));
  notifier.reset();
  notifier = Make(Config({Webhook(receiver.url())}), &*file_);
  ASSERT_TRUE(PassTimeUntil([&] { return Metric(*notifier, "alerts_total") == 1; }));
  EXPECT_EQ(receiver.requests()[1].Header("Idempotency-Key"),
            receiver.requests()[0].Header("Idempotency-Key"));
  EXPECT_EQ(receiver.requests()[1].body, receiver.requests()[0].body);
  notifier.reset();
  notifier = Make(Config({Webhook(receiver.url())}), &*file_);
  EXPECT_EQ(notifier->Alerts().size(), 1U) << "the alert is still known";
  notifier->Notify({MakeAlert(true)});
  ASSERT_TRUE(PassTimeUntil([&] { return Metric(*notifier, "alerts_total") == 1; }));
  const auto requests = receiver.requests();
  ASSERT_EQ(requests.size(), 3U) << "the firing state was not told again";
  EXPECT_THAT(requests[2].body, HasSubstr("\"status\":\"resolved\""));
  ASSERT_TRUE(PassTimeUntil([&] { return notifier->Alerts().empty(); }));
}

TEST_F(DurableNotifierTest, ARestartKeepsSilencesAndDeadLetters) {
  FakeReceiver receiver;
  receiver.Script({{.status = 400}, {.status = 400}, {.status = 400}});
  auto notifier = Make(Config({Webhook(receiver.url())}), &*file_);
  Silence silence;
  silence.matchers = *ParseMatchers("alertname=B");
  silence.starts_at = clock_.Now();
  silence.ends_at = clock_.Now() + std::chrono::hours(1);
  const auto set = notifier->SetSilence(silence);
  ASSERT_TRUE(set.ok());
  notifier->Notify({MakeAlert()});
  ASSERT_TRUE(PassTimeUntil([&] { return !notifier->DeadLetters().empty(); }, seconds(5)));
  notifier.reset();
  notifier = Make(Config({Webhook(receiver.url())}), &*file_);
  EXPECT_EQ(notifier->DeadLetters().size(), 1U);
  ASSERT_EQ(notifier->Silences().size(), 1U);
  EXPECT_EQ(notifier->Silences()[0].id, set->id);
  EXPECT_TRUE(notifier->ExpireSilence(set->id).ok());
}

}  // namespace
}  // namespace notify
