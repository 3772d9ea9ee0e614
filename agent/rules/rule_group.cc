#include "agent/rules/rule_group.h"

#include <algorithm>
#include <map>
#include <utility>

#include <fmt/format.h>

#include "agent/template/functions.h"
#include "lib/base/duration.h"
#include "lib/model/sample.h"

namespace rules {
namespace {

base::Result<promql::Vector> ToVector(promql::QueryResult result) {
  if (auto* vector = std::get_if<promql::Vector>(&result.value)) {
    return std::move(*vector);
  }
  if (const auto* scalar = std::get_if<promql::Scalar>(&result.value)) {
    return promql::Vector{{.timestamp_ms = scalar->timestamp_ms, .value = scalar->value}};
  }
  return base::Error("rule result is not a vector or scalar", base::ErrorKind::kInvalidArgument);
}

base::Result<promql::Vector> Query(const Expression& expression, int64_t at_ms) {
  ASSIGN_OR_RETURN(promql::QueryResult result, expression.query(at_ms));
  return ToVector(std::move(result));
}

// The `query` function of templates.
tmpl::Environment TemplateEnvironment(const ParseFunc& parse, const std::string& external_url,
                                      int64_t at_ms) {
  return {.query = [&parse,
                    at_ms](std::string_view text) -> base::Result<std::vector<tmpl::QuerySample>> {
            ASSIGN_OR_RETURN(const Expression expression, parse(text));
            ASSIGN_OR_RETURN(promql::Vector vector, Query(expression, at_ms));
            std::vector<tmpl::QuerySample> samples;
            for (promql::VectorElement& element : vector) {
              samples.push_back({std::move(element.labels), element.value});
            }
            return samples;
          },
          .external_url = external_url,
          .now_ms = at_ms};
}

// Spreads groups over their interval; the same for ever.
std::chrono::milliseconds OffsetOf(const GroupSpec& spec, std::chrono::milliseconds interval) {
  const model::Labels identity{{"file", spec.file}, {"name", spec.name}};
  return std::chrono::milliseconds(identity.Fingerprint() %
                                   static_cast<uint64_t>(interval.count()));
}

model::Labels ToLabels(const TextPairs& pairs) {
  model::LabelsBuilder builder;
  for (const auto& [name, text] : pairs) {
    builder.Set(name, text);
  }
  return builder.Build();
}

RuleStatus InitialStatus(const RuleSpec& spec, const std::string& query) {
  return {.type = spec.alerting ? RuleType::kAlerting : RuleType::kRecording,
          .name = spec.name,
          .query = query,
          .labels = ToLabels(spec.labels),
          .duration = spec.hold,
          .keep_firing_for = spec.keep_firing_for,
          .annotations = ToLabels(spec.annotations)};
}

// Rules are the same to a reload when type, name and labels are.
std::string Identity(const RuleSpec& spec) {
  return (spec.alerting ? "alert " : "record ") + spec.name + ToLabels(spec.labels).ToString();
}

// Counts what a store rejects, and keeps the first reason.
class Writer {
 public:
  Writer(storage::Appendable& store, int64_t at_ms)
      : appender_(store.NewAppender()), at_ms_(at_ms) {}

  // A series that the store no longer knows by its reference is given by its labels.
  storage::SeriesRef Append(const model::Labels& labels, storage::SeriesRef ref, double value) {
    if (ref != 0) {
      const auto appended = appender_->Append(ref, at_ms_, value);
      if (appended.ok()) {
        return ref;
      }
      if (appended.error().kind() != base::ErrorKind::kNotFound) {
        Reject(appended.error());
        return ref;
      }
    }
    const auto appended = appender_->Append(labels, at_ms_, value);
    if (!appended.ok()) {
      Reject(appended.error());
      return 0;
    }
    return *appended;
  }

  base::Result<void> Commit() { return appender_->Commit(); }
  uint64_t rejected() const { return rejected_; }
  const std::string& first_reason() const { return first_reason_; }

 private:
  void Reject(const base::Error& error) {
    if (rejected_++ == 0) {
      first_reason_ = error.message();
    }
  }

  std::unique_ptr<storage::Appender> appender_;
  int64_t at_ms_;
  uint64_t rejected_ = 0;
  std::string first_reason_;
};

}  // namespace

base::Result<std::unique_ptr<RuleGroup>> RuleGroup::Make(GroupSpec spec, GroupOptions options,
                                                         GroupEnvironment environment) {
  options.interval = spec.interval.value_or(options.interval);
  const RuleContext context{.limit = spec.limit,
                            .interval = options.interval,
                            .resend_delay = options.resend_delay,
                            .external_labels = options.external_labels,
                            .external_url = options.external_url};
  std::vector<Rule> rules;
  std::map<std::string, int> counts;
  for (const RuleSpec& rule : spec.rules) {
    auto expression = (*environment.parse)(rule.expression);
    if (!expression.ok()) {
      return expression.error().WithContext(
          fmt::format("{}:{}: rule \"{}\"", spec.file, rule.line, rule.name));
    }
    const std::string identity = Identity(rule);
    // Two rules of one identity are told apart by their order.
    std::string key = fmt::format("{}#{}", identity, ++counts[identity]);
    if (!rule.alerting) {
      rules.push_back({std::move(key),
                       rule,
                       *std::move(expression),
                       RecordingRule(rule, spec.limit),
                       {},
                       {},
                       {}});
      continue;
    }
    ASSIGN_OR_RETURN(AlertingRule logic, AlertingRule::Make(rule, expression->text, context));
    rules.push_back({std::move(key),
                     rule,
                     *std::move(expression),
                     std::move(logic),
                     {},
                     MakeDataQueries(rule.expression, *environment.parse),
                     {}});
  }
  return std::unique_ptr<RuleGroup>(
      new RuleGroup(std::move(spec), std::move(options), environment, std::move(rules)));
}

RuleGroup::RuleGroup(GroupSpec spec, GroupOptions options, GroupEnvironment environment,
                     std::vector<Rule> rules)
    : spec_(std::move(spec)),
      options_(std::move(options)),
      environment_(environment),
      query_offset_(spec_.query_offset.value_or(options_.query_offset)),
      schedule_(options_.interval, OffsetOf(spec_, options_.interval), ReadClocks()),
      rules_(std::move(rules)) {
  status_.name = spec_.name;
  status_.file = spec_.file;
  status_.interval = options_.interval;
  status_.limit = spec_.limit;
  for (const Rule& rule : rules_) {
    status_.rules.push_back(InitialStatus(rule.spec, rule.expression.text));
  }
}

Now RuleGroup::ReadClocks() const {
  return {environment_.clock->Now(), environment_.clock->Monotonic()};
}

int64_t RuleGroup::QueryTime(const Tick& tick) const {
  return base::ToMillis(tick.at - query_offset_);
}

void RuleGroup::Run() {
  const Slot slot = schedule_.Take(ReadClocks());
  {
    base::MutexLock lock(mutex_);
    counters_.iterations += slot.missed + 1;
    counters_.iterations_missed += slot.missed;
    counters_.clock_jumps += slot.clock_jumped ? 1U : 0U;
  }
  if (slot.missed > 0) {
    environment_.logger->Warn(
        "rule group is too slow for its interval",
        {{"file", spec_.file}, {"group", spec_.name}, {"missed", std::to_string(slot.missed)}});
  }
  Evaluate(slot.tick);
}

void RuleGroup::Evaluate(const Tick& tick) {
  const base::MonotonicTime begin = environment_.clock->Monotonic();
  size_t samples = 0;
  for (size_t i = 0; i < rules_.size(); ++i) {
    const base::MonotonicTime rule_begin = environment_.clock->Monotonic();
    const base::Result<size_t> result = EvaluateRule(rules_[i], tick);
    samples += result.ok() ? *result : 0;
    Publish(i, result, tick, environment_.clock->Monotonic() - rule_begin);
  }
  EndOrphans(QueryTime(tick));
  // Saved first: after a crash in between, an alert is sent again instead of being made anew.
  SaveAlerts(tick);
  for (std::vector<notify::Alert>& alerts : std::exchange(due_, {})) {
    (*environment_.notify)(std::move(alerts));
  }
  base::MutexLock lock(mutex_);
  status_.evaluation_time = environment_.clock->Monotonic() - begin;
  status_.last_evaluation = tick.at;
  counters_.last_samples = samples;
}

base::Result<Outcome> RuleGroup::Advance(Rule& rule, const Tick& tick) const {
  const int64_t at_ms = QueryTime(tick);
  ASSIGN_OR_RETURN(promql::Vector vector, Query(rule.expression, at_ms));
  if (auto* alerting = std::get_if<AlertingRule>(&rule.logic)) {
    std::optional<DataSnapshot> data;
    if (rule.data) {
      data.emplace(*rule.data, at_ms);
    }
    return alerting->Advance(std::move(vector), tick,
                             TemplateEnvironment(*environment_.parse, options_.external_url, at_ms),
                             data ? &*data : nullptr);
  }
  return std::get<RecordingRule>(rule.logic).Advance(vector);
}

void RuleGroup::Queue(std::vector<notify::Alert> alerts) {
  if (!alerts.empty()) {
    due_.push_back(std::move(alerts));
  }
}

// The number of samples written. Alerts are told even when the store fails.
base::Result<size_t> RuleGroup::EvaluateRule(Rule& rule, const Tick& tick) {
  base::Result<Outcome> outcome = Advance(rule, tick);
  if (!outcome.ok()) {
    if (auto* alerting = std::get_if<AlertingRule>(&rule.logic)) {
      Queue(alerting->Remind(tick));
    }
    return outcome.error();
  }
  Queue(std::move(outcome->alerts));
  return Store(rule, outcome->samples, QueryTime(tick));
}

base::Result<size_t> RuleGroup::Store(Rule& rule, const std::vector<RuleSample>& samples,
                                      int64_t at_ms) {
  Writer writer(*environment_.store, at_ms);
  Series written;
  for (const RuleSample& sample : samples) {
    const auto former = rule.series.find(sample.labels);
    const storage::SeriesRef ref = former == rule.series.end() ? 0 : former->second;
    written.emplace(sample.labels, writer.Append(sample.labels, ref, sample.value));
  }
  for (const auto& [labels, ref] : rule.series) {
    if (written.count(labels) == 0) {
      writer.Append(labels, ref, model::kStaleNaN);
    }
  }
  if (writer.rejected() > 0) {
    environment_.logger->Warn("samples of a rule were rejected",
                              {{"file", spec_.file},
                               {"group", spec_.name},
                               {"rule", rule.spec.name},
                               {"rejected", std::to_string(writer.rejected())},
                               {"first_reason", writer.first_reason()}});
    base::MutexLock lock(mutex_);
    counters_.samples_rejected += writer.rejected();
  }
  RETURN_IF_ERROR(writer.Commit());
  rule.series = std::move(written);
  return samples.size();
}

void RuleGroup::EndOrphans(int64_t at_ms) {
  if (orphans_.empty()) {
    return;
  }
  for (const Rule& rule : rules_) {
    for (const auto& [labels, ref] : rule.series) {
      orphans_.erase(labels);
    }
  }
  Writer writer(*environment_.store, at_ms);
  for (const auto& [labels, ref] : orphans_) {
    writer.Append(labels, ref, model::kStaleNaN);
  }
  if (const auto committed = writer.Commit(); !committed.ok()) {
    environment_.logger->Warn("series of removed rules do not end before they go out of sight",
                              {{"group", spec_.name}, {"error", committed.error().message()}});
  }
  orphans_.clear();
}

void RuleGroup::Publish(size_t index, const base::Result<size_t>& result, const Tick& tick,
                        std::chrono::nanoseconds took) {
  const Rule& rule = rules_[index];
  const std::string error = result.ok() ? "" : result.error().message();
  bool is_news = false;
  {
    base::MutexLock lock(mutex_);
    RuleStatus& status = status_.rules[index];
    is_news = !error.empty() && error != status.last_error;
    status.health = error.empty() ? RuleHealth::kOk : RuleHealth::kErr;
    status.last_error = error;
    status.last_evaluation = tick.at;
    status.evaluation_time = took;
    if (const auto* alerting = std::get_if<AlertingRule>(&rule.logic)) {
      status.state = alerting->state();
      status.alerts = alerting->Alerts();
    }
    ++counters_.evaluations;
    counters_.failures += error.empty() ? 0U : 1U;
  }
  if (is_news) {
    environment_.logger->Warn(
        "rule failed",
        {{"file", spec_.file}, {"group", spec_.name}, {"rule", rule.spec.name}, {"error", error}});
  }
}

std::string RuleGroup::JournalName(const GroupSpec& spec) { return spec.file + "\n" + spec.name; }

// Only what changed is written; without live alerts nothing is.
void RuleGroup::SaveAlerts(const Tick& tick) {
  if (environment_.journal == nullptr) {
    return;
  }
  std::vector<AlertChange> changes;
  bool live = replace_saved_;
  for (const Rule& rule : rules_) {
    const auto* alerting = std::get_if<AlertingRule>(&rule.logic);
    if (alerting == nullptr) {
      continue;
    }
    live = live || !alerting->active().empty() || !rule.saved.empty();
    for (const auto& [labels, alert] : alerting->active()) {
      const auto saved = rule.saved.find(labels);
      if (replace_saved_ || saved == rule.saved.end() || !saved->second.SameStateAs(alert)) {
        changes.push_back({rule.key, labels, alert});
      }
    }
    for (const auto& [labels, alert] : rule.saved) {
      if (alerting->active().count(labels) == 0) {
        changes.push_back({rule.key, labels, std::nullopt});
      }
    }
  }
  if (!live) {
    return;
  }
  const auto saved = environment_.journal->Save(JournalName(spec_), tick, changes, replace_saved_);
  if (!saved.ok()) {
    if (!std::exchange(save_failed_, true)) {
      environment_.logger->Error(
          "alerts cannot be saved: a restart would forget what happens from now on",
          {{"file", spec_.file}, {"group", spec_.name}, {"error", saved.error().message()}});
    }
    return;
  }
  save_failed_ = false;
  replace_saved_ = false;
  for (Rule& rule : rules_) {
    if (const auto* alerting = std::get_if<AlertingRule>(&rule.logic)) {
      rule.saved = alerting->active();
    }
  }
}

void RuleGroup::Restore() {
  if (environment_.journal == nullptr) {
    return;
  }
  auto loaded = environment_.journal->Load(JournalName(spec_));
  if (!loaded.ok()) {
    environment_.logger->Error(
        "alerts cannot be restored and begin anew",
        {{"file", spec_.file}, {"group", spec_.name}, {"error", loaded.error().message()}});
  }
  if (!loaded.ok() || !loaded->has_value()) {
    return;
  }
  SavedGroup& saved = **loaded;
  // A wall clock that was set back meanwhile does not make time run backwards.
  const auto down = std::chrono::duration_cast<std::chrono::milliseconds>(
      std::max(environment_.clock->Now() - saved.last.at, base::WallTime::duration(0)));
  const auto first = saved.last.elapsed + options_.interval;
  schedule_.StartAt(first);
  replace_saved_ = true;  // Drops the rows of rules that are no more.
  for (size_t i = 0; i < rules_.size(); ++i) {
    const auto found = saved.alerts.find(rules_[i].key);
    auto* alerting = std::get_if<AlertingRule>(&rules_[i].logic);
    if (found == saved.alerts.end() || alerting == nullptr) {
      continue;
    }
    for (auto alert = found->second.begin(); alert != found->second.end();) {
      if (alert->second.state == AlertState::kPending && down > kOutageTolerance) {
        alert = found->second.erase(alert);
        continue;
      }
      // What is due for sending goes by the time that passed for the receivers.
      if (alert->second.last_sent) {
        *alert->second.last_sent -= down;
      }
      ++alert;
    }
    alerting->Restore(std::move(found->second), first + kRestoreGrace);
    PublishAlerts(i);
  }
}

void RuleGroup::PublishAlerts(size_t index) {
  const auto& alerting = std::get<AlertingRule>(rules_[index].logic);
  base::MutexLock lock(mutex_);
  status_.rules[index].state = alerting.state();
  status_.rules[index].alerts = alerting.Alerts();
}

void RuleGroup::TakeState(RuleGroup& former) {
  schedule_.ContinueFrom(former.schedule_);
  replace_saved_ = true;
  std::multimap<std::string, Rule*> by_identity;
  for (Rule& rule : former.rules_) {
    by_identity.emplace(Identity(rule.spec), &rule);
  }
  for (size_t i = 0; i < rules_.size(); ++i) {
    const auto match = by_identity.find(Identity(rules_[i].spec));
    if (match == by_identity.end()) {
      continue;
    }
    rules_[i].series = std::move(match->second->series);
    if (auto* alerting = std::get_if<AlertingRule>(&rules_[i].logic)) {
      alerting->TakeState(std::get<AlertingRule>(match->second->logic));
      PublishAlerts(i);
    }
    by_identity.erase(match);
  }
  orphans_ = std::move(former.orphans_);
  for (const auto& [identity, rule] : by_identity) {
    orphans_.merge(rule->series);
  }
}

void RuleGroup::EndSeries() {
  for (Rule& rule : rules_) {
    orphans_.merge(rule.series);
    rule.series.clear();
  }
  EndOrphans(base::ToMillis(environment_.clock->Now() - query_offset_));
}

GroupStatus RuleGroup::Status() const {
  base::MutexLock lock(mutex_);
  return status_;
}

GroupCounters RuleGroup::Counters() const {
  base::MutexLock lock(mutex_);
  return counters_;
}

}  // namespace rules
