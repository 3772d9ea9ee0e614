// The states of an alert:
//
//            in the result            held for `for`
//  (none) ------------------> pending ---------------> firing
//             for = 0 |          | gone                   | gone (and keep_firing_for is over)
//                     |          v                        v
//                     |        (none)                  resolved, kept 15 m, then (none)
//                     +--------------------------------> firing
//
// A resolved alert that comes back starts anew.
#pragma once

#include <chrono>
#include <cstddef>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "agent/notify/alert.h"
#include "agent/promql/value.h"
#include "agent/rules/active_alert.h"
#include "agent/rules/missing_data.h"
#include "agent/rules/rule_file.h"
#include "agent/rules/status.h"
#include "agent/rules/tick.h"
#include "agent/template/functions.h"
#include "agent/template/template.h"
#include "lib/base/clock.h"
#include "lib/base/result.h"
#include "lib/model/labels.h"

namespace rules {

inline constexpr std::string_view kAlertsMetric = "ALERTS";
inline constexpr std::string_view kAlertsForStateMetric = "ALERTS_FOR_STATE";
inline constexpr std::chrono::minutes kResolvedRetention{15};

// What rules have in common besides their own text.
struct RuleContext {
  size_t limit = 0;  // Of alerts or series; 0 is none.
  std::chrono::milliseconds interval{60'000};
  std::chrono::milliseconds resend_delay{60'000};
  model::Labels external_labels;
  std::string external_url;
};

struct RuleSample {
  model::Labels labels;
  double value = 0;
};

// What one evaluation gives.
struct Outcome {
  std::vector<RuleSample> samples;
  std::vector<notify::Alert> alerts;  // To be told.
};

// A pure state machine. Thread-compatible.
class AlertingRule {
 public:
  // `query` is the expression in canonical form, for links. Errors: kInvalidArgument (a template).
  static base::Result<AlertingRule> Make(const RuleSpec& spec, const std::string& query,
                                         RuleContext context);

  // Moves every alert on. `data` tells alerts whose data are missing from those that are over; null
  // when that cannot be told. Errors leave all states as they were: kInvalidArgument when two
  // elements end up with the same labels, kResourceExhausted over the limit.
  base::Result<Outcome> Advance(promql::Vector vector, const Tick& tick,
                                const tmpl::Environment& environment, DataSnapshot* data = nullptr);

  // The notifications that are due without anything new. Also after an evaluation that failed: what
  // fires goes on firing, and its receivers must hear that before they take it for over.
  std::vector<notify::Alert> Remind(const Tick& tick);

  // Goes on with the alerts of a former version of this rule.
  void TakeState(AlertingRule& former);

  // Goes on with the alerts of a former process, whose time line this one's goes on with. Until
  // `trust_at` an alert that is missing stays as it is: the store may be empty, and a resolve that
  // nobody saw would be followed by the same alert again.
  void Restore(std::map<model::Labels, ActiveAlert> alerts, std::chrono::milliseconds trust_at);

  const std::map<model::Labels, ActiveAlert>& active() const { return active_; }

  AlertState state() const;
  // Pending and firing ones, by labels.
  std::vector<AlertStatus> Alerts() const;

 private:
  using Elapsed = std::chrono::milliseconds;

  struct Seen {
    model::Labels annotations;
    double value = 0;
  };
  using SeenAlerts = std::map<model::Labels, Seen>;
  using ActiveAlerts = std::map<model::Labels, ActiveAlert>;
  using Texts = std::vector<std::pair<std::string, tmpl::Template>>;

  AlertingRule() = default;

  base::Result<SeenAlerts> Expand(const promql::Vector& vector,
                                  const tmpl::Environment& environment) const;
  model::Labels ExpandAll(const Texts& texts, const tmpl::AlertData& data,
                          const tmpl::Environment& environment, model::LabelsBuilder builder) const;
  // The result, and for `fire` an element for each lost target that has no alert yet.
  promql::Vector WithLostTargets(promql::Vector vector, DataSnapshot* data);
  ActiveAlerts Merge(const SeenAlerts& seen, const Tick& tick, DataSnapshot* data) const;
  bool MissingOneStays(const Tick& tick, ActiveAlert* alert) const;
  void FireWhenDue(const Tick& tick, ActiveAlert* alert) const;
  void AppendSamples(const model::Labels& labels, const ActiveAlert& alert,
                     std::vector<RuleSample>* samples) const;
  bool NeedsSending(const ActiveAlert& alert, const Tick& tick) const;
  notify::Alert Notification(const model::Labels& labels, const ActiveAlert& alert,
                             const Tick& tick) const;

  std::string name_;
  std::string generator_url_;
  RuleContext context_;
  Elapsed hold_{0};
  Elapsed keep_firing_for_{0};
  Texts labels_;
  Texts annotations_;
  MissingData missing_data_ = MissingData::kResolve;
  std::set<Target> known_targets_;  // For MissingData::kFire.
  ActiveAlerts active_;
  Elapsed trust_at_ = Elapsed::min();  // Before it, what is missing proves nothing.
};

}  // namespace rules
