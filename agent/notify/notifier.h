// Hands alerts to every configured receiver.
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "agent/notify/alert.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/base/result.h"
#include "lib/http/client.h"
#include "lib/model/labels.h"
#include "lib/model/metric_family.h"

namespace notify {

enum class ReceiverKind { kWebhook, kAlertmanager };

struct ReceiverConfig {
  ReceiverKind kind = ReceiverKind::kWebhook;
  std::string name;  // Unique: the label of metrics and the `receiver` of webhook bodies.
  // The webhook's URL, or that of an Alertmanager without "/api/v2/alerts". May hold a secret.
  std::string url;
  http::ClientOptions http;
  std::chrono::milliseconds timeout{10'000};  // Of one delivery.
  bool send_resolved = true;                  // Webhooks only.
};

struct NotifierOptions {
  std::vector<ReceiverConfig> receivers;
  model::Labels external_labels;  // Added to alerts that lack them.
  std::string external_url;       // Of this agent.
};

// Thread-safe.
class Notifier {
 public:
  // `clock` and `logger` must outlive the notifier. Errors: kInvalidArgument (URL, repeated name).
  static base::Result<std::unique_ptr<Notifier>> Make(const NotifierOptions& options,
                                                      const base::Clock& clock,
                                                      const base::Logger& logger);
  ~Notifier();

  // The NotifyFunc of rules: queues and returns.
  void Notify(std::vector<Alert> alerts);

  // Tries to deliver what is queued for at most `drain`, then stops.
  void Stop(std::chrono::milliseconds drain);

  // By receiver: notifications_total, failed_total, dropped_total, queue length, latency.
  std::vector<model::MetricFamily> Metrics() const;

 private:
  class Impl;
  explicit Notifier(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace notify
