// Takes alerts from the rules to whoever the configuration names, and lets that change.
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "agent/config/config.h"
#include "agent/notify/alert.h"
#include "agent/notify/notifier.h"
#include "agent/relabel/relabel.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/base/mutex.h"
#include "lib/base/result.h"
#include "lib/base/secret.h"

namespace agent {

// Webhooks of the command line and Alertmanagers of the configuration. Errors: a credentials file
// that cannot be read, a kind of authorization that notifications do not know.
base::Result<std::vector<notify::ReceiverConfig>> MakeReceivers(
    const std::vector<base::Secret>& webhooks,
    const std::vector<config::AlertmanagerConfig>& alertmanagers);

// Adds `external` to the labels that lack them, then relabels; drops what the rules drop. Pure.
std::vector<notify::Alert> RelabelAlerts(std::vector<notify::Alert> alerts,
                                         const model::Labels& external,
                                         const std::vector<relabel::Rule>& rules);

// Thread-safe.
class AlertSink {
 public:
  struct Settings {
    std::vector<notify::ReceiverConfig> receivers;
    model::Labels external_labels;
    std::vector<relabel::Rule> relabel_rules;
    std::string external_url;
  };

  // The references must outlive the sink.
  AlertSink(const base::Clock& clock, const base::Logger& logger)
      : clock_(clock), logger_(logger) {}

  // On an error the receivers stay what they were. What the old ones have queued is still sent.
  base::Result<void> Configure(Settings settings);
  void Notify(std::vector<notify::Alert> alerts);
  void Stop(std::chrono::milliseconds drain);

  // Without credentials.
  std::vector<std::string> ReceiverUrls() const;
  std::vector<std::string> AlertmanagerUrls() const;
  std::vector<model::MetricFamily> Metrics() const;

 private:
  // Immutable once it is current.
  struct State {
    Settings settings;
    std::shared_ptr<notify::Notifier> notifier;
  };
  std::shared_ptr<const State> Current() const;

  const base::Clock& clock_;
  const base::Logger& logger_;
  mutable base::Mutex mutex_;
  std::shared_ptr<const State> state_ GUARDED_BY(mutex_);
};

}  // namespace agent
