// Takes alerts from the rules to whoever the configuration names, and lets that change.
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "agent/config/config.h"
#include "agent/notify/alert.h"
#include "agent/notify/notifier.h"
#include "agent/notify/routing.h"
#include "agent/relabel/relabel.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/base/mutex.h"
#include "lib/base/result.h"
#include "lib/base/secret.h"

namespace agent {

// Where alerts go, by the command line and the configuration.
struct Destinations {
  std::string alertmanager_config_file;  // Empty: none.
  std::vector<base::Secret> webhook_urls;
  notify::SecretSource webhook_key;  // Signs the bodies of webhook_urls.
};

// What `destinations` say: the routes of the file, then a route to each webhook. Errors: the file,
// a URL.
base::Result<std::shared_ptr<const notify::Routing>> MakeRouting(const Destinations& destinations);

// Alertmanagers to forward to. Errors: a kind of authorization that notifications do not know.
base::Result<std::vector<notify::AlertmanagerTarget>> MakeTargets(
    const std::vector<config::AlertmanagerConfig>& alertmanagers);

// Adds `external` to the labels that lack them, then relabels; drops what the rules drop. Pure.
std::vector<notify::Alert> RelabelAlerts(std::vector<notify::Alert> alerts,
                                         const model::Labels& external,
                                         const std::vector<relabel::Rule>& rules);

// Thread-safe.
class AlertSink {
 public:
  struct Settings {
    std::shared_ptr<const notify::Routing> routing;
    std::vector<notify::AlertmanagerTarget> alertmanagers;
    model::Labels external_labels;
    std::vector<relabel::Rule> relabel_rules;
    std::string external_url;
  };

  // The references must outlive the sink.
  AlertSink(const base::Clock& clock, const base::Logger& logger)
      : clock_(clock), logger_(logger) {}

  // `file`, which may be null, is taken the first time and must outlive the sink. On an error
  // everything stays what it was.
  base::Result<void> Configure(Settings settings, const state::StateFile* file);
  void Notify(std::vector<notify::Alert> alerts);
  void Stop(std::chrono::milliseconds drain);

  // Without credentials.
  std::vector<std::string> ReceiverUrls() const;
  std::vector<std::string> AlertmanagerUrls() const;
  std::vector<model::MetricFamily> Metrics() const;
  // Null before the first Configure.
  std::shared_ptr<notify::Notifier> notifier() const;

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
