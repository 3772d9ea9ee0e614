// What notifications keep on disk: alerts, what each receiver was told, what waits to be delivered,
// dead letters, silences. Without a state file nothing is kept and everything works from memory.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "agent/notify/dispatcher.h"
#include "agent/notify/notification.h"
#include "agent/notify/silence.h"
#include "agent/state/state_file.h"
#include "lib/base/clock.h"
#include "lib/base/mutex.h"
#include "lib/base/result.h"

namespace notify {

// A notification on its way, or one that was given up.
struct Letter {
  std::shared_ptr<const Notification> notification;
  int attempts = 0;
  std::string reason;      // Of the last failure.
  base::WallTime died_at;  // The epoch while it is alive.
};

// Thread-safe; calls wait for the disk.
class Ledger {
 public:
  struct Contents {
    std::vector<Alert> alerts;
    std::vector<LogEntry> log;
    std::vector<Letter> waiting;  // Oldest first.
    std::vector<Letter> dead;
    std::vector<Silence> silences;
    size_t damaged = 0;  // Rows that could not be read and were left out.
  };

  // `file` may be null; otherwise it must outlive the ledger.
  static base::Result<std::unique_ptr<Ledger>> Open(const state::StateFile* file);

  base::Result<Contents> Load();

  base::Result<void> SaveAlerts(std::span<const Alert> alerts);
  // All of it or nothing: a notification is never on its way without the log knowing.
  base::Result<void> Commit(const Dispatcher::Changes& changes);
  base::Result<void> ForgetLog(std::span<const LogEntry> entries);
  base::Result<void> SaveSilences(std::span<const Silence> silences);
  base::Result<void> ForgetSilences(std::span<const std::string> ids);

  // A delivered or discarded letter goes; any other is as it is now.
  base::Result<void> Remove(const std::string& key);
  base::Result<void> Update(const Letter& letter);

 private:
  explicit Ledger(std::optional<state::Database> database) : database_(std::move(database)) {}

  template <typename Write>
  base::Result<void> Transact(Write write);

  base::Mutex mutex_;
  std::optional<state::Database> database_ GUARDED_BY(mutex_);
};

}  // namespace notify
