#include "agent/rules/alert_journal.h"

#include <array>
#include <cstring>
#include <utility>
#include <vector>

namespace rules {
namespace {

// Times are Unix milliseconds ("_at") or milliseconds on the group's time line ("_since",
// last_sent).
constexpr std::string_view kMigrations[] = {
    "CREATE TABLE rule_groups ("
    "  name TEXT PRIMARY KEY, at INTEGER NOT NULL, elapsed INTEGER NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE rule_alerts ("
    "  rule_group TEXT NOT NULL, rule TEXT NOT NULL, labels BLOB NOT NULL,"
    "  state INTEGER NOT NULL, annotations BLOB NOT NULL, value REAL,"
    "  active_at INTEGER NOT NULL, active_since INTEGER NOT NULL,"
    "  fired_at INTEGER NOT NULL, resolved_at INTEGER NOT NULL, resolved_since INTEGER,"
    "  kept_at INTEGER NOT NULL, kept_since INTEGER, last_sent INTEGER,"
    "  PRIMARY KEY (rule_group, rule, labels)) WITHOUT ROWID;"};

constexpr std::string_view kInsertAlert =
    "INSERT OR REPLACE INTO rule_alerts VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?)";
constexpr std::string_view kDeleteAlert =
    "DELETE FROM rule_alerts WHERE rule_group = ? AND rule = ? AND labels = ?";

using Bytes = std::vector<uint8_t>;

// Per label: a 4-byte length and the name, a 4-byte length and the value.
Bytes Encode(const model::Labels& labels) {
  Bytes bytes;
  for (const model::Label label : labels) {
    for (const std::string_view text : {label.name, label.value}) {
      std::array<uint8_t, sizeof(uint32_t)> length{};
      const auto size = static_cast<uint32_t>(text.size());
      std::memcpy(length.data(), &size, sizeof(size));
      bytes.insert(bytes.end(), length.begin(), length.end());
      bytes.insert(bytes.end(), text.begin(), text.end());
    }
  }
  return bytes;
}

std::optional<std::string_view> TakeText(std::span<const uint8_t>* bytes) {
  uint32_t size = 0;
  if (bytes->size() < sizeof(size)) {
    return std::nullopt;
  }
  std::memcpy(&size, bytes->data(), sizeof(size));
  *bytes = bytes->subspan(sizeof(size));
  if (bytes->size() < size) {
    return std::nullopt;
  }
  const auto* const text = static_cast<const char*>(static_cast<const void*>(bytes->data()));
  *bytes = bytes->subspan(size);
  return std::string_view(text, size);
}

std::optional<model::Labels> Decode(std::span<const uint8_t> bytes) {
  model::LabelsBuilder builder;
  while (!bytes.empty()) {
    const auto name = TakeText(&bytes);
    const auto value = name ? TakeText(&bytes) : std::nullopt;
    if (!value) {
      return std::nullopt;
    }
    builder.Set(*name, *value);
  }
  return builder.Build();
}

using Elapsed = ActiveAlert::Elapsed;

std::optional<Elapsed> ElapsedOf(const state::Statement& row, int column) {
  return row.IsNull(column) ? std::nullopt : std::optional(Elapsed(row.Int(column)));
}

void BindElapsed(state::Statement& statement, int index, const std::optional<Elapsed>& elapsed) {
  if (elapsed) {
    statement.Bind(index, elapsed->count());
  } else {
    statement.Bind(index, nullptr);
  }
}

std::optional<AlertState> StateOf(int64_t number) {
  for (const AlertState state :
       {AlertState::kInactive, AlertState::kPending, AlertState::kFiring}) {
    if (static_cast<int64_t>(state) == number) {
      return state;
    }
  }
  return std::nullopt;
}

// Columns: labels, then as in the table.
std::optional<std::pair<model::Labels, ActiveAlert>> AlertOf(const state::Statement& row) {
  const auto labels = Decode(row.Blob(0));
  const auto state = StateOf(row.Int(1));
  const auto annotations = Decode(row.Blob(2));
  if (!labels || !state || !annotations) {
    return std::nullopt;
  }
  return std::pair(*labels, ActiveAlert{.state = *state,
                                        .annotations = *annotations,
                                        .value = row.Double(3),
                                        .active_at = base::FromMillis(row.Int(4)),
                                        .active_since = Elapsed(row.Int(5)),
                                        .fired_at = base::FromMillis(row.Int(6)),
                                        .resolved_at = base::FromMillis(row.Int(7)),
                                        .resolved_since = ElapsedOf(row, 8),
                                        .kept_at = base::FromMillis(row.Int(9)),
                                        .kept_since = ElapsedOf(row, 10),
                                        .last_sent = ElapsedOf(row, 11)});
}

base::Result<void> Insert(state::Statement& insert, const std::string& group,
                          const AlertChange& change) {
  const ActiveAlert& alert = *change.alert;
  insert.Bind(1, std::string_view(group));
  insert.Bind(2, std::string_view(change.rule));
  insert.Bind(3, std::span<const uint8_t>(Encode(change.labels)));
  insert.Bind(4, static_cast<int64_t>(alert.state));
  insert.Bind(5, std::span<const uint8_t>(Encode(alert.annotations)));
  insert.Bind(6, alert.value);
  insert.Bind(7, base::ToMillis(alert.active_at));
  insert.Bind(8, alert.active_since.count());
  insert.Bind(9, base::ToMillis(alert.fired_at));
  insert.Bind(10, base::ToMillis(alert.resolved_at));
  BindElapsed(insert, 11, alert.resolved_since);
  insert.Bind(12, base::ToMillis(alert.kept_at));
  BindElapsed(insert, 13, alert.kept_since);
  BindElapsed(insert, 14, alert.last_sent);
  RETURN_IF_ERROR(insert.Step());
  insert.Reset();
  return {};
}

}  // namespace

base::Result<std::unique_ptr<AlertJournal>> AlertJournal::Open(state::Database database) {
  RETURN_IF_ERROR(database.Migrate("rules", kMigrations));
  return std::unique_ptr<AlertJournal>(new AlertJournal(std::move(database)));
}

base::Result<std::optional<SavedGroup>> AlertJournal::Load(const std::string& group) {
  const base::MutexLock lock(mutex_);
  ASSIGN_OR_RETURN(state::Statement mark,
                   database_.Prepare("SELECT at, elapsed FROM rule_groups WHERE name = ?"));
  mark.Bind(1, std::string_view(group));
  ASSIGN_OR_RETURN(const bool known, mark.Step());
  if (!known) {
    return std::optional<SavedGroup>();
  }
  SavedGroup saved{.last = {.at = base::FromMillis(mark.Int(0)), .elapsed = Elapsed(mark.Int(1))}};
  mark.Reset();
  ASSIGN_OR_RETURN(
      state::Statement rows,
      database_.Prepare("SELECT labels, state, annotations, value, active_at, active_since, "
                        "fired_at, resolved_at, resolved_since, kept_at, kept_since, last_sent, "
                        "rule FROM rule_alerts WHERE rule_group = ? LIMIT ?"));
  rows.Bind(1, std::string_view(group));
  rows.Bind(2, kMaxRestoredAlerts);
  for (;;) {
    ASSIGN_OR_RETURN(const bool row, rows.Step());
    if (!row) {
      return std::optional(std::move(saved));
    }
    if (auto alert = AlertOf(rows)) {
      saved.alerts[std::string(rows.Text(12))].insert(*std::move(alert));
    }
  }
}

base::Result<void> AlertJournal::Save(const std::string& group, const Tick& tick,
                                      std::span<const AlertChange> changes, bool replace) {
  const base::MutexLock lock(mutex_);
  ASSIGN_OR_RETURN(state::Transaction transaction, state::Transaction::Begin(database_));
  if (replace) {
    ASSIGN_OR_RETURN(state::Statement clear,
                     database_.Prepare("DELETE FROM rule_alerts WHERE rule_group = ?"));
    RETURN_IF_ERROR(clear.Run(std::string_view(group)));
  }
  ASSIGN_OR_RETURN(state::Statement mark,
                   database_.Prepare("INSERT OR REPLACE INTO rule_groups VALUES (?, ?, ?)"));
  RETURN_IF_ERROR(mark.Run(std::string_view(group), base::ToMillis(tick.at), tick.elapsed.count()));
  ASSIGN_OR_RETURN(state::Statement insert, database_.Prepare(kInsertAlert));
  ASSIGN_OR_RETURN(state::Statement remove, database_.Prepare(kDeleteAlert));
  for (const AlertChange& change : changes) {
    if (change.alert) {
      RETURN_IF_ERROR(Insert(insert, group, change));
    } else {
      RETURN_IF_ERROR(remove.Run(std::string_view(group), std::string_view(change.rule),
                                 std::span<const uint8_t>(Encode(change.labels))));
    }
  }
  return transaction.Commit();
}

base::Result<void> AlertJournal::KeepOnly(const std::set<std::string>& groups) {
  const base::MutexLock lock(mutex_);
  std::vector<std::string> gone;
  {
    ASSIGN_OR_RETURN(state::Statement rows, database_.Prepare("SELECT name FROM rule_groups"));
    for (;;) {
      ASSIGN_OR_RETURN(const bool row, rows.Step());
      if (!row) {
        break;
      }
      std::string name(rows.Text(0));
      if (groups.count(name) == 0) {
        gone.push_back(std::move(name));
      }
    }
  }
  if (gone.empty()) {
    return {};
  }
  ASSIGN_OR_RETURN(state::Transaction transaction, state::Transaction::Begin(database_));
  for (const char* sql :
       {"DELETE FROM rule_alerts WHERE rule_group = ?", "DELETE FROM rule_groups WHERE name = ?"}) {
    ASSIGN_OR_RETURN(state::Statement remove, database_.Prepare(sql));
    for (const std::string& name : gone) {
      RETURN_IF_ERROR(remove.Run(std::string_view(name)));
    }
  }
  return transaction.Commit();
}

}  // namespace rules
