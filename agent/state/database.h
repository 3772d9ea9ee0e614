// One connection to the agent's state file, as values that clean up after themselves.
//
// A thread that keeps state has a Database of its own, from StateFile::Connect; SQLite lets readers
// go on while one of them writes, and makes a second writer wait.
//
// Errors carry a kind: kUnavailable (another writer held the file for busy_timeout; try again),
// kResourceExhausted (no space), kPermissionDenied (rights, read-only), kInvalidArgument (the file
// is damaged).
#pragma once

#include <chrono>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "lib/base/result.h"

struct sqlite3;
struct sqlite3_stmt;

namespace state {

enum class Durability {
  kLazy,  // A commit survives the process, and a power cut once the next checkpoint is done.
  kFull,  // A commit survives a power cut: one fsync each.
};

struct ConnectionOptions {
  Durability durability = Durability::kLazy;
  // How long a statement waits for another connection's write.
  std::chrono::milliseconds busy_timeout{5'000};
  size_t cache_bytes = 256 << 10;
  bool read_only = false;
};

// A prepared statement. Thread-compatible. The Database must outlive it.
//
//   ASSIGN_OR_RETURN(Statement insert, db.Prepare("INSERT INTO silences VALUES (?, ?)"));
//   RETURN_IF_ERROR(insert.Run(id, text));
//
//   ASSIGN_OR_RETURN(Statement rows, db.Prepare("SELECT id, text FROM silences WHERE id > ?"));
//   rows.Bind(1, first);
//   for (;;) {
//     ASSIGN_OR_RETURN(const bool row, rows.Step());
//     if (!row) { break; }
//     Use(rows.Int(0), rows.Text(1));
//   }
class Statement {
 public:
  ~Statement();
  Statement(Statement&& other) noexcept;
  Statement& operator=(Statement&&) = delete;
  Statement(const Statement&) = delete;
  Statement& operator=(const Statement&) = delete;

  // Parameters count from 1; what is bound is copied. The next Step reports what failed.
  template <std::integral T>
  void Bind(int index, T value) {
    BindInt(index, static_cast<int64_t>(value));
  }
  void Bind(int index, double value);
  void Bind(int index, std::string_view text);
  void Bind(int index, std::span<const uint8_t> blob);
  void Bind(int index, std::nullptr_t null);

  // True when there is a row.
  base::Result<bool> Step();
  // Makes it ready for other parameters; all are NULL again.
  void Reset();

  // Binds the arguments from 1, steps through every row, resets.
  template <typename... Values>
  base::Result<void> Run(const Values&... values) {
    [[maybe_unused]] int index = 0;
    (Bind(++index, values), ...);
    return Finish();
  }

  // Of the current row, from 0. Text and blobs are valid until the next Step or Reset.
  int64_t Int(int column) const;
  double Double(int column) const;
  std::string_view Text(int column) const;
  std::span<const uint8_t> Blob(int column) const;
  bool IsNull(int column) const;

 private:
  friend class Database;
  Statement(sqlite3_stmt* statement, const std::string* path)
      : statement_(statement), path_(path) {}
  void BindInt(int index, int64_t value);
  void Note(int code);
  base::Result<void> Finish();

  sqlite3_stmt* statement_;
  const std::string* path_;  // The Database's.
  int failed_ = 0;           // Of the first Bind that did not work.
};

// Thread-compatible.
class Database {
 public:
  ~Database();
  Database(Database&& other) noexcept;
  Database& operator=(Database&&) = delete;
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  base::Result<Statement> Prepare(std::string_view sql);
  // One statement or several, without parameters; rows are ignored.
  base::Result<void> Execute(const std::string& sql);
  // The first column of the first row; kNotFound when there is none.
  base::Result<int64_t> QueryInt(std::string_view sql);

  // Brings the tables of one subsystem up to date: runs migrations[v], migrations[v + 1], … where v
  // is how many this file has seen, all or none. Never edit a migration that was released: append.
  // Errors: kUnsupported when a newer version of Tarsier wrote the file.
  base::Result<void> Migrate(std::string_view subsystem,
                             std::span<const std::string_view> migrations);

  int64_t last_insert_id() const;
  int64_t changes() const;  // Rows touched by the last statement.
  const std::string& path() const { return *path_; }

 private:
  friend class StateFile;
  Database(sqlite3* connection, const std::string& path)
      : connection_(connection), path_(std::make_unique<std::string>(path)) {}
  static base::Result<Database> Open(const std::string& path, const ConnectionOptions& options);

  sqlite3* connection_;
  std::unique_ptr<std::string> path_;  // Statements point to it.
};

// Everything between Begin and Commit, or nothing. Takes the right to write at once, so that no
// statement in the middle finds it taken.
class Transaction {
 public:
  static base::Result<Transaction> Begin(Database& database);
  ~Transaction();  // Rolls back what was not committed.
  Transaction(Transaction&& other) noexcept;
  Transaction& operator=(Transaction&&) = delete;
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;

  base::Result<void> Commit();

 private:
  explicit Transaction(Database& database) : database_(&database) {}
  Database* database_;  // Null once it is over.
};

}  // namespace state
