#include "agent/rules/alerting_rule.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "agent/template/alert_functions.h"
#include "agent/template/value.h"

namespace rules {
namespace {

constexpr std::string_view kAlertNameLabel = "alertname";
constexpr std::string_view kAlertStateLabel = "alertstate";
// A firing alert outlives so many missed resends at its receiver.
constexpr int kValidResends = 4;

double UnixSeconds(base::WallTime time) {
  return static_cast<double>(
      std::chrono::duration_cast<std::chrono::seconds>(time.time_since_epoch()).count());
}

}  // namespace

base::Result<AlertingRule> AlertingRule::Make(const RuleSpec& spec, const std::string& query,
                                              RuleContext context) {
  AlertingRule rule;
  rule.name_ = spec.name;
  rule.generator_url_ = context.external_url + tmpl::TableLinkOf(query);
  rule.context_ = std::move(context);
  rule.hold_ = spec.hold;
  rule.keep_firing_for_ = spec.keep_firing_for;
  for (const auto& [from, to] :
       {std::pair{&spec.labels, &rule.labels_}, std::pair{&spec.annotations, &rule.annotations_}}) {
    for (const auto& [name, text] : *from) {
      ASSIGN_OR_RETURN(tmpl::Template parsed,
                       tmpl::ParseAlertTemplate("__alert_" + spec.name, text));
      to->emplace_back(name, std::move(parsed));
      if (to == &rule.annotations_ && name == kMissingDataAnnotation) {
        ASSIGN_OR_RETURN(rule.missing_data_, ParseMissingData(text));
      }
    }
  }
  return rule;
}

base::Result<Outcome> AlertingRule::Advance(promql::Vector vector, const Tick& tick,
                                            const tmpl::Environment& environment,
                                            DataSnapshot* data) {
  vector = WithLostTargets(std::move(vector), data);
  ASSIGN_OR_RETURN(const SeenAlerts seen, Expand(vector, environment));
  ActiveAlerts next = Merge(seen, tick, data);
  const auto live =
      static_cast<size_t>(std::count_if(next.begin(), next.end(), [](const auto& entry) {
        return entry.second.state != AlertState::kInactive;
      }));
  if (context_.limit > 0 && live > context_.limit) {
    return base::Error(fmt::format("{} alerts exceed the limit of {}: none of them changes state",
                                   live, context_.limit),
                       base::ErrorKind::kResourceExhausted);
  }
  active_ = std::move(next);
  Outcome outcome;
  for (const auto& [labels, alert] : active_) {
    if (alert.state != AlertState::kInactive) {
      AppendSamples(labels, alert, &outcome.samples);
    }
  }
  outcome.alerts = Remind(tick);
  return outcome;
}

std::vector<notify::Alert> AlertingRule::Remind(const Tick& tick) {
  std::vector<notify::Alert> alerts;
  for (auto& [labels, alert] : active_) {
    if (NeedsSending(alert, tick)) {
      alert.last_sent = tick.elapsed;
      alerts.push_back(Notification(labels, alert, tick));
    }
  }
  return alerts;
}

base::Result<AlertingRule::SeenAlerts> AlertingRule::Expand(
    const promql::Vector& vector, const tmpl::Environment& environment) const {
  SeenAlerts seen;
  for (const promql::VectorElement& element : vector) {
    const tmpl::AlertData data{.labels = element.labels,
                               .value = element.value,
                               .external_labels = context_.external_labels,
                               .external_url = context_.external_url};
    model::LabelsBuilder builder(element.labels);
    builder.Remove(model::kMetricNameLabel);
    model::LabelsBuilder named(ExpandAll(labels_, data, environment, std::move(builder)));
    named.Set(kAlertNameLabel, name_);
    const auto [entry, inserted] = seen.try_emplace(named.Build());
    if (!inserted) {
      return base::Error(
          fmt::format("vector contains metrics with the same labelset after applying alert "
                      "labels: {}",
                      entry->first.ToString()),
          base::ErrorKind::kInvalidArgument);
    }
    entry->second = {.annotations = ExpandAll(annotations_, data, environment, {}),
                     .value = element.value};
  }
  return seen;
}

model::Labels AlertingRule::ExpandAll(const Texts& texts, const tmpl::AlertData& data,
                                      const tmpl::Environment& environment,
                                      model::LabelsBuilder builder) const {
  for (const auto& [name, text] : texts) {
    builder.Set(name, tmpl::ExpandAlertTemplate(text, data, environment));
  }
  return builder.Build();
}

promql::Vector AlertingRule::WithLostTargets(promql::Vector vector, DataSnapshot* data) {
  if (missing_data_ != MissingData::kFire || data == nullptr) {
    return vector;
  }
  std::set<Target> told;
  for (const promql::VectorElement& element : vector) {
    told.emplace(element.labels.Get("job"), element.labels.Get("instance"));
  }
  std::set<Target> held;
  for (const auto& [labels, alert] : active_) {
    if (alert.state != AlertState::kInactive) {
      held.emplace(labels.Get("job"), labels.Get("instance"));
    }
  }
  for (const Target& target : data->LostTargets(&known_targets_)) {
    // An alert that the target has already is held; so is the one made here before.
    if (told.count(target) == 0 && held.count(target) == 0) {
      vector.push_back(
          {.labels = {{"job", target.first}, {"instance", target.second}}, .value = std::nan("")});
    }
  }
  return vector;
}

AlertingRule::ActiveAlerts AlertingRule::Merge(const SeenAlerts& seen, const Tick& tick,
                                               DataSnapshot* data) const {
  ActiveAlerts next;
  for (const auto& [labels, alert] : active_) {
    if (seen.count(labels) > 0) {
      continue;
    }
    ActiveAlert copy = alert;
    if (data != nullptr && copy.state != AlertState::kInactive) {
      copy.missing_reason = data->WhyMissing(labels);
    }
    if (MissingOneStays(tick, &copy)) {
      next.emplace(labels, std::move(copy));
    }
  }
  for (const auto& [labels, now] : seen) {
    const auto former = active_.find(labels);
    const bool goes_on = former != active_.end() && former->second.state != AlertState::kInactive;
    ActiveAlert alert =
        goes_on ? former->second : ActiveAlert{.active_at = tick.at, .active_since = tick.elapsed};
    alert.annotations = now.annotations;
    alert.value = now.value;
    alert.kept_since.reset();
    alert.missing_reason.clear();
    FireWhenDue(tick, &alert);
    next.emplace(labels, std::move(alert));
  }
  return next;
}

void AlertingRule::FireWhenDue(const Tick& tick, ActiveAlert* alert) const {
  if (alert->state == AlertState::kPending && tick.elapsed - alert->active_since >= hold_) {
    alert->state = AlertState::kFiring;
    alert->fired_at = tick.at;
  }
}

// Moves on an alert that the result no longer has. False when it is to be forgotten.
bool AlertingRule::MissingOneStays(const Tick& tick, ActiveAlert* alert) const {
  if (alert->state != AlertState::kInactive && missing_data_ != MissingData::kResolve &&
      !alert->missing_reason.empty()) {
    if (missing_data_ == MissingData::kFire) {
      FireWhenDue(tick, alert);
    }
    return true;
  }
  switch (alert->state) {
    case AlertState::kPending:
      return tick.elapsed < trust_at_;
    case AlertState::kInactive:
      return tick.elapsed - *alert->resolved_since <= kResolvedRetention;
    case AlertState::kFiring:
      break;
  }
  if (tick.elapsed < trust_at_) {
    return true;
  }
  if (keep_firing_for_.count() > 0) {
    if (!alert->kept_since) {
      alert->kept_since = tick.elapsed;
      alert->kept_at = tick.at;
    }
    if (tick.elapsed - *alert->kept_since < keep_firing_for_) {
      return true;
    }
  }
  alert->state = AlertState::kInactive;
  alert->resolved_at = tick.at;
  alert->resolved_since = tick.elapsed;
  return true;
}

void AlertingRule::AppendSamples(const model::Labels& labels, const ActiveAlert& alert,
                                 std::vector<RuleSample>* samples) const {
  model::LabelsBuilder builder(labels);
  builder.Set(model::kMetricNameLabel, kAlertsForStateMetric);
  samples->push_back({builder.Build(), UnixSeconds(alert.active_at)});
  builder.Set(model::kMetricNameLabel, kAlertsMetric);
  builder.Set(kAlertStateLabel, AlertStateName(alert.state));
  samples->push_back({builder.Build(), 1});
}

bool AlertingRule::NeedsSending(const ActiveAlert& alert, const Tick& tick) const {
  if (alert.state == AlertState::kPending) {
    return false;
  }
  const bool newly_resolved =
      alert.resolved_since && (!alert.last_sent || *alert.resolved_since > *alert.last_sent);
  return newly_resolved || !alert.last_sent ||
         tick.elapsed - *alert.last_sent >= context_.resend_delay;
}

notify::Alert AlertingRule::Notification(const model::Labels& labels, const ActiveAlert& alert,
                                         const Tick& tick) const {
  const bool resolved = alert.state == AlertState::kInactive;
  model::LabelsBuilder annotations(alert.annotations);
  annotations.Set(kMissingReasonAnnotation, alert.missing_reason);
  return {.labels = labels,
          .annotations = annotations.Build(),
          .starts_at = alert.fired_at,
          .ends_at = resolved ? alert.resolved_at
                              : tick.at + kValidResends *
                                              std::max(context_.resend_delay, context_.interval),
          .generator_url = generator_url_,
          .resolved = resolved};
}

void AlertingRule::TakeState(AlertingRule& former) {
  active_ = std::move(former.active_);
  known_targets_ = std::move(former.known_targets_);
  trust_at_ = former.trust_at_;
}

void AlertingRule::Restore(std::map<model::Labels, ActiveAlert> alerts,
                           std::chrono::milliseconds trust_at) {
  active_ = std::move(alerts);
  trust_at_ = trust_at;
}

AlertState AlertingRule::state() const {
  AlertState worst = AlertState::kInactive;
  for (const auto& [labels, alert] : active_) {
    worst = std::max(worst, alert.state);
  }
  return worst;
}

std::vector<AlertStatus> AlertingRule::Alerts() const {
  std::vector<AlertStatus> alerts;
  for (const auto& [labels, alert] : active_) {
    if (alert.state != AlertState::kInactive) {
      alerts.push_back(
          {.labels = labels,
           .annotations = alert.annotations,
           .state = alert.state,
           .active_at = alert.active_at,
           .keep_firing_since = alert.kept_since ? std::optional(alert.kept_at) : std::nullopt,
           .value = alert.value,
           .missing_reason = alert.missing_reason});
    }
  }
  return alerts;
}

}  // namespace rules
