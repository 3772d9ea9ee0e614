// From alerts to notifications, as Alertmanager does it. Pure: time comes in, notifications come
// out, nothing waits here.
//
// An alert joins one group per route that takes it. A new group waits group_wait (an alert that is
// older than that does not wait), then it is flushed every group_interval. A flush leaves out what
// is inhibited, outside the route's active times, muted or silenced, and makes a notification for
// each integration of the receiver that has news: an alert it was not told, all resolved, something
// resolved (if it wants to know), or repeat_interval has passed. What each was told is the log; it
// is durable, so that a restart repeats nothing.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "agent/notify/alert.h"
#include "agent/notify/notification.h"
#include "agent/notify/outbox.h"
#include "agent/notify/routing.h"
#include "agent/notify/silence.h"
#include "lib/base/clock.h"
#include "lib/model/labels.h"

namespace notify {

inline constexpr size_t kMaxAlerts = 50'000;  // More are refused and counted.
// Told long ago: a log entry is kept as long as its route repeats, at least this long.
inline constexpr std::chrono::hours kKeepLog{120};
// After a start the rules have so long to say again that an alert goes on.
inline constexpr std::chrono::minutes kRestartGrace{5};

// What an integration was last told of a group.
struct LogEntry {
  std::string integration;
  std::string group_key;
  std::vector<uint64_t> firing;  // Fingerprints, sorted.
  std::vector<uint64_t> resolved;
  base::WallTime told_at;
  base::WallTime expires_at;
  bool operator==(const LogEntry&) const = default;
};

struct AlertState {
  Alert alert;
  base::WallTime updated_at;
  std::vector<std::string> receivers;
  std::vector<std::string> silenced_by;
  std::vector<std::string> inhibited_by;  // Fingerprints.
  bool muted = false;                     // By the times of every route that takes it.
};

struct GroupState {
  model::Labels labels;
  std::string receiver;
  std::string group_key;
  std::vector<AlertState> alerts;
};

// Thread-compatible.
class Dispatcher {
 public:
  // Whether an integration still has to deliver something of a group; then it is not repeated.
  using IsWaitingFunc =
      std::function<bool(const std::string& integration, const std::string& group_key)>;

  // What the disk is to know.
  struct Changes {
    std::vector<Notification> notifications;  // In the order they are to be sent.
    std::vector<LogEntry> log;
    std::vector<model::Labels> forgotten_alerts;
  };

  // `silences` must outlive the dispatcher.
  Dispatcher(std::shared_ptr<const Routing> routing, const SilenceSet& silences,
             IsWaitingFunc is_waiting);

  // The alerts whose state is another one than before, as they are now: to be stored.
  std::vector<Alert> Put(std::vector<Alert> alerts, Moment now);
  std::optional<base::MonotonicTime> Due() const;
  Changes Advance(Moment now);
  // Makes every group that has yet to be flushed for the first time due, before a stop.
  void Hurry(Moment now);

  // What was stored. A firing alert gets kRestartGrace to be heard of again.
  void RestoreAlert(Alert alert, Moment now);
  void RestoreLog(LogEntry entry);
  // The log entries that have expired; asked for now and then.
  std::vector<LogEntry> ForgetLog(base::WallTime now);

  // Goes on with other routes: groups are made anew, the log stays.
  void Reroute(std::shared_ptr<const Routing> routing, Moment now);

  std::vector<AlertState> Alerts(Moment now) const;  // Those that fire.
  std::vector<GroupState> Groups(Moment now) const;
  const Routing& routing() const { return *routing_; }
  size_t alerts() const { return alerts_.size(); }
  uint64_t refused() const { return refused_; }

 private:
  struct Stored {
    Alert alert;
    base::WallTime updated_at;
    base::MonotonicTime expires;  // When a firing alert counts as resolved.
    size_t groups = 0;            // That hold it.

    bool ByTimeout(base::MonotonicTime now) const { return !alert.resolved && now >= expires; }
    bool Resolved(base::MonotonicTime now) const { return alert.resolved || now >= expires; }
  };
  struct Group {
    const Route* route = nullptr;
    std::string key;
    model::Labels labels;
    std::set<model::Labels> alerts;
    base::MonotonicTime next;
    bool flushed = false;
  };
  using GroupKey = std::pair<const Route*, model::Labels>;
  // The same in every run, as the routes' addresses are not.
  struct ByRouteKey {
    bool operator()(const GroupKey& a, const GroupKey& b) const {
      return std::tie(a.first->key, a.first, a.second) < std::tie(b.first->key, b.first, b.second);
    }
  };

  bool Merge(Alert alert, Moment now);
  void Join(const model::Labels& labels, Moment now);
  void Flush(Group* group, Moment now, Changes* changes);
  void Notify(const Group& group, const std::vector<Alert>& alerts, Moment now, Changes* changes);
  void DropResolved(Group* group, const std::vector<Alert>& flushed, Changes* changes);
  std::vector<std::string> Inhibitors(const model::Labels& labels, Moment now) const;
  bool IsMuted(const Route& route, base::WallTime now) const;
  bool AnyInterval(const std::vector<std::string>& names, base::WallTime now) const;
  bool HasNews(const Group& group, const std::string& integration, bool send_resolved,
               const LogEntry& told, Moment now) const;
  Alert Seen(const Stored& stored, Moment now) const;
  AlertState Describe(const Stored& stored, Moment now) const;

  std::shared_ptr<const Routing> routing_;
  const SilenceSet& silences_;
  const IsWaitingFunc is_waiting_;
  std::map<model::Labels, Stored> alerts_;
  std::map<GroupKey, Group, ByRouteKey> groups_;
  std::map<std::pair<std::string, std::string>, LogEntry> log_;  // By integration, group.
  uint64_t refused_ = 0;
};

}  // namespace notify
