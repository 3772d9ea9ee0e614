// Takes alerts to receivers and Alertmanagers. What has to outlive the process is on disk before
// anything is sent; see ledger.h.
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "agent/notify/alert.h"
#include "agent/notify/dispatcher.h"
#include "agent/notify/ledger.h"
#include "agent/notify/routing.h"
#include "agent/notify/silence.h"
#include "agent/state/state_file.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/base/result.h"
#include "lib/http/client.h"
#include "lib/model/labels.h"
#include "lib/model/metric_family.h"

namespace notify {

inline constexpr size_t kMaxDeadLetters = 1000;  // Beyond it the oldest is forgotten.

// A real Alertmanager to which all alerts are forwarded.
struct AlertmanagerTarget {
  std::string name;  // Unique: the label of metrics.
  std::string url;   // Without "/api/v2/alerts".
  HttpConfig http;
  std::chrono::milliseconds timeout{10'000};
};

struct NotifierConfig {
  std::shared_ptr<const Routing> routing;  // Not null.
  std::vector<AlertmanagerTarget> alertmanagers;
  std::string external_url;  // Of this agent.
};

// Thread-safe.
class Notifier {
 public:
  // `file` may be null: nothing outlives the process then. All references must outlive the
  // notifier. Errors: templates, URLs, the state file.
  static base::Result<std::unique_ptr<Notifier>> Make(NotifierConfig config,
                                                      const state::StateFile* file,
                                                      const base::Clock& clock,
                                                      const base::Logger& logger);
  ~Notifier();

  // Goes on with another configuration; what waits for receivers that stay still waits, what waits
  // for others becomes dead letters. Errors: as Make; then nothing changed.
  base::Result<void> Configure(NotifierConfig config);

  // The NotifyFunc of rules. Changes of state are on disk when it returns, unless the disk fails.
  void Notify(std::vector<Alert> alerts);
  // The same for alerts of others: fails when the disk does.
  base::Result<void> Receive(std::vector<Alert> alerts);

  // Tries to deliver what is queued for at most `drain`, then stops.
  void Stop(std::chrono::milliseconds drain);

  std::vector<model::MetricFamily> Metrics() const;

  // What the API shows.
  std::shared_ptr<const Routing> routing() const;
  std::vector<AlertState> Alerts() const;
  std::vector<GroupState> Groups() const;
  std::vector<Silence> Silences() const;
  // The silence that now holds. Errors: see SilenceSet, the disk.
  base::Result<Silence> SetSilence(Silence silence);
  base::Result<void> ExpireSilence(const std::string& id);
  std::vector<Letter> Waiting() const;
  std::vector<Letter> DeadLetters() const;
  // Makes a dead letter wait again, or discards it. Errors: kNotFound.
  base::Result<void> RetryLetter(const std::string& key);
  base::Result<void> DiscardLetter(const std::string& key);

 private:
  class Impl;
  explicit Notifier(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

// Everything of a routing that only shows when it is used: templates that do not parse. Reads the
// template files.
base::Result<void> CheckRouting(const Routing& routing);

}  // namespace notify
