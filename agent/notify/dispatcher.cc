#include "agent/notify/dispatcher.h"

#include <algorithm>
#include <iterator>
#include <tuple>
#include <utility>

#include <fmt/format.h>

namespace notify {
namespace {

// Alertmanager's order of label sets: fewer labels first; at the first difference the one that
// lacks the smaller name, else the smaller value.
bool LabelsBefore(const model::Labels& a, const model::Labels& b) {
  const size_t a_size = a.size();
  const size_t b_size = b.size();
  if (a_size != b_size) {
    return a_size < b_size;
  }
  for (auto x = a.begin(), y = b.begin(); x != a.end(); ++x, ++y) {
    if ((*x).name != (*y).name) {
      return (*x).name > (*y).name;
    }
    if ((*x).value != (*y).value) {
      return (*x).value < (*y).value;
    }
  }
  return false;
}

// Alertmanager's order within a notification: by job, instance, then all labels; those without a
// job come last.
bool ComesBefore(const Alert& a, const Alert& b) {
  for (const std::string_view name : {"job", "instance"}) {
    const std::string_view x = a.labels.Get(name);
    const std::string_view y = b.labels.Get(name);
    if (x != y) {
      return y.empty() || (!x.empty() && x < y);
    }
  }
  return LabelsBefore(a.labels, b.labels);
}

bool IsSubset(const std::vector<uint64_t>& part, const std::vector<uint64_t>& whole) {
  return std::includes(whole.begin(), whole.end(), part.begin(), part.end());
}

std::vector<uint64_t> Fingerprints(const std::vector<Alert>& alerts, bool resolved) {
  std::vector<uint64_t> found;
  for (const Alert& alert : alerts) {
    if (alert.resolved == resolved) {
      found.push_back(alert.labels.Fingerprint());
    }
  }
  std::sort(found.begin(), found.end());
  return found;
}

bool SameState(const Alert& a, const Alert& b) {
  return a.resolved == b.resolved && a.starts_at == b.starts_at && a.annotations == b.annotations &&
         a.generator_url == b.generator_url && (!a.resolved || a.ends_at == b.ends_at);
}

}  // namespace

Dispatcher::Dispatcher(std::shared_ptr<const Routing> routing, const SilenceSet& silences,
                       IsWaitingFunc is_waiting)
    : routing_(std::move(routing)), silences_(silences), is_waiting_(std::move(is_waiting)) {}

std::vector<Alert> Dispatcher::Put(std::vector<Alert> alerts, Moment now) {
  std::vector<Alert> changed;
  for (Alert& alert : alerts) {
    const model::Labels labels = alert.labels;
    if (alerts_.size() >= kMaxAlerts && alerts_.count(labels) == 0) {
      ++refused_;
      continue;
    }
    if (Merge(std::move(alert), now)) {
      changed.push_back(alerts_.at(labels).alert);
    }
    Join(labels, now);
  }
  return changed;
}

// True when its state is another one than before.
bool Dispatcher::Merge(Alert alert, Moment now) {
  const auto [at, is_new] = alerts_.try_emplace(alert.labels);
  Stored& stored = at->second;
  // What overlaps is the same firing: it began when it first began.
  if (!is_new && alert.starts_at > stored.alert.starts_at &&
      (!stored.Resolved(now.monotonic) || alert.starts_at < stored.alert.ends_at)) {
    alert.starts_at = stored.alert.starts_at;
  }
  const bool changed = is_new || stored.ByTimeout(now.monotonic) || !SameState(stored.alert, alert);
  stored.expires = now.monotonic + std::max(alert.ends_at - now.wall, base::WallTime::duration(0));
  stored.alert = std::move(alert);
  stored.updated_at = now.wall;
  return changed;
}

void Dispatcher::Join(const model::Labels& labels, Moment now) {
  Stored& stored = alerts_.at(labels);
  for (const Route& root : routing_->routes) {
    for (const Route* route : MatchRoutes(root, labels)) {
      model::Labels group_labels = GroupLabels(*route, labels);
      const auto [at, is_new] = groups_.try_emplace(GroupKey(route, group_labels));
      Group& group = at->second;
      if (is_new) {
        group.route = route;
        group.key = route->key + ":" + group_labels.ToString();
        group.labels = std::move(group_labels);
        group.next = now.monotonic + route->group_wait;
      }
      stored.groups += group.alerts.insert(labels).second ? 1U : 0U;
      if (!group.flushed && stored.alert.starts_at + route->group_wait < now.wall) {
        group.next = std::min(group.next, now.monotonic);
      }
    }
  }
}

std::optional<base::MonotonicTime> Dispatcher::Due() const {
  std::optional<base::MonotonicTime> due;
  for (const auto& [key, group] : groups_) {
    due = due ? std::min(*due, group.next) : group.next;
  }
  return due;
}

Dispatcher::Changes Dispatcher::Advance(Moment now) {
  Changes changes;
  std::vector<Group*> due;
  for (auto& [key, group] : groups_) {
    if (group.next <= now.monotonic) {
      due.push_back(&group);
    }
  }
  std::stable_sort(due.begin(), due.end(),
                   [](const Group* a, const Group* b) { return a->next < b->next; });
  for (Group* group : due) {
    // Ticks keep their distance; those that were missed are not made up for.
    group->next += group->route->group_interval;
    if (group->next <= now.monotonic || !group->flushed) {
      group->next = now.monotonic + group->route->group_interval;
    }
    group->flushed = true;
    Flush(group, now, &changes);
  }
  std::erase_if(groups_, [](const auto& entry) { return entry.second.alerts.empty(); });
  return changes;
}

void Dispatcher::Hurry(Moment now) {
  for (auto& [key, group] : groups_) {
    group.next = group.flushed ? group.next : now.monotonic;
  }
}

// As an alert looks now: one that nobody refreshed until its end is resolved.
Alert Dispatcher::Seen(const Stored& stored, Moment now) const {
  Alert alert = stored.alert;
  alert.resolved = stored.Resolved(now.monotonic);
  return alert;
}

void Dispatcher::Flush(Group* group, Moment now, Changes* changes) {
  std::vector<Alert> all;
  for (const model::Labels& labels : group->alerts) {
    all.push_back(Seen(alerts_.at(labels), now));
  }
  std::stable_sort(all.begin(), all.end(), ComesBefore);
  std::vector<Alert> told;
  if (!IsMuted(*group->route, now.wall)) {
    std::copy_if(all.begin(), all.end(), std::back_inserter(told), [&](const Alert& alert) {
      return Inhibitors(alert.labels, now).empty() &&
             silences_.Muting(alert.labels, now.wall).empty();
    });
  }
  if (!told.empty()) {
    Notify(*group, told, now, changes);
  }
  DropResolved(group, all, changes);
}

void Dispatcher::Notify(const Group& group, const std::vector<Alert>& alerts, Moment now,
                        Changes* changes) {
  const Receiver* const receiver = FindReceiver(*routing_, group.route->receiver);
  if (receiver == nullptr) {
    return;
  }
  const std::vector<std::string> ids = IntegrationIds(*receiver);
  for (size_t i = 0; i < ids.size(); ++i) {
    const bool send_resolved = receiver->integrations[i].send_resolved;
    LogEntry told{.integration = ids[i],
                  .group_key = group.key,
                  .firing = Fingerprints(alerts, false),
                  .resolved = Fingerprints(alerts, true),
                  .told_at = now.wall,
                  .expires_at = now.wall + std::max<std::chrono::milliseconds>(
                                               kKeepLog, 2 * group.route->repeat_interval)};
    if (!HasNews(group, ids[i], send_resolved, told, now)) {
      continue;
    }
    Notification notification{.key = {},
                              .integration = ids[i],
                              .receiver = receiver->name,
                              .group_key = group.key,
                              .group_labels = group.labels,
                              .alerts = alerts,
                              .created = now.wall};
    if (!send_resolved) {
      std::erase_if(notification.alerts, [](const Alert& alert) { return alert.resolved; });
    }
    if (!notification.alerts.empty()) {
      notification.key = NotificationKey(notification);
      changes->notifications.push_back(std::move(notification));
    }
    log_[{ids[i], group.key}] = told;
    changes->log.push_back(std::move(told));
  }
}

bool Dispatcher::HasNews(const Group& group, const std::string& integration, bool send_resolved,
                         const LogEntry& told, Moment now) const {
  const auto at = log_.find({integration, group.key});
  if (at == log_.end()) {
    return !told.firing.empty();
  }
  const LogEntry& before = at->second;
  if (!IsSubset(told.firing, before.firing)) {
    return true;
  }
  if (told.firing.empty()) {
    return !before.firing.empty();
  }
  if (send_resolved && !IsSubset(told.resolved, before.resolved)) {
    return true;
  }
  // A wall clock that was set back must not put the repeat off.
  const base::WallTime told_at = std::min(before.told_at, now.wall);
  return told_at + group.route->repeat_interval < now.wall && !is_waiting_(integration, group.key);
}

void Dispatcher::DropResolved(Group* group, const std::vector<Alert>& flushed, Changes* changes) {
  for (const Alert& alert : flushed) {
    if (!alert.resolved) {
      continue;
    }
    group->alerts.erase(alert.labels);
    const auto at = alerts_.find(alert.labels);
    if (--at->second.groups == 0) {
      alerts_.erase(at);
      changes->forgotten_alerts.push_back(alert.labels);
    }
  }
}

std::vector<std::string> Dispatcher::Inhibitors(const model::Labels& labels, Moment now) const {
  std::vector<std::string> found;
  for (const InhibitRule& rule : routing_->inhibit_rules) {
    if (!MatchesAll(rule.target_matchers, labels)) {
      continue;
    }
    // What is on both sides of a rule does not inhibit another one that is.
    const bool both_sides = MatchesAll(rule.source_matchers, labels);
    for (const auto& [source, stored] : alerts_) {
      if (!stored.Resolved(now.monotonic) && MatchesAll(rule.source_matchers, source) &&
          std::all_of(rule.equal.begin(), rule.equal.end(),
                      [&source = source, &labels](const std::string& name) {
                        return source.Get(name) == labels.Get(name);
                      }) &&
          !(both_sides && MatchesAll(rule.target_matchers, source))) {
        found.push_back(fmt::format("{:016x}", source.Fingerprint()));
        break;
      }
    }
  }
  return found;
}

bool Dispatcher::AnyInterval(const std::vector<std::string>& names, base::WallTime now) const {
  return std::any_of(names.begin(), names.end(), [&](const std::string& name) {
    const auto at = routing_->time_intervals.find(name);
    return at != routing_->time_intervals.end() &&
           std::any_of(at->second.begin(), at->second.end(),
                       [now](const TimeInterval& interval) { return interval.Contains(now); });
  });
}

bool Dispatcher::IsMuted(const Route& route, base::WallTime now) const {
  const bool inactive =
      !route.active_time_intervals.empty() && !AnyInterval(route.active_time_intervals, now);
  return inactive || AnyInterval(route.mute_time_intervals, now);
}

void Dispatcher::RestoreAlert(Alert alert, Moment now) {
  if (!alert.resolved) {
    alert.ends_at = std::max(alert.ends_at, now.wall + kRestartGrace);
  }
  Put({std::move(alert)}, now);
}

void Dispatcher::RestoreLog(LogEntry entry) {
  log_[{entry.integration, entry.group_key}] = std::move(entry);
}

std::vector<LogEntry> Dispatcher::ForgetLog(base::WallTime now) {
  std::vector<LogEntry> forgotten;
  for (auto at = log_.begin(); at != log_.end();) {
    if (now >= at->second.expires_at) {
      forgotten.push_back(std::move(at->second));
      at = log_.erase(at);
    } else {
      ++at;
    }
  }
  return forgotten;
}

void Dispatcher::Reroute(std::shared_ptr<const Routing> routing, Moment now) {
  groups_.clear();
  routing_ = std::move(routing);
  for (auto& [labels, stored] : alerts_) {
    stored.groups = 0;
    Join(labels, now);
  }
}

AlertState Dispatcher::Describe(const Stored& stored, Moment now) const {
  AlertState state{.alert = Seen(stored, now),
                   .updated_at = stored.updated_at,
                   .receivers = {},
                   .silenced_by = silences_.Muting(stored.alert.labels, now.wall),
                   .inhibited_by = Inhibitors(stored.alert.labels, now)};
  bool all_muted = true;
  for (const Route& root : routing_->routes) {
    for (const Route* route : MatchRoutes(root, stored.alert.labels)) {
      state.receivers.push_back(route->receiver);
      all_muted = all_muted && IsMuted(*route, now.wall);
    }
  }
  state.muted = all_muted && !state.receivers.empty();
  return state;
}

std::vector<AlertState> Dispatcher::Alerts(Moment now) const {
  std::vector<AlertState> states;
  for (const auto& [labels, stored] : alerts_) {
    if (!stored.Resolved(now.monotonic)) {
      states.push_back(Describe(stored, now));
    }
  }
  return states;
}

std::vector<GroupState> Dispatcher::Groups(Moment now) const {
  std::vector<GroupState> states;
  for (const auto& [key, group] : groups_) {
    GroupState state{.labels = group.labels,
                     .receiver = group.route->receiver,
                     .group_key = group.key,
                     .alerts = {}};
    for (const model::Labels& labels : group.alerts) {
      const Stored& stored = alerts_.at(labels);
      if (!stored.Resolved(now.monotonic)) {
        AlertState alert = Describe(stored, now);
        alert.receivers = {group.route->receiver};
        state.alerts.push_back(std::move(alert));
      }
    }
    if (!state.alerts.empty()) {
      states.push_back(std::move(state));
    }
  }
  std::sort(states.begin(), states.end(), [](const GroupState& a, const GroupState& b) {
    return std::tie(a.labels, a.receiver) < std::tie(b.labels, b.receiver);
  });
  return states;
}

}  // namespace notify
