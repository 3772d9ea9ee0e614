#include "agent/rules/manager.h"

#include <algorithm>
#include <functional>
#include <map>
#include <set>
#include <thread>
#include <utility>

#include "agent/rules/rule_group.h"
#include "lib/base/duration.h"
#include "lib/base/mutex.h"

namespace rules {
namespace {

// Groups that can be evaluated at the same time. The others wait for one of these to end.
constexpr size_t kMaxWorkers = 4;

// Groups are the same to a reload when file and name are.
using Identity = std::pair<std::string, std::string>;
Identity IdentityOf(const GroupSpec& spec) { return {spec.file, spec.name}; }

using GroupPtr = std::shared_ptr<RuleGroup>;

// What one group shows of itself in /metrics.
struct GroupFacts {
  GroupStatus status;
  GroupCounters counters;
};

struct GroupMetric {
  model::MetricDesc desc;
  double (*read)(const GroupFacts& facts);
};

double LastEvaluationSeconds(const GroupFacts& facts) {
  return facts.status.last_evaluation
             ? static_cast<double>(base::ToMillis(*facts.status.last_evaluation)) / 1000
             : 0;
}

constexpr model::LabelNames kGroupLabels = {"file", "group"};
constexpr GroupMetric kGroupMetrics[] = {
    {{.name = "tarsier_rule_group_iterations_total",
      .help = "Slots of the group that came, missed ones included.",
      .type = model::MetricType::kCounter,
      .labels = kGroupLabels},
     [](const GroupFacts& facts) { return static_cast<double>(facts.counters.iterations); }},
    {{.name = "tarsier_rule_group_iterations_missed_total",
      .help = "Slots of the group that passed while its evaluation was still running.",
      .type = model::MetricType::kCounter,
      .labels = kGroupLabels},
     [](const GroupFacts& facts) { return static_cast<double>(facts.counters.iterations_missed); }},
    {{.name = "tarsier_rule_evaluations_total",
      .help = "Evaluations of rules.",
      .type = model::MetricType::kCounter,
      .labels = kGroupLabels},
     [](const GroupFacts& facts) { return static_cast<double>(facts.counters.evaluations); }},
    {{.name = "tarsier_rule_evaluation_failures_total",
      .help = "Evaluations of rules that failed.",
      .type = model::MetricType::kCounter,
      .labels = kGroupLabels},
     [](const GroupFacts& facts) { return static_cast<double>(facts.counters.failures); }},
    {{.name = "tarsier_rule_samples_rejected_total",
      .help = "Samples of rules that the store rejected.",
      .type = model::MetricType::kCounter,
      .labels = kGroupLabels},
     [](const GroupFacts& facts) { return static_cast<double>(facts.counters.samples_rejected); }},
    {{.name = "tarsier_rule_group_clock_jumps_total",
      .help = "Times the wall clock was set between two slots of the group.",
      .type = model::MetricType::kCounter,
      .labels = kGroupLabels},
     [](const GroupFacts& facts) { return static_cast<double>(facts.counters.clock_jumps); }},
    {{.name = "tarsier_rule_group_last_evaluation_samples",
      .help = "Samples that the last evaluation of the group wrote.",
      .labels = kGroupLabels},
     [](const GroupFacts& facts) { return static_cast<double>(facts.counters.last_samples); }},
    {{.name = "tarsier_rule_group_last_duration_seconds",
      .help = "Time that the last evaluation of the group took.",
      .labels = kGroupLabels},
     [](const GroupFacts& facts) { return base::ToSeconds(facts.status.evaluation_time); }},
    {{.name = "tarsier_rule_group_interval_seconds",
      .help = "Time between two evaluations of the group.",
      .labels = kGroupLabels},
     [](const GroupFacts& facts) { return base::ToSeconds(facts.status.interval); }},
    {{.name = "tarsier_rule_group_rules", .help = "Rules in the group.", .labels = kGroupLabels},
     [](const GroupFacts& facts) { return static_cast<double>(facts.status.rules.size()); }},
};

constexpr model::MetricDesc kLastEvaluation = {
    .name = "tarsier_rule_group_last_evaluation_timestamp_seconds",
    .help = "Unix time of the last evaluation of the group.",
    .labels = kGroupLabels};

}  // namespace

class Manager::Impl {
 public:
  Impl(ManagerOptions options, ParseFunc parse, storage::Appendable& store,
       notify::NotifyFunc notify, const base::Clock& clock, const base::Logger& logger)
      : options_(std::move(options)),
        parse_(std::move(parse)),
        notify_(std::move(notify)),
        clock_(clock),
        environment_{.parse = &parse_,
                     .store = &store,
                     .notify = &notify_,
                     .clock = &clock,
                     .logger = &logger,
                     .journal = options_.journal} {}

  base::Result<void> Reload(RuleSet rules) {
    base::MutexLock reload_lock(reload_mutex_);
    ASSIGN_OR_RETURN(const std::vector<GroupPtr> groups, MakeGroups(std::move(rules)));
    JoinWorkers();
    std::vector<GroupPtr> former = Groups();
    HandOver(former, groups);
    Restore(former, groups);
    {
      base::MutexLock lock(mutex_);
      scheduled_.clear();
      for (const GroupPtr& group : groups) {
        scheduled_.push_back({.group = group});
      }
    }
    StartWorkers(groups.size());
    return {};
  }

  void Stop() {
    base::MutexLock reload_lock(reload_mutex_);
    stopped_ = true;
    JoinWorkers();
  }

  std::vector<GroupPtr> Groups() const {
    base::MutexLock lock(mutex_);
    std::vector<GroupPtr> groups;
    std::transform(scheduled_.begin(), scheduled_.end(), std::back_inserter(groups),
                   [](const Scheduled& entry) { return entry.group; });
    return groups;
  }

 private:
  struct Scheduled {
    GroupPtr group;
    bool claimed = false;  // By a worker that waits for its slot or evaluates it.
  };

  // Groups that are the same as before are the same objects, which keeps them on their slots.
  base::Result<std::vector<GroupPtr>> MakeGroups(RuleSet rules) REQUIRES_LOCK(reload_mutex_) {
    std::map<Identity, GroupPtr> former;
    for (GroupPtr& group : Groups()) {
      former.emplace(IdentityOf(group->spec()), std::move(group));
    }
    std::vector<GroupPtr> groups;
    for (GroupSpec& spec : rules.groups) {
      GroupOptions options{.interval = spec.interval.value_or(rules.evaluation_interval),
                           .query_offset = rules.query_offset,
                           .resend_delay = options_.resend_delay,
                           .external_labels = rules.external_labels,
                           .external_url = options_.external_url};
      const auto match = former.find(IdentityOf(spec));
      if (match != former.end() && match->second->spec().SameAs(spec) &&
          match->second->options() == options) {
        groups.push_back(match->second);
        continue;
      }
      ASSIGN_OR_RETURN(std::unique_ptr<RuleGroup> group,
                       RuleGroup::Make(std::move(spec), std::move(options), environment_));
      groups.push_back(std::move(group));
    }
    return groups;
  }

  static void HandOver(const std::vector<GroupPtr>& former, const std::vector<GroupPtr>& groups) {
    std::map<Identity, GroupPtr> successors;
    for (const GroupPtr& group : groups) {
      successors.emplace(IdentityOf(group->spec()), group);
    }
    for (const GroupPtr& group : former) {
      const auto successor = successors.find(IdentityOf(group->spec()));
      if (successor == successors.end()) {
        group->EndSeries();
      } else if (successor->second != group) {
        successor->second->TakeState(*group);
      }
    }
  }

  // Groups that no former one hands its state to go on where a former process stopped; the journal
  // forgets those that are gone.
  void Restore(const std::vector<GroupPtr>& former, const std::vector<GroupPtr>& groups) const {
    if (options_.journal == nullptr) {
      return;
    }
    std::set<Identity> handed_over;
    for (const GroupPtr& group : former) {
      handed_over.insert(IdentityOf(group->spec()));
    }
    std::set<std::string> names;
    for (const GroupPtr& group : groups) {
      names.insert(RuleGroup::JournalName(group->spec()));
      if (handed_over.count(IdentityOf(group->spec())) == 0) {
        group->Restore();
      }
    }
    if (const auto kept = options_.journal->KeepOnly(names); !kept.ok()) {
      environment_.logger->Warn("alerts of removed rules stay in the state file",
                                {{"error", kept.error().message()}});
    }
  }

  void StartWorkers(size_t groups) REQUIRES_LOCK(reload_mutex_) {
    if (stopped_) {
      return;
    }
    stop_ = std::make_unique<base::StopSignal>();
    for (size_t i = 0; i < std::min(groups, kMaxWorkers); ++i) {
      workers_.emplace_back([this, &stop = *stop_] { Work(stop); });
    }
  }

  void JoinWorkers() REQUIRES_LOCK(reload_mutex_) {
    if (stop_ != nullptr) {
      stop_->Request();
    }
    for (std::thread& worker : workers_) {
      worker.join();
    }
    workers_.clear();
  }

  // There are never more workers than groups, so there is always one to claim.
  void Work(const base::StopSignal& stop) {
    while (!stop.requested()) {
      const GroupPtr group = ClaimEarliest();
      if (!clock_.SleepUntil(group->deadline(), stop)) {
        group->Run();
      }
      Release(group);
    }
  }

  GroupPtr ClaimEarliest() {
    base::MutexLock lock(mutex_);
    Scheduled* earliest = nullptr;
    for (Scheduled& entry : scheduled_) {
      if (!entry.claimed &&
          (earliest == nullptr || entry.group->deadline() < earliest->group->deadline())) {
        earliest = &entry;
      }
    }
    earliest->claimed = true;
    return earliest->group;
  }

  void Release(const GroupPtr& group) {
    base::MutexLock lock(mutex_);
    for (Scheduled& entry : scheduled_) {
      if (entry.group == group) {
        entry.claimed = false;
      }
    }
  }

  const ManagerOptions options_;
  const ParseFunc parse_;
  const notify::NotifyFunc notify_;
  const base::Clock& clock_;
  const GroupEnvironment environment_;

  base::Mutex reload_mutex_;  // Held over a whole Reload or Stop.
  std::vector<std::thread> workers_ GUARDED_BY(reload_mutex_);
  std::unique_ptr<base::StopSignal> stop_ GUARDED_BY(reload_mutex_);
  bool stopped_ GUARDED_BY(reload_mutex_) = false;

  mutable base::Mutex mutex_;
  std::vector<Scheduled> scheduled_ GUARDED_BY(mutex_);
};

Manager::Manager(ManagerOptions options, ParseFunc parse, storage::Appendable& store,
                 notify::NotifyFunc notify, const base::Clock& clock, const base::Logger& logger)
    : impl_(std::make_unique<Impl>(std::move(options), std::move(parse), store, std::move(notify),
                                   clock, logger)) {}

Manager::~Manager() { Stop(); }

base::Result<void> Manager::Reload(RuleSet rules) { return impl_->Reload(std::move(rules)); }

void Manager::Stop() { impl_->Stop(); }

RulesStatus Manager::Status() const {
  RulesStatus status;
  for (const GroupPtr& group : impl_->Groups()) {
    status.push_back(group->Status());
  }
  std::stable_sort(status.begin(), status.end(),
                   [](const GroupStatus& a, const GroupStatus& b) { return a.file < b.file; });
  return status;
}

std::vector<model::MetricFamily> Manager::Metrics() const {
  std::vector<GroupFacts> groups;
  for (const GroupPtr& group : impl_->Groups()) {
    groups.push_back({group->Status(), group->Counters()});
  }
  std::vector<model::MetricFamily> families;
  for (const GroupMetric& metric : kGroupMetrics) {
    model::MetricFamily family{.desc = &metric.desc};
    for (const GroupFacts& facts : groups) {
      family.Add(metric.read(facts), {facts.status.file, facts.status.name});
    }
    families.push_back(std::move(family));
  }
  model::MetricFamily last{.desc = &kLastEvaluation};
  for (const GroupFacts& facts : groups) {
    if (facts.status.last_evaluation) {
      last.Add(LastEvaluationSeconds(facts), {facts.status.file, facts.status.name});
    }
  }
  families.push_back(std::move(last));
  return families;
}

}  // namespace rules
