#include "agent/state/database.h"

#include <utility>

#include <fcntl.h>
#include <fmt/format.h>
#include <sqlite3.h>
#include <unistd.h>

#include "agent/state/state_file.h"
#include "lib/base/file.h"

namespace state {
namespace {

using base::Error;
using base::ErrorKind;

// The log of writes is cut back to this after a checkpoint, and checkpointed at this many pages.
constexpr int kWalBytes = 4 << 20;
constexpr int kWalPages = 1'000;

struct ErrorRow {
  int code;
  ErrorKind kind;
  std::string_view advice;
};
constexpr ErrorRow kErrors[] = {
    {SQLITE_BUSY, ErrorKind::kUnavailable, "another program or thread is writing to it"},
    {SQLITE_LOCKED, ErrorKind::kUnavailable, "another thread is writing to it"},
    {SQLITE_FULL, ErrorKind::kResourceExhausted, "free some space on its disk"},
    {SQLITE_IOERR, ErrorKind::kResourceExhausted, "check its disk: space, quota, health"},
    {SQLITE_NOMEM, ErrorKind::kResourceExhausted, "the machine is short of memory"},
    {SQLITE_TOOBIG, ErrorKind::kResourceExhausted, "one value is too long"},
    {SQLITE_CANTOPEN, ErrorKind::kPermissionDenied,
     "check that the directory exists and that this user may write to it"},
    {SQLITE_READONLY, ErrorKind::kPermissionDenied, "let this user write to it"},
    {SQLITE_PERM, ErrorKind::kPermissionDenied, "let this user read and write it"},
    {SQLITE_CORRUPT, ErrorKind::kInvalidArgument,
     "the file is damaged; at the next start it is moved aside and a new one begun"},
    {SQLITE_NOTADB, ErrorKind::kInvalidArgument,
     "the file is damaged; at the next start it is moved aside and a new one begun"},
};

int PrimaryCode(int code) { return code & 0xff; }

bool IsDamage(int code) {
  return PrimaryCode(code) == SQLITE_CORRUPT || PrimaryCode(code) == SQLITE_NOTADB;
}

// The next start reads the whole file before it trusts it again.
void MarkSuspect(const std::string& path) {
  const base::UniqueFd mark(
      open(SuspectMarkOf(path).c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
}

Error ToError(int code, const std::string& path, std::string_view reason) {
  if (IsDamage(code)) {
    MarkSuspect(path);
  }
  for (const ErrorRow& row : kErrors) {
    if (row.code == PrimaryCode(code)) {
      return Error(fmt::format("state file {}: {}{}{}", path, reason,
                               row.advice.empty() ? "" : "; ", row.advice),
                   row.kind);
    }
  }
  return Error(fmt::format("state file {}: {}", path, reason));
}

Error LastError(sqlite3* connection, const std::string& path) {
  return ToError(sqlite3_extended_errcode(connection), path, sqlite3_errmsg(connection));
}

std::string Setup(const ConnectionOptions& options) {
  std::string sql = fmt::format("PRAGMA cache_size = -{};", options.cache_bytes >> 10);
  if (!options.read_only) {
    sql += fmt::format(
        "PRAGMA auto_vacuum = INCREMENTAL; PRAGMA journal_mode = WAL; PRAGMA synchronous = {};"
        "PRAGMA journal_size_limit = {}; PRAGMA wal_autocheckpoint = {};",
        options.durability == Durability::kFull ? "FULL" : "NORMAL", kWalBytes, kWalPages);
  }
  return sql;
}

}  // namespace

Statement::Statement(Statement&& other) noexcept
    : statement_(std::exchange(other.statement_, nullptr)),
      path_(other.path_),
      failed_(other.failed_) {}

Statement::~Statement() { sqlite3_finalize(statement_); }

void Statement::Note(int code) {
  if (code != SQLITE_OK && failed_ == SQLITE_OK) {
    failed_ = code;
  }
}

void Statement::BindInt(int index, int64_t value) {
  Note(sqlite3_bind_int64(statement_, index, value));
}

void Statement::Bind(int index, double value) {
  Note(sqlite3_bind_double(statement_, index, value));
}

// An empty view may have no address, which SQLite would take for NULL. SQLITE_TRANSIENT is a C cast
// of -1 to a function pointer, so the same is done by hand.
void Statement::Bind(int index, std::string_view text) {
  // NOLINTNEXTLINE(performance-no-int-to-ptr): what SQLITE_TRANSIENT is defined as.
  const auto copied = reinterpret_cast<sqlite3_destructor_type>(-1);
  Note(sqlite3_bind_text64(statement_, index, text.empty() ? "" : text.data(), text.size(), copied,
                           SQLITE_UTF8));
}

void Statement::Bind(int index, std::span<const uint8_t> blob) {
  if (blob.empty()) {
    Note(sqlite3_bind_zeroblob(statement_, index, 0));
    return;
  }
  // NOLINTNEXTLINE(performance-no-int-to-ptr): what SQLITE_TRANSIENT is defined as.
  const auto copied = reinterpret_cast<sqlite3_destructor_type>(-1);
  Note(sqlite3_bind_blob64(statement_, index, blob.data(), blob.size(), copied));
}

void Statement::Bind(int index, std::nullptr_t /*null*/) {
  Note(sqlite3_bind_null(statement_, index));
}

base::Result<bool> Statement::Step() {
  if (failed_ != SQLITE_OK) {
    return ToError(failed_, *path_, sqlite3_errstr(failed_));
  }
  const int code = sqlite3_step(statement_);
  if (code == SQLITE_ROW || code == SQLITE_DONE) {
    return code == SQLITE_ROW;
  }
  return LastError(sqlite3_db_handle(statement_), *path_);
}

void Statement::Reset() {
  // What it returns is the error of the last Step, reported there.
  sqlite3_reset(statement_);
  sqlite3_clear_bindings(statement_);
  failed_ = SQLITE_OK;
}

base::Result<void> Statement::Finish() {
  for (;;) {
    const base::Result<bool> row = Step();
    if (row.ok() && *row) {
      continue;
    }
    Reset();
    return row.ok() ? base::Result<void>() : row.error();
  }
}

int64_t Statement::Int(int column) const { return sqlite3_column_int64(statement_, column); }

double Statement::Double(int column) const { return sqlite3_column_double(statement_, column); }

std::string_view Statement::Text(int column) const {
  const unsigned char* text = sqlite3_column_text(statement_, column);
  const auto bytes = static_cast<size_t>(sqlite3_column_bytes(statement_, column));
  return text == nullptr ? std::string_view()
                         : std::string_view(reinterpret_cast<const char*>(text), bytes);
}

std::span<const uint8_t> Statement::Blob(int column) const {
  const void* blob = sqlite3_column_blob(statement_, column);
  const auto bytes = static_cast<size_t>(sqlite3_column_bytes(statement_, column));
  return blob == nullptr ? std::span<const uint8_t>()
                         : std::span<const uint8_t>(static_cast<const uint8_t*>(blob), bytes);
}

bool Statement::IsNull(int column) const {
  return sqlite3_column_type(statement_, column) == SQLITE_NULL;
}

Database::Database(Database&& other) noexcept
    : connection_(std::exchange(other.connection_, nullptr)), path_(std::move(other.path_)) {}

Database::~Database() { sqlite3_close_v2(connection_); }

base::Result<Database> Database::Open(const std::string& path, const ConnectionOptions& options) {
  sqlite3* connection = nullptr;
  const int flags =
      (options.read_only ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE) |
      SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
  const int code = sqlite3_open_v2(path.c_str(), &connection, flags, nullptr);
  Database database(connection, path);
  if (code != SQLITE_OK) {
    return ToError(code, path,
                   connection == nullptr ? sqlite3_errstr(code) : sqlite3_errmsg(connection));
  }
  sqlite3_busy_timeout(connection, static_cast<int>(options.busy_timeout.count()));
  RETURN_IF_ERROR(database.Execute(Setup(options)));
  return database;
}

base::Result<Statement> Database::Prepare(std::string_view sql) {
  sqlite3_stmt* prepared = nullptr;
  const int code = sqlite3_prepare_v3(connection_, sql.data(), static_cast<int>(sql.size()),
                                      SQLITE_PREPARE_PERSISTENT, &prepared, nullptr);
  if (code != SQLITE_OK) {
    return LastError(connection_, *path_);
  }
  return Statement(prepared, path_.get());
}

base::Result<void> Database::Execute(const std::string& sql) {
  if (sqlite3_exec(connection_, sql.c_str(), nullptr, nullptr, nullptr) != SQLITE_OK) {
    return LastError(connection_, *path_);
  }
  return {};
}

base::Result<int64_t> Database::QueryInt(std::string_view sql) {
  ASSIGN_OR_RETURN(Statement query, Prepare(sql));
  ASSIGN_OR_RETURN(const bool row, query.Step());
  if (!row) {
    return Error(fmt::format("state file {}: {}: no row", *path_, sql), ErrorKind::kNotFound);
  }
  return query.Int(0);
}

base::Result<void> Database::Migrate(std::string_view subsystem,
                                     std::span<const std::string_view> migrations) {
  ASSIGN_OR_RETURN(Transaction transaction, Transaction::Begin(*this));
  RETURN_IF_ERROR(Execute(
      "CREATE TABLE IF NOT EXISTS schema_versions (subsystem TEXT PRIMARY KEY, version INTEGER "
      "NOT NULL) WITHOUT ROWID"));
  ASSIGN_OR_RETURN(Statement query,
                   Prepare("SELECT version FROM schema_versions WHERE subsystem = ?"));
  query.Bind(1, subsystem);
  ASSIGN_OR_RETURN(const bool known, query.Step());
  const auto version = static_cast<size_t>(known ? query.Int(0) : 0);
  query.Reset();
  if (version > migrations.size()) {
    return Error(fmt::format("state file {}: its {} tables have version {}, this program knows up "
                             "to {}: a newer version wrote it; use that one or another directory",
                             *path_, subsystem, version, migrations.size()),
                 ErrorKind::kUnsupported);
  }
  if (version == migrations.size()) {
    return {};
  }
  for (const std::string_view migration : migrations.subspan(version)) {
    RETURN_IF_ERROR(Execute(std::string(migration)));
  }
  ASSIGN_OR_RETURN(Statement remember,
                   Prepare("INSERT OR REPLACE INTO schema_versions VALUES (?, ?)"));
  RETURN_IF_ERROR(remember.Run(subsystem, migrations.size()));
  return transaction.Commit();
}

int64_t Database::last_insert_id() const { return sqlite3_last_insert_rowid(connection_); }

int64_t Database::changes() const { return sqlite3_changes64(connection_); }

base::Result<Transaction> Transaction::Begin(Database& database) {
  RETURN_IF_ERROR(database.Execute("BEGIN IMMEDIATE"));
  return Transaction(database);
}

Transaction::Transaction(Transaction&& other) noexcept
    : database_(std::exchange(other.database_, nullptr)) {}

// Some errors, a full disk among them, roll back by themselves; then there is nothing to do here
// and SQLite says so.
Transaction::~Transaction() {
  if (database_ != nullptr) {
    static_cast<void>(database_->Execute("ROLLBACK").ok());
  }
}

base::Result<void> Transaction::Commit() {
  RETURN_IF_ERROR(database_->Execute("COMMIT"));
  database_ = nullptr;
  return {};
}

}  // namespace state
