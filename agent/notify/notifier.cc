#include "agent/notify/notifier.h"

#include <algorithm>
#include <atomic>
#include <map>
#include <optional>
#include <random>
#include <set>
#include <thread>
#include <utility>

#include <fmt/format.h>

#include "agent/notify/alertmanager.h"
#include "agent/notify/courier.h"
#include "agent/notify/letter_queue.h"
#include "agent/notify/message_templates.h"
#include "agent/notify/receivers.h"
#include "lib/base/url.h"

namespace notify {
namespace {

using model::MetricType;

constexpr std::chrono::minutes kMaintenance{15};
constexpr size_t kMaxResponseBytes = 1 << 20;

struct CounterMetric {
  model::MetricDesc desc;
  double (*read)(const CourierCounters& counters);
};

constexpr model::LabelNames kLabels = {"receiver"};
constexpr CounterMetric kMetrics[] = {
    {{.name = "tarsier_notifications_total",
      .help = "Deliveries of alerts that were tried.",
      .type = MetricType::kCounter,
      .labels = kLabels},
     [](const CourierCounters& counters) { return static_cast<double>(counters.notifications); }},
    {{.name = "tarsier_notifications_failed_total",
      .help = "Deliveries of alerts that failed; those that may pass are tried again.",
      .type = MetricType::kCounter,
      .labels = kLabels},
     [](const CourierCounters& counters) { return static_cast<double>(counters.failed); }},
    {{.name = "tarsier_notifications_alerts_total",
      .help = "Alert states that were delivered.",
      .type = MetricType::kCounter,
      .labels = kLabels},
     [](const CourierCounters& counters) { return static_cast<double>(counters.alerts); }},
    {{.name = "tarsier_notifications_dropped_total",
      .help = "Alert states that will never be delivered.",
      .type = MetricType::kCounter,
      .labels = kLabels},
     [](const CourierCounters& counters) { return static_cast<double>(counters.dropped); }},
    {{.name = "tarsier_notifications_queue_length",
      .help = "Alert states that wait to be delivered.",
      .labels = kLabels},
     [](const CourierCounters& counters) { return static_cast<double>(counters.queue_length); }},
};

constexpr model::MetricDesc kAlerts = {.name = "tarsier_notifications_alerts",
                                       .help =
                                           "Alerts that are known, resolved ones that are "
                                           "still to be told included."};
constexpr model::MetricDesc kRefused = {
    .name = "tarsier_notifications_alerts_refused_total",
    .help = "Alerts that were refused because too many are known.",
    .type = MetricType::kCounter};
constexpr model::MetricDesc kDead = {
    .name = "tarsier_notifications_dead_letters",
    .help = "Notifications that were given up and wait for someone to retry them.",
    .labels = kLabels};
constexpr model::MetricDesc kDiskErrors = {
    .name = "tarsier_notifications_disk_errors_total",
    .help = "Writes to the state file that failed; notifications go on without.",
    .type = MetricType::kCounter};
constexpr model::MetricDesc kQueueCapacity = {
    .name = "tarsier_notifications_queue_capacity",
    .help = "Alerts that can be held for the receiver; beyond it old ones make room.",
    .labels = kLabels};
constexpr model::MetricDesc kLatency = {.name = "tarsier_notifications_latency_seconds",
                                        .help = "Time that deliveries took, failed ones included.",
                                        .type = MetricType::kHistogram,
                                        .labels = kLabels};

std::unique_ptr<model::Histogram> LatencyHistogram(const CourierCounters& counters) {
  auto histogram = std::make_unique<model::Histogram>();
  uint64_t cumulative = 0;
  for (size_t i = 0; i < kLatencyBuckets.size(); ++i) {
    cumulative += counters.latency_buckets[i];
    histogram->buckets.push_back(
        {.upper_bound = kLatencyBuckets[i], .cumulative_count = static_cast<double>(cumulative)});
  }
  histogram->count = static_cast<double>(cumulative + counters.latency_buckets.back());
  histogram->sum = counters.latency_sum_seconds;
  return histogram;
}

// Of its own for each receiver: couriers run on different threads.
RandomFunc NewRandom() {
  return [engine = std::mt19937_64(std::random_device{}()),
          uniform = std::uniform_real_distribution<double>(0, 1)]() mutable {
    return uniform(engine);
  };
}

base::Result<void> CheckTargets(const std::vector<AlertmanagerTarget>& targets) {
  std::set<std::string> names;
  for (const AlertmanagerTarget& target : targets) {
    const auto url = base::ParseUrl(target.url);
    if (!url.ok() || (url->scheme != "http" && url->scheme != "https") || url->host.empty()) {
      return base::Error(
          fmt::format("\"{}\": the URL must be http://HOST… or https://HOST…", target.name),
          base::ErrorKind::kInvalidArgument);
    }
    if (!names.insert(target.name).second) {
      return base::Error(fmt::format("\"{}\" is configured twice", target.name),
                         base::ErrorKind::kInvalidArgument);
    }
  }
  return {};
}

base::Result<MessageTemplates> LoadTemplates(const Routing& routing) {
  ASSIGN_OR_RETURN(MessageTemplates templates, MessageTemplates::Load(routing.template_patterns));
  for (const Receiver& receiver : routing.receivers) {
    for (const Integration& integration : receiver.integrations) {
      if (const auto checked = CheckTemplates(integration, templates); !checked.ok()) {
        return checked.error().WithContext(fmt::format("receiver \"{}\"", receiver.name));
      }
    }
  }
  return templates;
}

}  // namespace

base::Result<void> CheckRouting(const Routing& routing) {
  const auto templates = LoadTemplates(routing);
  return templates.ok() ? base::Result<void>() : templates.error();
}

// Order of locks: write_mutex_, mutex_, a courier's, dead_mutex_, the ledger's. write_mutex_ is
// held across writes to disk, so that they happen in the order of what they say.
class Notifier::Impl {
 public:
  Impl(NotifierConfig config, MessageTemplates templates, std::unique_ptr<Ledger> ledger,
       const base::Clock& clock, const base::Logger& logger)
      : clock_(clock), logger_(logger), ledger_(std::move(ledger)) {
    setup_ = MakeSetup(std::move(config), std::move(templates));
    dispatcher_ = std::make_unique<Dispatcher>(
        setup_->config.routing, silences_,
        [this](const std::string& integration, const std::string& group_key) {
          return IsWaiting(integration, group_key);
        });
  }

  ~Impl() { Stop(std::chrono::milliseconds(0)); }

  base::Result<void> Start() {
    ASSIGN_OR_RETURN(Ledger::Contents contents, ledger_->Load());
    if (contents.damaged > 0) {
      logger_.Warn("state of notifications that could not be read was left out",
                   {{"rows", std::to_string(contents.damaged)}});
    }
    const Moment now = Now();
    const base::MutexLock lock(mutex_);
    for (Silence& silence : contents.silences) {
      silences_.Restore(std::move(silence));
    }
    for (LogEntry& entry : contents.log) {
      dispatcher_->RestoreLog(std::move(entry));
    }
    StartCouriers();
    Forward(contents.alerts);
    for (Alert& alert : contents.alerts) {
      dispatcher_->RestoreAlert(std::move(alert), now);
    }
    {
      const base::MutexLock dead_lock(dead_mutex_);
      for (Letter& letter : contents.dead) {
        dead_[letter.notification->key] = std::move(letter);
      }
    }
    for (Letter& letter : contents.waiting) {
      Enqueue(std::move(letter));
    }
    thread_ = std::thread([this] { Work(); });
    return {};
  }

  base::Result<void> Configure(NotifierConfig config) {
    RETURN_IF_ERROR(CheckTargets(config.alertmanagers));
    ASSIGN_OR_RETURN(MessageTemplates templates, LoadTemplates(*config.routing));
    auto setup = MakeSetup(std::move(config), std::move(templates));
    const base::MutexLock configuring(write_mutex_);
    std::map<std::string, std::unique_ptr<Courier>> old;
    {
      const base::MutexLock lock(mutex_);
      old.swap(couriers_);
    }
    for (const auto& [name, courier] : old) {
      courier->RequestStop(std::chrono::milliseconds(0));
    }
    std::vector<Letter> letters;
    for (const auto& [name, courier] : old) {
      courier->Join();
      courier->Look([&letters](const Outbox& outbox) {
        if (const auto* queue = dynamic_cast<const LetterQueue*>(&outbox)) {
          const std::vector<Letter> more = queue->Letters();
          letters.insert(letters.end(), more.begin(), more.end());
        }
      });
    }
    const base::MutexLock lock(mutex_);
    setup_ = std::move(setup);
    StartCouriers();
    for (Letter& letter : letters) {
      Enqueue(std::move(letter));
    }
    dispatcher_->Reroute(setup_->config.routing, Now());
    wake_->Request();
    return {};
  }

  base::Result<void> Receive(std::vector<Alert> alerts) {
    const base::MutexLock writing(write_mutex_);
    std::vector<Alert> changed;
    {
      const base::MutexLock lock(mutex_);
      if (stopped_) {
        return base::Error("notifications are stopping", base::ErrorKind::kUnavailable);
      }
      Forward(alerts);
      changed = dispatcher_->Put(std::move(alerts), Now());
      wake_->Request();
    }
    return Noted(ledger_->SaveAlerts(changed));
  }

  void Stop(std::chrono::milliseconds drain) {
    {
      const base::MutexLock lock(mutex_);
      if (stopped_) {
        return;
      }
      stopped_ = true;
      dispatcher_->Hurry(Now());
      wake_->Request();
    }
    if (thread_.joinable()) {
      thread_.join();
    }
    if (drain.count() > 0) {
      Dispatch();
    }
    std::map<std::string, std::unique_ptr<Courier>> couriers;
    {
      const base::MutexLock lock(mutex_);
      couriers.swap(couriers_);
    }
    for (const auto& [name, courier] : couriers) {
      courier->RequestStop(drain);
    }
    for (const auto& [name, courier] : couriers) {
      courier->Join();
    }
    const base::MutexLock lock(mutex_);
    couriers_.swap(couriers);  // Their counters can still be asked for.
  }

  std::shared_ptr<const Routing> routing() const {
    const base::MutexLock lock(mutex_);
    return setup_->config.routing;
  }
  std::vector<AlertState> Alerts() const {
    const base::MutexLock lock(mutex_);
    return dispatcher_->Alerts(Now());
  }
  std::vector<GroupState> Groups() const {
    const base::MutexLock lock(mutex_);
    return dispatcher_->Groups(Now());
  }
  std::vector<Silence> Silences() const {
    const base::MutexLock lock(mutex_);
    std::vector<Silence> silences;
    for (const auto& [id, silence] : silences_.all()) {
      silences.push_back(silence);
    }
    return silences;
  }

  base::Result<Silence> SetSilence(Silence silence) {
    const base::MutexLock writing(write_mutex_);
    SilenceSet::Changes changes;
    {
      const base::MutexLock lock(mutex_);
      ASSIGN_OR_RETURN(changes, silences_.Set(std::move(silence), clock_.Now()));
    }
    RETURN_IF_ERROR(Noted(ledger_->SaveSilences(changes)));
    return changes.front();
  }

  base::Result<void> ExpireSilence(const std::string& id) {
    const base::MutexLock writing(write_mutex_);
    SilenceSet::Changes changes;
    {
      const base::MutexLock lock(mutex_);
      ASSIGN_OR_RETURN(changes, silences_.Expire(id, clock_.Now()));
    }
    return Noted(ledger_->SaveSilences(changes));
  }

  std::vector<Letter> Waiting() const {
    std::vector<Letter> letters;
    const base::MutexLock lock(mutex_);
    for (const auto& [name, courier] : couriers_) {
      courier->Look([&letters](const Outbox& outbox) {
        if (const auto* queue = dynamic_cast<const LetterQueue*>(&outbox)) {
          const std::vector<Letter> more = queue->Letters();
          letters.insert(letters.end(), more.begin(), more.end());
        }
      });
    }
    return letters;
  }

  std::vector<Letter> DeadLetters() const {
    const base::MutexLock lock(dead_mutex_);
    std::vector<Letter> letters;
    for (const auto& [key, letter] : dead_) {
      letters.push_back(letter);
    }
    return letters;
  }

  base::Result<void> RetryLetter(const std::string& key) {
    ASSIGN_OR_RETURN(Letter letter, TakeDead(key));
    letter.died_at = {};
    letter.attempts = 0;
    // It gets as much time as a new one.
    auto notification = std::make_shared<Notification>(*letter.notification);
    notification->created = clock_.Now();
    letter.notification = std::move(notification);
    RETURN_IF_ERROR(Noted(ledger_->Update(letter)));
    const base::MutexLock lock(mutex_);
    Enqueue(std::move(letter));
    return {};
  }

  base::Result<void> DiscardLetter(const std::string& key) {
    ASSIGN_OR_RETURN(const Letter letter, TakeDead(key));
    return Noted(ledger_->Remove(letter.notification->key));
  }

  std::vector<model::MetricFamily> Metrics() const {
    std::vector<std::pair<std::string, CourierCounters>> receivers;
    model::MetricFamily alerts{.desc = &kAlerts};
    model::MetricFamily refused{.desc = &kRefused};
    {
      const base::MutexLock lock(mutex_);
      for (const auto& [name, courier] : couriers_) {
        receivers.emplace_back(name, courier->Counters());
      }
      alerts.Add(static_cast<double>(dispatcher_->alerts()), {});
      refused.Add(static_cast<double>(dispatcher_->refused()), {});
    }
    std::vector<model::MetricFamily> families;
    for (const CounterMetric& metric : kMetrics) {
      model::MetricFamily& family = families.emplace_back();
      family.desc = &metric.desc;
      for (const auto& [name, counters] : receivers) {
        family.Add(metric.read(counters), {name});
      }
    }
    model::MetricFamily capacity{.desc = &kQueueCapacity};
    model::MetricFamily latency{.desc = &kLatency};
    model::MetricFamily dead{.desc = &kDead};
    for (const auto& [name, counters] : receivers) {
      capacity.Add(static_cast<double>(kMaxOutboxAlerts), {name});
      latency.metrics.push_back({.labels = {name}, .histogram = LatencyHistogram(counters)});
      dead.Add(static_cast<double>(CountDead(name)), {name});
    }
    model::MetricFamily disk{.desc = &kDiskErrors};
    disk.Add(static_cast<double>(disk_errors_.load()), {});
    for (model::MetricFamily* family : {&capacity, &latency, &dead, &alerts, &refused, &disk}) {
      families.push_back(std::move(*family));
    }
    return families;
  }

 private:
  // What a configuration says, shared with deliveries that are under way. Immutable.
  struct Setup {
    NotifierConfig config;
    MessageTemplates templates;
  };

  static std::shared_ptr<const Setup> MakeSetup(NotifierConfig config, MessageTemplates templates) {
    return std::make_shared<const Setup>(Setup{std::move(config), std::move(templates)});
  }

  Moment Now() const { return {clock_.Now(), clock_.Monotonic()}; }

  base::Result<void> Noted(base::Result<void> written) const {
    if (!written.ok()) {
      ++disk_errors_;
      logger_.Error("notifications could not be written to the state file",
                    {{"error", written.error().message()}});
    }
    return written;
  }

  // --- Couriers.

  void StartCouriers() REQUIRES_LOCK(mutex_) {
    for (const Receiver& receiver : setup_->config.routing->receivers) {
      const std::vector<std::string> ids = IntegrationIds(receiver);
      for (size_t i = 0; i < ids.size(); ++i) {
        couriers_[ids[i]] = IntegrationCourier(ids[i], receiver.integrations[i]);
      }
    }
    for (const AlertmanagerTarget& target : setup_->config.alertmanagers) {
      couriers_[target.name] = AlertmanagerCourier(target);
    }
  }

  std::unique_ptr<Courier> IntegrationCourier(const std::string& id, const Integration& integration)
      REQUIRES_LOCK(mutex_) {
    LetterQueue::Observer observer{.delivered = [this](const Letter& letter) { Forget(letter); },
                                   .failed = [this](const Letter& letter) { Note(letter); },
                                   .died = [this](const Letter& letter) { Bury(letter); }};
    return std::make_unique<Courier>(
        id, std::make_unique<LetterQueue>(NewRandom(), std::move(observer)),
        [this, setup = setup_, &integration](const Delivery& delivery,
                                             std::chrono::milliseconds most_time) {
          return Send({.integration = integration,
                       .notification = *delivery.notification,
                       .templates = setup->templates,
                       .external_url = setup->config.external_url,
                       .now = clock_.Now()},
                      most_time);
        },
        clock_, logger_);
  }

  std::unique_ptr<Courier> AlertmanagerCourier(const AlertmanagerTarget& target)
      REQUIRES_LOCK(mutex_) {
    return std::make_unique<Courier>(
        target.name, std::make_unique<AlertmanagerOutbox>(NewRandom()),
        [this, setup = setup_, &target](const Delivery& delivery,
                                        std::chrono::milliseconds most_time) {
          return SendTo(target, delivery, most_time);
        },
        clock_, logger_);
  }

  Verdict SendTo(const AlertmanagerTarget& target, const Delivery& delivery,
                 std::chrono::milliseconds most_time) const {
    const auto options = ClientOptionsOf(target.http);
    if (!options.ok()) {
      return {.kind = Verdict::Kind::kRetry, .reason = options.error().message()};
    }
    std::string url = target.url;
    url.erase(url.find_last_not_of('/') + 1);
    http::Client client(*options);
    return Judge(client.Do({.method = "POST",
                            .url = url + "/api/v2/alerts",
                            .headers = {{"Content-Type", "application/json"}},
                            .body = delivery.body,
                            .timeout = std::min(target.timeout, most_time),
                            .max_response_bytes = kMaxResponseBytes}),
                 clock_.Now());
  }

  void Forward(const std::vector<Alert>& alerts) REQUIRES_LOCK(mutex_) {
    for (const AlertmanagerTarget& target : setup_->config.alertmanagers) {
      couriers_.at(target.name)->Change([&alerts](Outbox& outbox, Moment now) {
        dynamic_cast<AlertmanagerOutbox&>(outbox).Add(alerts, now);
      });
    }
  }

  void Enqueue(Letter letter) REQUIRES_LOCK(mutex_) {
    const auto courier = couriers_.find(letter.notification->integration);
    if (courier == couriers_.end()) {
      letter.died_at = clock_.Now();
      letter.reason = "the receiver is no longer configured";
      Bury(letter);
      return;
    }
    courier->second->Change([&letter](Outbox& outbox, Moment now) {
      dynamic_cast<LetterQueue&>(outbox).Add(std::move(letter), now);
    });
  }

  // Called by the dispatcher, so mutex_ is held; the compiler cannot see that through a function.
  bool IsWaiting(const std::string& integration,
                 const std::string& group_key) const NO_THREAD_SAFETY_ANALYSIS {
    const auto courier = couriers_.find(integration);
    bool holds = false;
    if (courier != couriers_.end()) {
      courier->second->Look([&](const Outbox& outbox) {
        holds = dynamic_cast<const LetterQueue&>(outbox).Holds(group_key);
      });
    }
    return holds;
  }

  // --- Letters. Called by couriers.

  void Forget(const Letter& letter) const {
    static_cast<void>(Noted(ledger_->Remove(letter.notification->key)).ok());
  }
  void Note(const Letter& letter) const { static_cast<void>(Noted(ledger_->Update(letter)).ok()); }

  void Bury(const Letter& letter) {
    logger_.Error("a notification was given up: see /api/v1/notifications",
                  {{"receiver", letter.notification->integration},
                   {"key", letter.notification->key},
                   {"error", letter.reason}});
    std::optional<std::string> forgotten;
    {
      const base::MutexLock lock(dead_mutex_);
      if (dead_.size() >= kMaxDeadLetters) {
        const auto oldest = std::min_element(
            dead_.begin(), dead_.end(),
            [](const auto& a, const auto& b) { return a.second.died_at < b.second.died_at; });
        forgotten = oldest->first;
        dead_.erase(oldest);
      }
      dead_[letter.notification->key] = letter;
    }
    Note(letter);
    if (forgotten) {
      static_cast<void>(Noted(ledger_->Remove(*forgotten)).ok());
    }
  }

  base::Result<Letter> TakeDead(const std::string& key) {
    const base::MutexLock lock(dead_mutex_);
    const auto at = dead_.find(key);
    if (at == dead_.end()) {
      return base::Error(fmt::format("no dead letter {}", key), base::ErrorKind::kNotFound);
    }
    Letter letter = std::move(at->second);
    dead_.erase(at);
    return letter;
  }

  size_t CountDead(const std::string& integration) const {
    const base::MutexLock lock(dead_mutex_);
    return static_cast<size_t>(
        std::count_if(dead_.begin(), dead_.end(), [&integration](const auto& entry) {
          return entry.second.notification->integration == integration;
        }));
  }

  // --- The dispatcher's thread.

  void Work() {
    base::MonotonicTime maintenance = clock_.Monotonic() + kMaintenance;
    for (;;) {
      std::shared_ptr<base::StopSignal> wake;
      base::MonotonicTime due = maintenance;
      {
        const base::MutexLock lock(mutex_);
        if (stopped_) {
          return;
        }
        wake_ = wake = std::make_shared<base::StopSignal>();
        due = std::min(due, dispatcher_->Due().value_or(due));
      }
      clock_.SleepUntil(due, *wake);
      Dispatch();
      if (clock_.Monotonic() >= maintenance) {
        Maintain();
        maintenance = clock_.Monotonic() + kMaintenance;
      }
    }
  }

  // What is due goes to disk, then to the couriers.
  void Dispatch() {
    const base::MutexLock writing(write_mutex_);
    Dispatcher::Changes changes;
    {
      const base::MutexLock lock(mutex_);
      changes = dispatcher_->Advance(Now());
    }
    if (!changes.log.empty() || !changes.forgotten_alerts.empty()) {
      // With a broken disk notifications still go out: better twice than never.
      static_cast<void>(Noted(ledger_->Commit(changes)).ok());
    }
    const base::MutexLock lock(mutex_);
    for (Notification& notification : changes.notifications) {
      Enqueue({.notification = std::make_shared<const Notification>(std::move(notification))});
    }
  }

  void Maintain() {
    const base::MutexLock writing(write_mutex_);
    std::vector<LogEntry> log;
    std::vector<std::string> silences;
    {
      const base::MutexLock lock(mutex_);
      log = dispatcher_->ForgetLog(clock_.Now());
      silences = silences_.Forget(clock_.Now());
    }
    static_cast<void>(Noted(ledger_->ForgetLog(log)).ok());
    static_cast<void>(Noted(ledger_->ForgetSilences(silences)).ok());
  }

  const base::Clock& clock_;
  const base::Logger& logger_;
  const std::unique_ptr<Ledger> ledger_;
  mutable std::atomic<uint64_t> disk_errors_{0};

  base::Mutex write_mutex_;
  mutable base::Mutex dead_mutex_;
  std::map<std::string, Letter> dead_ GUARDED_BY(dead_mutex_);

  mutable base::Mutex mutex_;
  std::shared_ptr<const Setup> setup_ GUARDED_BY(mutex_);
  SilenceSet silences_ GUARDED_BY(mutex_);
  std::unique_ptr<Dispatcher> dispatcher_ GUARDED_BY(mutex_);
  std::shared_ptr<base::StopSignal> wake_ GUARDED_BY(mutex_) = std::make_shared<base::StopSignal>();
  bool stopped_ GUARDED_BY(mutex_) = false;
  std::thread thread_;
  std::map<std::string, std::unique_ptr<Courier>> couriers_ GUARDED_BY(mutex_);
};

Notifier::Notifier(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

Notifier::~Notifier() = default;

base::Result<std::unique_ptr<Notifier>> Notifier::Make(NotifierConfig config,
                                                       const state::StateFile* file,
                                                       const base::Clock& clock,
                                                       const base::Logger& logger) {
  RETURN_IF_ERROR(CheckTargets(config.alertmanagers));
  ASSIGN_OR_RETURN(MessageTemplates templates, LoadTemplates(*config.routing));
  ASSIGN_OR_RETURN(std::unique_ptr<Ledger> ledger, Ledger::Open(file));
  auto impl = std::make_unique<Impl>(std::move(config), std::move(templates), std::move(ledger),
                                     clock, logger);
  RETURN_IF_ERROR(impl->Start());
  return std::unique_ptr<Notifier>(new Notifier(std::move(impl)));
}

base::Result<void> Notifier::Configure(NotifierConfig config) {
  return impl_->Configure(std::move(config));
}
void Notifier::Notify(std::vector<Alert> alerts) {
  // A failure is logged and counted; the rules say it again.
  static_cast<void>(impl_->Receive(std::move(alerts)).ok());
}
base::Result<void> Notifier::Receive(std::vector<Alert> alerts) {
  return impl_->Receive(std::move(alerts));
}
void Notifier::Stop(std::chrono::milliseconds drain) { impl_->Stop(drain); }
std::vector<model::MetricFamily> Notifier::Metrics() const { return impl_->Metrics(); }
std::shared_ptr<const Routing> Notifier::routing() const { return impl_->routing(); }
std::vector<AlertState> Notifier::Alerts() const { return impl_->Alerts(); }
std::vector<GroupState> Notifier::Groups() const { return impl_->Groups(); }
std::vector<Silence> Notifier::Silences() const { return impl_->Silences(); }
base::Result<Silence> Notifier::SetSilence(Silence silence) {
  return impl_->SetSilence(std::move(silence));
}
base::Result<void> Notifier::ExpireSilence(const std::string& id) {
  return impl_->ExpireSilence(id);
}
std::vector<Letter> Notifier::Waiting() const { return impl_->Waiting(); }
std::vector<Letter> Notifier::DeadLetters() const { return impl_->DeadLetters(); }
base::Result<void> Notifier::RetryLetter(const std::string& key) { return impl_->RetryLetter(key); }
base::Result<void> Notifier::DiscardLetter(const std::string& key) {
  return impl_->DiscardLetter(key);
}

}  // namespace notify
