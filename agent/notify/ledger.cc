#include "agent/notify/ledger.h"

#include <cstring>
#include <utility>

namespace notify {
namespace {

constexpr std::string_view kMigrations[] = {
    "CREATE TABLE notify_alerts (labels TEXT PRIMARY KEY, body BLOB NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE notify_log (integration TEXT NOT NULL, group_key TEXT NOT NULL,"
    "  told_at_ms INTEGER NOT NULL, expires_at_ms INTEGER NOT NULL, firing BLOB, resolved BLOB,"
    "  PRIMARY KEY (integration, group_key)) WITHOUT ROWID;"
    "CREATE TABLE notify_outbox (id INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE,"
    "  attempts INTEGER NOT NULL, died_at_ms INTEGER NOT NULL, reason TEXT NOT NULL,"
    "  body BLOB NOT NULL);"
    "CREATE TABLE notify_silences (id TEXT PRIMARY KEY, body BLOB NOT NULL) WITHOUT ROWID;"};

std::span<const uint8_t> Bytes(const std::string& text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}
std::span<const uint8_t> Bytes(const std::vector<uint64_t>& numbers) {
  return {reinterpret_cast<const uint8_t*>(numbers.data()), numbers.size() * sizeof(uint64_t)};
}
std::string_view Text(std::span<const uint8_t> blob) {
  return {reinterpret_cast<const char*>(blob.data()), blob.size()};
}
std::vector<uint64_t> Numbers(std::span<const uint8_t> blob) {
  std::vector<uint64_t> numbers(blob.size() / sizeof(uint64_t));
  if (!numbers.empty()) {
    std::memcpy(numbers.data(), blob.data(), numbers.size() * sizeof(uint64_t));
  }
  return numbers;
}

// `use(row)` for each row.
template <typename Use>
base::Result<void> ForEachRow(state::Database& database, std::string_view sql, Use use) {
  ASSIGN_OR_RETURN(state::Statement rows, database.Prepare(sql));
  for (;;) {
    ASSIGN_OR_RETURN(const bool row, rows.Step());
    if (!row) {
      return {};
    }
    use(rows);
  }
}

base::Result<void> LoadLetters(state::Database& database, Ledger::Contents* contents) {
  return ForEachRow(
      database, "SELECT attempts, died_at_ms, reason, body FROM notify_outbox ORDER BY id",
      [contents](const state::Statement& row) {
        auto notification = DecodeNotification(Text(row.Blob(3)));
        if (!notification.ok()) {
          ++contents->damaged;
          return;
        }
        const bool dead = row.Int(1) != 0;
        (dead ? contents->dead : contents->waiting)
            .push_back(
                {.notification = std::make_shared<const Notification>(*std::move(notification)),
                 .attempts = static_cast<int>(row.Int(0)),
                 .reason = std::string(row.Text(2)),
                 .died_at = base::FromMillis(row.Int(1))});
      });
}

}  // namespace

base::Result<std::unique_ptr<Ledger>> Ledger::Open(const state::StateFile* file) {
  if (file == nullptr) {
    return std::unique_ptr<Ledger>(new Ledger(std::nullopt));
  }
  ASSIGN_OR_RETURN(state::Database database,
                   file->Connect({.durability = state::Durability::kFull}));
  RETURN_IF_ERROR(database.Migrate("notify", kMigrations));
  return std::unique_ptr<Ledger>(new Ledger(std::move(database)));
}

base::Result<Ledger::Contents> Ledger::Load() {
  const base::MutexLock lock(mutex_);
  Contents contents;
  if (!database_) {
    return contents;
  }
  RETURN_IF_ERROR(ForEachRow(*database_, "SELECT body FROM notify_alerts",
                             [&contents](const state::Statement& row) {
                               auto alert = DecodeAlert(Text(row.Blob(0)));
                               if (alert.ok()) {
                                 contents.alerts.push_back(*std::move(alert));
                               } else {
                                 ++contents.damaged;
                               }
                             }));
  RETURN_IF_ERROR(ForEachRow(*database_,
                             "SELECT integration, group_key, told_at_ms, expires_at_ms, firing, "
                             "resolved FROM notify_log",
                             [&contents](const state::Statement& row) {
                               contents.log.push_back({.integration = std::string(row.Text(0)),
                                                       .group_key = std::string(row.Text(1)),
                                                       .firing = Numbers(row.Blob(4)),
                                                       .resolved = Numbers(row.Blob(5)),
                                                       .told_at = base::FromMillis(row.Int(2)),
                                                       .expires_at = base::FromMillis(row.Int(3))});
                             }));
  RETURN_IF_ERROR(ForEachRow(*database_, "SELECT body FROM notify_silences",
                             [&contents](const state::Statement& row) {
                               auto silence = DecodeSilence(Text(row.Blob(0)));
                               if (silence.ok()) {
                                 contents.silences.push_back(*std::move(silence));
                               } else {
                                 ++contents.damaged;
                               }
                             }));
  RETURN_IF_ERROR(LoadLetters(*database_, &contents));
  return contents;
}

template <typename Write>
base::Result<void> Ledger::Transact(Write write) {
  const base::MutexLock lock(mutex_);
  if (!database_) {
    return {};
  }
  ASSIGN_OR_RETURN(state::Transaction transaction, state::Transaction::Begin(*database_));
  if (auto written = write(*database_); !written.ok()) {
    return written;
  }
  return transaction.Commit();
}

base::Result<void> Ledger::SaveAlerts(std::span<const Alert> alerts) {
  return alerts.empty()
             ? base::Result<void>()
             : Transact([alerts](state::Database& database) -> base::Result<void> {
                 ASSIGN_OR_RETURN(
                     state::Statement put,
                     database.Prepare("INSERT OR REPLACE INTO notify_alerts VALUES (?, ?)"));
                 for (const Alert& alert : alerts) {
                   RETURN_IF_ERROR(put.Run(std::string_view(alert.labels.ToString()),
                                           Bytes(EncodeAlert(alert))));
                 }
                 return {};
               });
}

base::Result<void> Ledger::Commit(const Dispatcher::Changes& changes) {
  return Transact([&changes](state::Database& database) -> base::Result<void> {
    ASSIGN_OR_RETURN(state::Statement enqueue,
                     database.Prepare("INSERT OR IGNORE INTO notify_outbox (key, attempts, "
                                      "died_at_ms, reason, body) VALUES (?, 0, 0, '', ?)"));
    for (const Notification& notification : changes.notifications) {
      RETURN_IF_ERROR(
          enqueue.Run(std::string_view(notification.key), Bytes(EncodeNotification(notification))));
    }
    ASSIGN_OR_RETURN(state::Statement told,
                     database.Prepare("INSERT OR REPLACE INTO notify_log (integration, group_key, "
                                      "told_at_ms, expires_at_ms, firing, resolved) "
                                      "VALUES (?, ?, ?, ?, ?, ?)"));
    for (const LogEntry& entry : changes.log) {
      RETURN_IF_ERROR(told.Run(std::string_view(entry.integration),
                               std::string_view(entry.group_key), base::ToMillis(entry.told_at),
                               base::ToMillis(entry.expires_at), Bytes(entry.firing),
                               Bytes(entry.resolved)));
    }
    ASSIGN_OR_RETURN(state::Statement forget,
                     database.Prepare("DELETE FROM notify_alerts WHERE labels = ?"));
    for (const model::Labels& labels : changes.forgotten_alerts) {
      RETURN_IF_ERROR(forget.Run(std::string_view(labels.ToString())));
    }
    return {};
  });
}

base::Result<void> Ledger::ForgetLog(std::span<const LogEntry> entries) {
  return Transact([entries](state::Database& database) -> base::Result<void> {
    ASSIGN_OR_RETURN(
        state::Statement forget,
        database.Prepare("DELETE FROM notify_log WHERE integration = ? AND group_key = ?"));
    for (const LogEntry& entry : entries) {
      RETURN_IF_ERROR(
          forget.Run(std::string_view(entry.integration), std::string_view(entry.group_key)));
    }
    return {};
  });
}

base::Result<void> Ledger::SaveSilences(std::span<const Silence> silences) {
  return Transact([silences](state::Database& database) -> base::Result<void> {
    ASSIGN_OR_RETURN(state::Statement put,
                     database.Prepare("INSERT OR REPLACE INTO notify_silences VALUES (?, ?)"));
    for (const Silence& silence : silences) {
      RETURN_IF_ERROR(put.Run(std::string_view(silence.id), Bytes(EncodeSilence(silence))));
    }
    return {};
  });
}

base::Result<void> Ledger::ForgetSilences(std::span<const std::string> ids) {
  return Transact([ids](state::Database& database) -> base::Result<void> {
    ASSIGN_OR_RETURN(state::Statement forget,
                     database.Prepare("DELETE FROM notify_silences WHERE id = ?"));
    for (const std::string& id : ids) {
      RETURN_IF_ERROR(forget.Run(std::string_view(id)));
    }
    return {};
  });
}

base::Result<void> Ledger::Remove(const std::string& key) {
  return Transact([&key](state::Database& database) -> base::Result<void> {
    ASSIGN_OR_RETURN(state::Statement remove,
                     database.Prepare("DELETE FROM notify_outbox WHERE key = ?"));
    return remove.Run(std::string_view(key));
  });
}

base::Result<void> Ledger::Update(const Letter& letter) {
  return Transact([&letter](state::Database& database) -> base::Result<void> {
    ASSIGN_OR_RETURN(state::Statement update,
                     database.Prepare("UPDATE notify_outbox SET attempts = ?, died_at_ms = ?, "
                                      "reason = ? WHERE key = ?"));
    return update.Run(letter.attempts, base::ToMillis(letter.died_at),
                      std::string_view(letter.reason), std::string_view(letter.notification->key));
  });
}

}  // namespace notify
