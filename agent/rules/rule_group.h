// Rules that are evaluated together, in order, each seeing what those before it wrote.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <variant>
#include <vector>

#include "agent/notify/alert.h"
#include "agent/rules/alert_journal.h"
#include "agent/rules/alerting_rule.h"
#include "agent/rules/expression.h"
#include "agent/rules/recording_rule.h"
#include "agent/rules/rule_file.h"
#include "agent/rules/slot_schedule.h"
#include "agent/rules/status.h"
#include "agent/storage/appender.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/base/mutex.h"
#include "lib/base/result.h"
#include "lib/model/labels.h"

namespace rules {

// The world as a group sees it. Everything outlives the group.
struct GroupEnvironment {
  const ParseFunc* parse = nullptr;
  storage::Appendable* store = nullptr;
  const notify::NotifyFunc* notify = nullptr;
  const base::Clock* clock = nullptr;
  const base::Logger* logger = nullptr;
  AlertJournal* journal = nullptr;  // None: a restart forgets the alerts.
};

struct GroupOptions {
  std::chrono::milliseconds interval{60'000};  // Unless the group has its own.
  std::chrono::milliseconds query_offset{0};   // Likewise.
  std::chrono::milliseconds resend_delay{60'000};
  model::Labels external_labels;
  std::string external_url;

  bool operator==(const GroupOptions&) const = default;
};

// How long a restart may take before pending alerts begin anew, as in Prometheus.
inline constexpr std::chrono::hours kOutageTolerance{1};
// How long after a restart a missing alert is not yet taken for over: targets are to be scraped
// twice.
inline constexpr std::chrono::minutes kRestoreGrace{2};

// Since the group was made.
struct GroupCounters {
  uint64_t iterations = 0;
  uint64_t iterations_missed = 0;
  uint64_t evaluations = 0;
  uint64_t failures = 0;
  uint64_t samples_rejected = 0;  // By the store.
  uint64_t clock_jumps = 0;
  size_t last_samples = 0;  // Of the last run.
};

// Run, deadline and TakeState are for one thread at a time; the const rest is thread-safe.
class RuleGroup {
 public:
  // Errors: kInvalidArgument (an expression or a template).
  static base::Result<std::unique_ptr<RuleGroup>> Make(GroupSpec spec, GroupOptions options,
                                                       GroupEnvironment environment);

  // As the journal knows a group.
  static std::string JournalName(const GroupSpec& spec);

  const GroupSpec& spec() const { return spec_; }
  const GroupOptions& options() const { return options_; }

  base::MonotonicTime deadline() const { return schedule_.deadline(); }
  // Evaluates the slot that is due.
  void Run();
  // Evaluates all rules at one moment.
  void Evaluate(const Tick& tick);

  // Goes on where a former version of this group stopped: rules of the same name and labels keep
  // their alerts and series; the series of the others end with the next run.
  void TakeState(RuleGroup& former);
  // Goes on where a former process stopped, as the journal has it. Before the first Run.
  void Restore();
  // Ends all series of this group, which is removed.
  void EndSeries();

  GroupStatus Status() const;
  GroupCounters Counters() const;

 private:
  using Series = std::unordered_map<model::Labels, storage::SeriesRef>;

  struct Rule {
    std::string key;  // The same for the same rule over reloads and restarts.
    RuleSpec spec;
    Expression expression;
    std::variant<AlertingRule, RecordingRule> logic;
    Series series;                    // What the last successful evaluation wrote.
    std::optional<DataQueries> data;  // Of alerting rules.
    AlertsOfRule saved;               // What the journal has.
  };

  RuleGroup(GroupSpec spec, GroupOptions options, GroupEnvironment environment,
            std::vector<Rule> rules);

  base::Result<Outcome> Advance(Rule& rule, const Tick& tick) const;
  void Queue(std::vector<notify::Alert> alerts);
  base::Result<size_t> EvaluateRule(Rule& rule, const Tick& tick);
  base::Result<size_t> Store(Rule& rule, const std::vector<RuleSample>& samples, int64_t at_ms);
  void EndOrphans(int64_t at_ms);
  void SaveAlerts(const Tick& tick);
  void PublishAlerts(size_t index);
  void Publish(size_t index, const base::Result<size_t>& result, const Tick& tick,
               std::chrono::nanoseconds took);
  int64_t QueryTime(const Tick& tick) const;
  Now ReadClocks() const;

  const GroupSpec spec_;
  const GroupOptions options_;
  const GroupEnvironment environment_;
  const std::chrono::milliseconds query_offset_;
  SlotSchedule schedule_;
  std::vector<Rule> rules_;
  std::vector<std::vector<notify::Alert>> due_;  // Of this evaluation, by rule.
  Series orphans_;                               // Of rules that a reload removed.
  // The journal may have alerts that `saved` of no rule knows.
  bool replace_saved_ = false;
  bool save_failed_ = false;

  mutable base::Mutex mutex_;
  GroupStatus status_ GUARDED_BY(mutex_);
  GroupCounters counters_ GUARDED_BY(mutex_);
};

}  // namespace rules
