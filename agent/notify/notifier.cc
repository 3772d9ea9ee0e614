#include "agent/notify/notifier.h"

#include <algorithm>
#include <random>
#include <set>
#include <utility>

#include <fmt/format.h>

#include "agent/notify/alertmanager.h"
#include "agent/notify/courier.h"
#include "agent/notify/webhook.h"
#include "lib/base/url.h"

namespace notify {
namespace {

using model::MetricType;

struct Kind {
  ReceiverKind kind;
  std::unique_ptr<Outbox> (*make)(const ReceiverConfig& receiver, const NotifierOptions& options,
                                  RandomFunc random);
};

// One row a kind of receiver.
constexpr Kind kKinds[] = {
    {ReceiverKind::kWebhook,
     [](const ReceiverConfig& receiver, const NotifierOptions& options,
        RandomFunc random) -> std::unique_ptr<Outbox> {
       return std::make_unique<WebhookOutbox>(
           WebhookOptions{.receiver = receiver.name,
                          .external_url = options.external_url,
                          .send_resolved = receiver.send_resolved},
           std::move(random));
     }},
    {ReceiverKind::kAlertmanager,
     [](const ReceiverConfig&, const NotifierOptions&,
        RandomFunc random) -> std::unique_ptr<Outbox> {
       return std::make_unique<AlertmanagerOutbox>(std::move(random));
     }},
};

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

base::Result<void> CheckReceivers(const std::vector<ReceiverConfig>& receivers) {
  std::set<std::string> names;
  for (const ReceiverConfig& receiver : receivers) {
    const auto url = base::ParseUrl(receiver.url);
    if (!url.ok()) {
      return url.error().WithContext(fmt::format("receiver \"{}\"", receiver.name));
    }
    if ((url->scheme != "http" && url->scheme != "https") || url->host.empty()) {
      return base::Error(fmt::format("receiver \"{}\": the URL must be http://HOST… or "
                                     "https://HOST…",
                                     receiver.name),
                         base::ErrorKind::kInvalidArgument);
    }
    if (!names.insert(receiver.name).second) {
      return base::Error(fmt::format("receiver \"{}\" is configured twice", receiver.name),
                         base::ErrorKind::kInvalidArgument);
    }
  }
  return {};
}

// Of its own for each receiver: couriers run on different threads.
RandomFunc NewRandom() {
  return [engine = std::mt19937_64(std::random_device{}()),
          uniform = std::uniform_real_distribution<double>(0, 1)]() mutable {
    return uniform(engine);
  };
}

std::string WithoutTrailingSlash(std::string url) {
  url.erase(url.find_last_not_of('/') + 1);
  return url;
}

}  // namespace

class Notifier::Impl {
 public:
  Impl(const NotifierOptions& options, const base::Clock& clock, const base::Logger& logger)
      : external_labels_(options.external_labels) {
    for (const ReceiverConfig& receiver : options.receivers) {
      const auto* const kind =
          std::find_if(std::begin(kKinds), std::end(kKinds),
                       [&](const Kind& candidate) { return candidate.kind == receiver.kind; });
      const auto client = std::make_shared<http::Client>(receiver.http);
      const bool is_base_url = receiver.kind == ReceiverKind::kAlertmanager;
      couriers_.emplace_back(
          receiver.name,
          std::make_unique<Courier>(
              CourierOptions{.receiver = receiver.name,
                             .url = is_base_url ? WithoutTrailingSlash(receiver.url) : receiver.url,
                             .timeout = receiver.timeout},
              kind->make(receiver, options, NewRandom()),
              [client](const http::ClientRequest& request) { return client->Do(request); }, clock,
              logger));
    }
  }

  void Notify(std::vector<Alert> alerts) {
    for (Alert& alert : alerts) {
      AddExternalLabels(&alert);
    }
    for (const auto& [name, courier] : couriers_) {
      courier->Notify(alerts);
    }
  }

  void Stop(std::chrono::milliseconds drain) {
    for (const auto& [name, courier] : couriers_) {
      courier->RequestStop(drain);
    }
    for (const auto& [name, courier] : couriers_) {
      courier->Join();
    }
  }

  std::vector<model::MetricFamily> Metrics() const {
    std::vector<std::pair<std::string, CourierCounters>> receivers;
    for (const auto& [name, courier] : couriers_) {
      receivers.emplace_back(name, courier->Counters());
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
    for (const auto& [name, counters] : receivers) {
      capacity.Add(static_cast<double>(kMaxOutboxAlerts), {name});
      latency.metrics.push_back({.labels = {name}, .histogram = LatencyHistogram(counters)});
    }
    families.push_back(std::move(capacity));
    families.push_back(std::move(latency));
    return families;
  }

 private:
  void AddExternalLabels(Alert* alert) const {
    if (external_labels_.empty()) {
      return;
    }
    model::LabelsBuilder builder(alert->labels);
    for (const model::Label label : external_labels_) {
      if (!alert->labels.Has(label.name)) {
        builder.Set(label.name, label.value);
      }
    }
    alert->labels = builder.Build();
  }

  const model::Labels external_labels_;
  std::vector<std::pair<std::string, std::unique_ptr<Courier>>> couriers_;
};

Notifier::Notifier(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

Notifier::~Notifier() = default;

base::Result<std::unique_ptr<Notifier>> Notifier::Make(const NotifierOptions& options,
                                                       const base::Clock& clock,
                                                       const base::Logger& logger) {
  RETURN_IF_ERROR(CheckReceivers(options.receivers));
  return std::unique_ptr<Notifier>(new Notifier(std::make_unique<Impl>(options, clock, logger)));
}

void Notifier::Notify(std::vector<Alert> alerts) { impl_->Notify(std::move(alerts)); }

void Notifier::Stop(std::chrono::milliseconds drain) { impl_->Stop(drain); }

std::vector<model::MetricFamily> Notifier::Metrics() const { return impl_->Metrics(); }

}  // namespace notify
