// An alert as it travels from rules to receivers.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "lib/base/clock.h"
#include "lib/model/labels.h"

namespace notify {

struct Alert {
  model::Labels labels;  // `alertname` among them.
  model::Labels annotations;
  base::WallTime starts_at;
  base::WallTime ends_at;  // Of a firing alert: when it counts as over unless it is sent again.
  std::string generator_url;
  bool resolved = false;
};

// Hands alerts of one rule evaluation to the notifier. Never blocks on the network. Thread-safe.
using NotifyFunc = std::function<void(std::vector<Alert> alerts)>;

}  // namespace notify
