// One connection to a PostgreSQL server or pooler, as collectors see it; tests put a fake in its
// place.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "exporters/pq/failure.h"
#include "exporters/pq/interrupt.h"
#include "exporters/toolkit/query_table.h"
#include "lib/base/clock.h"
#include "lib/base/result.h"

namespace exporters::pq {

// What no answer may exceed; whoever exceeds it fails, and for kMaxBatchBytes loses the connection.
inline constexpr size_t kMaxAnswerRows = 500'000;
inline constexpr size_t kMaxCellBytes = 1 << 20;
inline constexpr size_t kMaxBatchBytes = 64 << 20;

// After an interrupt the answer is still waited for this long: most are nearly there, and giving up
// costs the connection.
inline constexpr std::chrono::milliseconds kInterruptGrace{50};

struct Statement {
  std::string sql;
  // Replaces the session's statement_timeout for this statement, when not zero.
  std::chrono::milliseconds timeout{0};
};

using RowsPtr = std::shared_ptr<const Rows>;

// Thread-compatible: one thread at a time.
class Session {
 public:
  // `seconds` is the time since the answer before.
  using OnAnswer =
      std::function<void(size_t statement, base::Result<RowsPtr> rows, double seconds)>;

  virtual ~Session() = default;

  // Does nothing when connected. nullopt is success.
  virtual std::optional<ConnectFailure> Connect(base::MonotonicTime deadline) = 0;
  virtual bool connected() const = 0;
  virtual void Close() = 0;

  // 150020 for PostgreSQL 15.20, as the server said when the session was made.
  virtual int server_version() const = 0;

  // Sends all statements at once and hands over each answer as it comes, in order, exactly one for
  // every statement. One that fails does not touch the others. Those the deadline or the interrupt
  // leaves unanswered fail with kDeadlineExceeded or kCancelled, and the connection is closed,
  // which ends them in the server too. A lost connection fails the rest with kUnavailable.
  virtual void Run(std::span<const Statement> statements, base::MonotonicTime deadline,
                   const Interrupt* interrupt, const OnAnswer& on_answer) = 0;
};

// How a fresh session is made; it connects later.
using SessionFactory = std::function<std::unique_ptr<Session>()>;

}  // namespace exporters::pq
