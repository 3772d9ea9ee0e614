#include "exporters/pq/libpq_session.h"

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <map>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <libpq-fe.h>
#include <poll.h>
#include <sys/ioctl.h>

namespace exporters::pq {
namespace {

using base::ErrorKind;

struct ConnectionCloser {
  void operator()(PGconn* connection) const { PQfinish(connection); }
};
using Connection = std::unique_ptr<PGconn, ConnectionCloser>;

struct ResultFreer {
  void operator()(PGresult* result) const { PQclear(result); }
};
using ResultPtr = std::unique_ptr<PGresult, ResultFreer>;

// What our sessions have set, by the first version that knows it. Set after connecting, not in the
// start-up packet: so pg_settings keeps the server's own value in reset_val.
struct Setting {
  std::string_view name;
  std::string_view value;  // Empty: from SessionOptions.
  int since = kAnyVersion;
};
constexpr Setting kSettings[] = {
    {"default_transaction_read_only", "on"},
    {"statement_timeout", ""},
    {"lock_timeout", ""},
    {"idle_in_transaction_session_timeout", "10000"},
    // Nobody's functions or operators may stand in for the system's.
    {"search_path", "pg_catalog"},
    {"jit", "off", 110000},
    // Ends our statement soon after we close the connection.
    {"client_connection_check_interval", "1000", 140000},
    // Else a session keeps a copy of every statistics entry it read in a transaction.
    {"stats_fetch_consistency", "none", 150000},
};

// Statements whose text came again are prepared, which spares the server parsing and planning.
constexpr size_t kMaxKnownStatements = 64;

enum class Preparation {
  kSeenOnce,
  kUnderway,
  kPrepared,
  kUnfit,  // It failed once, maybe for being prepared.
};

struct KnownStatement {
  std::string name;
  Preparation preparation = Preparation::kSeenOnce;
};

// A mark that only a backend of our own can bear. Poolers refuse it or lose it, and behind one
// nothing may be set for the session, for others would inherit it.
constexpr char kDirectOption[] = "-c tarsier.direct=on ";
constexpr std::string_view kIfDirect = "WHERE current_setting('tarsier.direct', true) = 'on'";

class PgRows final : public Rows {
 public:
  explicit PgRows(ResultPtr result)
      : result_(std::move(result)),
        rows_(static_cast<size_t>(PQntuples(result_.get()))),
        columns_(static_cast<size_t>(PQnfields(result_.get()))) {}

  size_t row_count() const override { return rows_; }
  size_t column_count() const override { return columns_; }
  std::string_view column_name(size_t column) const override {
    return PQfname(result_.get(), static_cast<int>(column));
  }
  Cell at(size_t row, size_t column) const override {
    const int r = static_cast<int>(row);
    const int c = static_cast<int>(column);
    if (PQgetisnull(result_.get(), r, c) != 0) {
      return std::nullopt;
    }
    return std::string_view(PQgetvalue(result_.get(), r, c),
                            static_cast<size_t>(PQgetlength(result_.get(), r, c)));
  }

 private:
  const ResultPtr result_;
  const size_t rows_;
  const size_t columns_;
};

base::Error TooMuch(std::string what) {
  return base::Error(std::move(what), ErrorKind::kResourceExhausted);
}

std::optional<base::Error> LongestCellError(const PgRows& rows) {
  for (size_t row = 0; row < rows.row_count(); ++row) {
    for (size_t column = 0; column < rows.column_count(); ++column) {
      if (const Cell cell = rows.at(row, column);
          cell.has_value() && cell->size() > kMaxCellBytes) {
        return TooMuch(fmt::format("a value of {} bytes in column \"{}\", more than {}",
                                   cell->size(), rows.column_name(column), kMaxCellBytes));
      }
    }
  }
  return std::nullopt;
}

base::Result<RowsPtr> CheckedRows(ResultPtr result) {
  const size_t bytes = PQresultMemorySize(result.get());
  auto rows = std::make_shared<const PgRows>(std::move(result));
  if (rows->row_count() > kMaxAnswerRows) {
    return TooMuch(
        fmt::format("an answer of {} rows, more than {}", rows->row_count(), kMaxAnswerRows));
  }
  if (bytes > kMaxCellBytes) {
    if (std::optional<base::Error> error = LongestCellError(*rows); error.has_value()) {
      return *std::move(error);
    }
  }
  return RowsPtr(std::move(rows));
}

base::Error StatementError(const PGresult* result) {
  const char* const sqlstate = PQresultErrorField(result, PG_DIAG_SQLSTATE);
  const char* const message = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
  if (sqlstate == nullptr || message == nullptr) {
    return base::Error("the connection broke", ErrorKind::kUnavailable);
  }
  return base::Error(fmt::format("{} (SQLSTATE {})", message, sqlstate), KindOfSqlstate(sqlstate));
}

int PollTimeoutMs(base::MonotonicTime deadline) {
  const auto left =
      std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
  return static_cast<int>(std::clamp<int64_t>(left.count(), 0, std::numeric_limits<int>::max()));
}

ConnectFailure ConnectTimedOut() {
  return {.reason = FailureReason::kTimeout,
          .error = base::Error("no connection in time", ErrorKind::kDeadlineExceeded)};
}

std::string SetConfigSql(std::string_view name, std::string_view value, bool local) {
  return fmt::format("set_config('{}', '{}', {})", name, value, local);
}

class LibpqSession final : public Session {
 public:
  explicit LibpqSession(SessionOptions options) : options_(std::move(options)) {}

  std::optional<ConnectFailure> Connect(base::MonotonicTime deadline) override;
  bool connected() const override { return connection_ != nullptr; }
  void Close() override {
    connection_.reset();
    known_.clear();
  }
  int server_version() const override { return server_version_; }
  void Run(std::span<const Statement> statements, base::MonotonicTime deadline,
           const Interrupt* interrupt, const OnAnswer& on_answer) override;

 private:
  struct Wait {
    base::MonotonicTime deadline;
    const Interrupt* interrupt = nullptr;  // Null also once it was seen raised.
    bool interrupted = false;
  };

  std::optional<ConnectFailure> Open(base::MonotonicTime deadline);
  std::optional<ConnectFailure> AwaitConnection(base::MonotonicTime deadline) const;
  std::optional<ConnectFailure> SetUp(base::MonotonicTime deadline);
  std::string UsersOptions() const;
  std::string ValueOf(const Setting& setting) const;
  std::string Preamble(const Statement& statement) const;
  bool Send(const Statement& statement);
  bool SendText(const std::string& sql);
  KnownStatement* Known(const std::string& sql);
  void Settle(const Statement& statement, bool succeeded);
  base::Result<RowsPtr> ReadAnswer(Wait* wait);
  base::Result<ResultPtr> NextResult(Wait* wait);
  base::Result<void> AwaitInput(Wait* wait);
  base::Error Broken() const;

  const SessionOptions options_;
  Connection connection_;
  int server_version_ = 0;
  bool behind_pooler_ = false;  // Learned when connecting; kept, for poolers stay.
  size_t batch_bytes_ = 0;
  std::map<std::string, KnownStatement, std::less<>> known_;  // By text; of this connection.
};

std::string LibpqSession::ValueOf(const Setting& setting) const {
  if (setting.name == "statement_timeout") {
    return fmt::format("{}", options_.statement_timeout.count());
  }
  if (setting.name == "lock_timeout") {
    return fmt::format("{}", options_.lock_timeout.count());
  }
  return std::string(setting.value);
}

std::string LibpqSession::UsersOptions() const {
  const auto& keywords = options_.conninfo.keywords();
  const auto found = keywords.find("options");
  return found == keywords.end() ? std::string() : found->second.Reveal();
}

std::optional<ConnectFailure> LibpqSession::Connect(base::MonotonicTime deadline) {
  if (connected()) {
    return std::nullopt;
  }
  std::optional<ConnectFailure> failure = Open(deadline);
  if (failure.has_value() && !behind_pooler_ && RefusesStartupOptions(failure->error.message())) {
    behind_pooler_ = true;
    failure = Open(deadline);
  }
  if (!failure.has_value()) {
    failure = SetUp(deadline);
  }
  if (failure.has_value()) {
    Close();
  }
  return failure;
}

std::optional<ConnectFailure> LibpqSession::Open(base::MonotonicTime deadline) {
  Conninfo conninfo = options_.conninfo;
  const std::pair<const char*, std::string> defaults[] = {
      {"application_name", options_.application_name},
      {"client_encoding", "UTF8"},
      {"tcp_user_timeout", "10000"},
      {"keepalives_idle", "30"},
  };
  for (const auto& [keyword, value] : defaults) {
    if (!conninfo.Has(keyword)) {
      conninfo.Set(keyword, base::Secret(value));
    }
  }
  if (!behind_pooler_) {
    conninfo.Set("options", base::Secret(kDirectOption + UsersOptions()));
  }
  std::vector<const char*> keywords;
  std::vector<const char*> values;
  for (const auto& [keyword, value] : conninfo.keywords()) {
    keywords.push_back(keyword.c_str());
    values.push_back(value.Reveal().c_str());
  }
  keywords.push_back(nullptr);
  values.push_back(nullptr);
  connection_.reset(PQconnectStartParams(keywords.data(), values.data(), /*expand_dbname=*/0));
  if (connection_ == nullptr) {
    return ClassifyConnectFailure("out of memory");
  }
  PQsetNoticeReceiver(
      connection_.get(), [](void*, const PGresult*) {}, nullptr);
  // So that messages of failed attempts hold the SQLSTATE, which nothing else tells.
  PQsetErrorVerbosity(connection_.get(), PQERRORS_VERBOSE);
  return AwaitConnection(deadline);
}

std::optional<ConnectFailure> LibpqSession::AwaitConnection(base::MonotonicTime deadline) const {
  PostgresPollingStatusType status =
      PQstatus(connection_.get()) == CONNECTION_BAD ? PGRES_POLLING_FAILED : PGRES_POLLING_WRITING;
  while (status != PGRES_POLLING_OK) {
    if (status == PGRES_POLLING_FAILED) {
      return ClassifyConnectFailure(PQerrorMessage(connection_.get()));
    }
    const int16_t events = status == PGRES_POLLING_READING ? POLLIN : POLLOUT;
    pollfd entry{.fd = PQsocket(connection_.get()), .events = events, .revents = 0};
    const int ready = ::poll(&entry, 1, PollTimeoutMs(deadline));
    if (ready == 0) {
      return ConnectTimedOut();
    }
    if (ready > 0) {
      status = PQconnectPoll(connection_.get());
    }
  }
  return std::nullopt;
}

std::optional<ConnectFailure> LibpqSession::SetUp(base::MonotonicTime deadline) {
  server_version_ = PQserverVersion(connection_.get());
  if (PQsetnonblocking(connection_.get(), 1) != 0 || PQenterPipelineMode(connection_.get()) != 1) {
    return ConnectFailure{.reason = FailureReason::kOther, .error = Broken()};
  }
  if (behind_pooler_) {
    return std::nullopt;
  }
  const std::string users_options = UsersOptions();
  std::vector<Statement> statements;
  for (const Setting& setting : kSettings) {
    // What the user's DSN sets stays.
    if (setting.since <= server_version_ && users_options.find(setting.name) == std::string::npos) {
      statements.push_back(
          {.sql = fmt::format("SELECT {} {}", SetConfigSql(setting.name, ValueOf(setting), false),
                              kIfDirect)});
    }
  }
  bool direct = false;
  std::optional<base::Error> lost;
  // A setting that this server does not take is no reason to fail: each is a statement of its own.
  Run(statements, deadline, nullptr, [&](size_t, base::Result<RowsPtr> rows, double) {
    if (rows.ok()) {
      direct = direct || (*rows)->row_count() > 0;
    } else if (!connected() && !lost.has_value()) {
      lost = rows.error();
    }
  });
  if (lost.has_value()) {
    return ConnectFailure{.reason = lost->kind() == ErrorKind::kDeadlineExceeded
                                        ? FailureReason::kTimeout
                                        : FailureReason::kLost,
                          .error = *std::move(lost)};
  }
  behind_pooler_ = !direct;
  return std::nullopt;
}

// What a statement's own transaction must set first; "" when the session has it all.
std::string LibpqSession::Preamble(const Statement& statement) const {
  std::string list;
  const auto add = [&](std::string_view name, std::string_view value) {
    list += list.empty() ? "SELECT " : ", ";
    list += SetConfigSql(name, value, /*local=*/true);
  };
  const bool own_timeout = statement.timeout.count() > 0;
  if (own_timeout) {
    add("statement_timeout", fmt::format("{}", statement.timeout.count()));
  }
  if (!behind_pooler_) {
    return list;
  }
  add("transaction_read_only", "on");
  for (const Setting& setting : kSettings) {
    const bool wanted = setting.name != "default_transaction_read_only" &&
                        !(own_timeout && setting.name == "statement_timeout");
    if (wanted && setting.since <= server_version_) {
      add(setting.name, ValueOf(setting));
    }
  }
  return list;
}

bool LibpqSession::SendText(const std::string& sql) {
  return PQsendQueryParams(connection_.get(), sql.c_str(), 0, nullptr, nullptr, nullptr, nullptr,
                           0) == 1;
}

// Null for one that is not to be prepared: behind a pooler the next one may go to another backend.
KnownStatement* LibpqSession::Known(const std::string& sql) {
  if (const auto found = known_.find(sql); found != known_.end()) {
    return &found->second;
  }
  if (!behind_pooler_ && known_.size() < kMaxKnownStatements) {
    known_.emplace(sql, KnownStatement{.name = fmt::format("tarsier_{}", known_.size())});
  }
  return nullptr;
}

bool LibpqSession::Send(const Statement& statement) {
  const std::string preamble = Preamble(statement);
  if (!preamble.empty() && !SendText(preamble)) {
    return false;
  }
  KnownStatement* const known = Known(statement.sql);
  if (known != nullptr && known->preparation == Preparation::kSeenOnce) {
    known->preparation = Preparation::kUnderway;
    if (PQsendPrepare(connection_.get(), known->name.c_str(), statement.sql.c_str(), 0, nullptr) !=
        1) {
      return false;
    }
  }
  const bool by_name = known != nullptr && known->preparation != Preparation::kUnfit;
  const bool sent = by_name ? PQsendQueryPrepared(connection_.get(), known->name.c_str(), 0,
                                                  nullptr, nullptr, nullptr, 0) == 1
                            : SendText(statement.sql);
  return sent && PQpipelineSync(connection_.get()) == 1;
}

void LibpqSession::Settle(const Statement& statement, bool succeeded) {
  const auto found = known_.find(statement.sql);
  if (found == known_.end()) {
    return;
  }
  if (!succeeded) {
    found->second.preparation = Preparation::kUnfit;
  } else if (found->second.preparation == Preparation::kUnderway) {
    found->second.preparation = Preparation::kPrepared;
  }
}

void LibpqSession::Run(std::span<const Statement> statements, base::MonotonicTime deadline,
                       const Interrupt* interrupt, const OnAnswer& on_answer) {
  batch_bytes_ = 0;
  std::optional<base::Error> fatal;
  if (!connected()) {
    fatal = base::Error("not connected", ErrorKind::kUnavailable);
  }
  for (size_t i = 0; i < statements.size() && !fatal.has_value(); ++i) {
    if (!Send(statements[i])) {
      fatal = Broken();
    }
  }
  Wait wait{.deadline = deadline, .interrupt = interrupt};
  base::MonotonicTime before = std::chrono::steady_clock::now();
  for (size_t i = 0; i < statements.size(); ++i) {
    base::Result<RowsPtr> rows =
        fatal.has_value() ? base::Result<RowsPtr>(*fatal) : ReadAnswer(&wait);
    if (!rows.ok() && !connected() && !fatal.has_value()) {
      fatal = rows.error();
    }
    Settle(statements[i], rows.ok());
    const base::MonotonicTime now = std::chrono::steady_clock::now();
    on_answer(i, std::move(rows), std::chrono::duration<double>(now - before).count());
    before = now;
  }
  if (fatal.has_value()) {
    Close();
  }
}

// Reads up to the Sync of one statement. When it fails for reasons that end the connection, the
// connection is closed.
base::Result<RowsPtr> LibpqSession::ReadAnswer(Wait* wait) {
  std::optional<base::Result<RowsPtr>> answer;
  bool after_null = false;
  while (true) {
    base::Result<ResultPtr> next = NextResult(wait);
    if (!next.ok()) {
      Close();
      return next.error();
    }
    ResultPtr result = *std::move(next);
    if (result == nullptr) {
      if (after_null) {  // Twice in a row: libpq waits for nothing, yet there was no Sync.
        base::Error error = Broken();
        Close();
        return error;
      }
      after_null = true;
      continue;
    }
    after_null = false;
    const bool failed = answer.has_value() && !answer->ok();
    switch (PQresultStatus(result.get())) {
      case PGRES_PIPELINE_SYNC:
        if (answer.has_value()) {
          return *std::move(answer);
        }
        return base::Error("the server answered nothing", ErrorKind::kUnknown);
      case PGRES_TUPLES_OK:
        if (!failed) {
          answer = CheckedRows(std::move(result));
        }
        break;
      case PGRES_FATAL_ERROR:
        if (!failed) {
          answer = base::Result<RowsPtr>(StatementError(result.get()));
        }
        if (PQstatus(connection_.get()) == CONNECTION_BAD) {
          base::Error error = answer->error();
          Close();
          return error;
        }
        break;
      case PGRES_PIPELINE_ABORTED:  // After a preamble or a preparation that failed.
      case PGRES_COMMAND_OK:        // A preparation.
        break;
      default:
        Close();
        return base::Error("the server answered with something else than rows",
                           ErrorKind::kUnknown);
    }
  }
}

base::Result<ResultPtr> LibpqSession::NextResult(Wait* wait) {
  while (PQisBusy(connection_.get()) != 0) {
    RETURN_IF_ERROR(AwaitInput(wait));
  }
  return ResultPtr(PQgetResult(connection_.get()));
}

base::Result<void> LibpqSession::AwaitInput(Wait* wait) {
  const int unsent = PQflush(connection_.get());
  if (unsent < 0) {
    return Broken();
  }
  const int16_t events = unsent > 0 ? POLLIN | POLLOUT : POLLIN;
  const int interrupt_fd = wait->interrupt == nullptr ? -1 : wait->interrupt->fd();
  pollfd entries[2] = {
      {.fd = PQsocket(connection_.get()), .events = events, .revents = 0},
      {.fd = interrupt_fd, .events = POLLIN, .revents = 0},
  };
  const int ready = ::poll(entries, 2, PollTimeoutMs(wait->deadline));
  if (ready == 0) {
    return wait->interrupted ? base::Error("interrupted", ErrorKind::kCancelled)
                             : base::Error("no answer in time", ErrorKind::kDeadlineExceeded);
  }
  if (ready > 0 && entries[1].revents != 0) {
    wait->interrupt = nullptr;
    wait->interrupted = true;
    wait->deadline = std::min(wait->deadline, std::chrono::steady_clock::now() + kInterruptGrace);
  }
  if (ready < 0 || (entries[0].revents & ~POLLOUT) == 0) {
    return {};
  }
  int pending = 0;
  if (::ioctl(entries[0].fd, FIONREAD, &pending) == 0 && pending > 0) {
    batch_bytes_ += static_cast<size_t>(pending);
  }
  if (batch_bytes_ > kMaxBatchBytes) {
    return TooMuch(fmt::format("answers of more than {} bytes", kMaxBatchBytes));
  }
  if (PQconsumeInput(connection_.get()) == 0) {
    return Broken();
  }
  return {};
}

base::Error LibpqSession::Broken() const {
  const ConnectFailure failure = ClassifyConnectFailure(PQerrorMessage(connection_.get()));
  return base::Error(
      failure.error.message().empty() ? "the connection broke" : failure.error.message(),
      ErrorKind::kUnavailable);
}

}  // namespace

std::unique_ptr<Session> MakeLibpqSession(SessionOptions options) {
  return std::make_unique<LibpqSession>(std::move(options));
}

}  // namespace exporters::pq
