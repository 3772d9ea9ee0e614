// Runs rule groups on their slots.
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "agent/notify/alert.h"
#include "agent/rules/alert_journal.h"
#include "agent/rules/expression.h"
#include "agent/rules/rule_file.h"
#include "agent/rules/status.h"
#include "agent/storage/appender.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/model/labels.h"
#include "lib/model/metric_family.h"

namespace rules {

// What a configuration says about rules; swapped as a whole.
struct RuleSet {
  std::vector<GroupSpec> groups;
  std::chrono::milliseconds evaluation_interval{60'000};  // Of groups that name none.
  std::chrono::milliseconds query_offset{0};              // Likewise.
  model::Labels external_labels;                          // For templates.
};

struct ManagerOptions {
  std::string external_url;                        // Of this agent: links in alerts.
  std::chrono::milliseconds resend_delay{60'000};  // Between two notifications of one state.
  AlertJournal* journal = nullptr;                 // None: a restart forgets the alerts.
};

// Evaluates due groups on a few threads; one group never runs twice at once. Thread-safe.
class Manager {
 public:
  // All references must outlive the manager. Nothing runs before the first Reload.
  Manager(ManagerOptions options, ParseFunc parse, storage::Appendable& store,
          notify::NotifyFunc notify, const base::Clock& clock, const base::Logger& logger);
  ~Manager();  // Stops.

  Manager(const Manager&) = delete;
  Manager& operator=(const Manager&) = delete;

  // Waits for running evaluations, swaps the groups and goes on. Groups that did not change are
  // left alone; in the others, rules of the same name and labels keep their state. Errors:
  // kInvalidArgument when an expression or template does not parse; then nothing changed.
  base::Result<void> Reload(RuleSet rules);

  // Waits for running evaluations. Nothing runs after it.
  void Stop();

  RulesStatus Status() const;
  // This manager's own metrics.
  std::vector<model::MetricFamily> Metrics() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace rules
