#include "exporters/pq/libpq_session.h"

#include <chrono>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "tests/exporters/pq/wire_server.h"

namespace exporters::pq {
namespace {

using base::ErrorKind;
using std::chrono::milliseconds;
using std::chrono::seconds;

base::MonotonicTime In(milliseconds time) { return std::chrono::steady_clock::now() + time; }

std::unique_ptr<Session> SessionFor(const WireServer& server, std::string_view extra = "") {
  auto conninfo = Conninfo::Parse(base::Secret(server.Dsn(extra)));
  EXPECT_TRUE(conninfo.ok());
  return MakeLibpqSession({.conninfo = *conninfo});
}

bool IsSetUp(const std::string& sql) { return sql.find("tarsier.direct") != std::string::npos; }

// Answers the set-up as a server of our own does, everything else with `answer`.
WireServer::Script Direct(const std::function<std::string(const std::string&)>& answer) {
  return {.greeting = Greeting(), .answer = [answer](const std::string& sql) {
            return IsSetUp(sql) ? OneValue("on") : answer(sql);
          }};
}

struct Reply {
  std::string value;  // Of the only row, or the error's message.
  ErrorKind kind = ErrorKind::kUnknown;
  bool ok = false;
};

std::vector<Reply> RunAll(Session& session, const std::vector<std::string>& texts,
                          base::MonotonicTime deadline, const Interrupt* interrupt = nullptr) {
  std::vector<Statement> statements;
  statements.reserve(texts.size());
  for (const std::string& text : texts) {
    statements.push_back({.sql = text});
  }
  std::vector<Reply> replies;
  session.Run(statements, deadline, interrupt,
              [&](size_t i, const base::Result<RowsPtr>& rows, double) {
                EXPECT_EQ(i, replies.size());
                if (rows.ok()) {
                  const Cell cell = (*rows)->row_count() > 0 ? (*rows)->at(0, 0) : std::nullopt;
                  replies.push_back({.value = std::string(cell.value_or("NULL")), .ok = true});
                } else {
                  replies.push_back({.value = rows.error().message(), .kind = rows.error().kind()});
                }
              });
  return replies;
}

TEST(LibpqSession, AnswersEveryStatementInOrder) {
  WireServer server(Direct([](const std::string& sql) { return OneValue("got " + sql); }));
  const auto session = SessionFor(server);
  ASSERT_FALSE(session->Connect(In(seconds(5))).has_value());
  EXPECT_TRUE(session->connected());
  EXPECT_EQ(session->server_version(), 150020);
  const auto replies = RunAll(*session, {"a", "b", "c"}, In(seconds(5)));
  ASSERT_EQ(replies.size(), 3U);
  EXPECT_EQ(replies[0].value, "got a");
  EXPECT_EQ(replies[1].value, "got b");
  EXPECT_EQ(replies[2].value, "got c");
  EXPECT_EQ(server.connections(), 1);
}

TEST(LibpqSession, AFailedStatementTouchesNoOther) {
  WireServer server(Direct([](const std::string& sql) {
    return sql == "bad" ? ErrorMessage("42501", "permission denied for x") : OneValue(sql);
  }));
  const auto session = SessionFor(server);
  ASSERT_FALSE(session->Connect(In(seconds(5))).has_value());
  const auto replies = RunAll(*session, {"a", "bad", "c"}, In(seconds(5)));
  ASSERT_EQ(replies.size(), 3U);
  EXPECT_EQ(replies[0].value, "a");
  EXPECT_FALSE(replies[1].ok);
  EXPECT_EQ(replies[1].value, "permission denied for x (SQLSTATE 42501)");
  EXPECT_EQ(replies[1].kind, ErrorKind::kPermissionDenied);
  EXPECT_EQ(replies[2].value, "c");
  EXPECT_TRUE(session->connected());
}

TEST(LibpqSession, ASilentServerIsLeftAtTheDeadline) {
  WireServer server(Direct([](const std::string& sql) {
    return sql == "slow" ? Message('1', "").substr(0, 3) : OneValue(sql);
  }));
  const auto session = SessionFor(server);
  ASSERT_FALSE(session->Connect(In(seconds(5))).has_value());
  const auto start = std::chrono::steady_clock::now();
  const auto replies = RunAll(*session, {"a", "slow", "c"}, In(milliseconds(200)));
  EXPECT_LT(std::chrono::steady_clock::now() - start, seconds(2));
  ASSERT_EQ(replies.size(), 3U);
  EXPECT_TRUE(replies[0].ok);
  EXPECT_EQ(replies[1].kind, ErrorKind::kDeadlineExceeded);
  EXPECT_EQ(replies[2].kind, ErrorKind::kDeadlineExceeded);
  EXPECT_FALSE(session->connected());
}

TEST(LibpqSession, AnInterruptEndsTheWait) {
  WireServer server(Direct([](const std::string&) { return Message('1', "").substr(0, 3); }));
  const auto session = SessionFor(server);
  ASSERT_FALSE(session->Connect(In(seconds(5))).has_value());
  const auto interrupt = Interrupt::Make();
  ASSERT_TRUE(interrupt.ok());
  interrupt->Raise();
  const auto replies = RunAll(*session, {"slow"}, In(seconds(30)), &*interrupt);
  ASSERT_EQ(replies.size(), 1U);
  EXPECT_EQ(replies[0].kind, ErrorKind::kCancelled);
  EXPECT_FALSE(session->connected());
}

TEST(LibpqSession, AConnectionThatBreaksFailsTheRestAndCanBeMadeAgain) {
  WireServer::Script script = Direct([](const std::string& sql) { return OneValue(sql); });
  script.close_after = 10;  // Eight settings, then two statements.
  WireServer server(std::move(script));
  const auto session = SessionFor(server);
  ASSERT_FALSE(session->Connect(In(seconds(5))).has_value());
  const auto replies = RunAll(*session, {"a", "b", "c", "d"}, In(seconds(5)));
  ASSERT_EQ(replies.size(), 4U);
  EXPECT_TRUE(replies[1].ok);
  EXPECT_EQ(replies[2].kind, ErrorKind::kUnavailable);
  EXPECT_EQ(replies[3].kind, ErrorKind::kUnavailable);
  EXPECT_FALSE(session->connected());
  ASSERT_FALSE(session->Connect(In(seconds(5))).has_value());
  EXPECT_TRUE(RunAll(*session, {"e"}, In(seconds(5)))[0].ok);
}

TEST(LibpqSession, GarbageIsAnErrorNotACrash) {
  const auto check = [](const std::string& garbage) {
    WireServer server(Direct([&](const std::string&) { return garbage; }));
    const auto session = SessionFor(server);
    ASSERT_FALSE(session->Connect(In(seconds(5))).has_value());
    const auto replies = RunAll(*session, {"a", "b"}, In(milliseconds(500)));
    ASSERT_EQ(replies.size(), 2U);
    EXPECT_FALSE(replies[0].ok);
  };
  check("");                                        // Ready at once, with no answer.
  check("HTTP/1.1 400 Bad Request\r\n\r\n");        // Another protocol.
  check(std::string("D\xff\xff\xff\xff", 5));       // A negative length.
  check(std::string("T\x7f\xff\xff\xff", 5));       // A length of 2 GB.
  check(Message('D', std::string("\x7f\xff", 2)));  // A row without a description.
  check(Message('G', std::string("\0\0\0", 3)));    // COPY.
  check(Message('1', "") + Message('1', "") + Message('1', ""));
  check(Message('T', std::string("\x00\x01v\x00", 4)));  // A description that ends early.
}

TEST(LibpqSession, TooManyBytesEndTheConnection) {
  WireServer server(Direct([&](const std::string&) {
    std::string answer = Message('1', "") + Message('2', "");
    const std::string one = OneValue(std::string(kMaxCellBytes, 'x'));
    const size_t description = one.find('T');
    const size_t row = one.find('D', description);
    answer += one.substr(description, row - description);
    const std::string data = one.substr(row, one.size() - row - Message('C', "SELECT 1 ").size());
    for (size_t i = 0; i < kMaxBatchBytes / kMaxCellBytes + 8; ++i) {
      answer += data;
    }
    return answer + Message('C', std::string("SELECT 1\0", 9));
  }));
  const auto session = SessionFor(server);
  ASSERT_FALSE(session->Connect(In(seconds(5))).has_value());
  const auto replies = RunAll(*session, {"a"}, In(seconds(20)));
  ASSERT_EQ(replies.size(), 1U);
  EXPECT_EQ(replies[0].kind, ErrorKind::kResourceExhausted) << replies[0].value;
  EXPECT_FALSE(session->connected());
}

TEST(LibpqSession, ALongCellFailsItsStatementOnly) {
  WireServer server(Direct([](const std::string& sql) {
    return OneValue(sql == "long" ? std::string(kMaxCellBytes + 1, 'x') : sql);
  }));
  const auto session = SessionFor(server);
  ASSERT_FALSE(session->Connect(In(seconds(5))).has_value());
  const auto replies = RunAll(*session, {"long", "b"}, In(seconds(5)));
  EXPECT_EQ(replies[0].kind, ErrorKind::kResourceExhausted);
  EXPECT_EQ(replies[1].value, "b");
}

TEST(LibpqSession, ConnectFailsInTimeAndSaysWhy) {
  const auto connect = [](const WireServer& server, std::string_view extra = "") {
    const auto failure = SessionFor(server, extra)->Connect(In(milliseconds(300)));
    EXPECT_TRUE(failure.has_value());
    return failure.has_value() ? FailureReasonName(failure->reason) : "connected";
  };
  WireServer mute({.mute = true});
  EXPECT_EQ(connect(mute), "timeout");
  WireServer full({.greeting = ErrorMessage("53300", "sorry, too many clients already")});
  EXPECT_EQ(connect(full), "too_many_connections");
  WireServer locked({.greeting = ErrorMessage("28P01", "password authentication failed")});
  EXPECT_EQ(connect(locked), "auth");
  WireServer hangs_up({.greeting = ""});
  EXPECT_EQ(connect(hangs_up), "connection_lost");
  WireServer plain({.greeting = Greeting()});
  EXPECT_EQ(connect(plain, "sslmode=require"), "tls");
}

TEST(LibpqSession, NothingListensIsRefused) {
  int port = 0;
  {
    const WireServer gone({.mute = true});
    port = gone.port();
  }
  auto conninfo = Conninfo::Parse(base::Secret("host=127.0.0.1 port=" + std::to_string(port)));
  const auto failure = MakeLibpqSession({.conninfo = *conninfo})->Connect(In(seconds(5)));
  ASSERT_TRUE(failure.has_value());
  EXPECT_EQ(failure->reason, FailureReason::kRefused);
}

TEST(LibpqSession, SetsTheSessionOnlyWhereItIsOurOwn) {
  std::vector<std::string> seen;
  WireServer server({.greeting = Greeting(), .answer = [&](const std::string& sql) {
                       seen.push_back(sql);
                       return IsSetUp(sql) ? OneValue("on") : OneValue("x");
                     }});
  const auto session = SessionFor(server);
  ASSERT_FALSE(session->Connect(In(seconds(5))).has_value());
  ASSERT_EQ(seen.size(), 8U);
  EXPECT_EQ(seen[0],
            "SELECT set_config('default_transaction_read_only', 'on', false) WHERE "
            "current_setting('tarsier.direct', true) = 'on'");
  RunAll(*session, {"a"}, In(seconds(5)));
  EXPECT_EQ(seen.back(), "a");
  EXPECT_EQ(seen.size(), 9U);
}

TEST(LibpqSession, BehindAPoolerEachStatementBringsItsSettings) {
  std::vector<std::string> seen;
  WireServer server({.greeting = Greeting(), .answer = [&](const std::string& sql) {
                       seen.push_back(sql);
                       // A pooler that swallows `options`: the mark is not there.
                       return IsSetUp(sql) ? NoRows() : OneValue("x");
                     }});
  const auto session = SessionFor(server);
  ASSERT_FALSE(session->Connect(In(seconds(5))).has_value());
  seen.clear();
  const auto replies = RunAll(*session, {"a"}, In(seconds(5)));
  EXPECT_TRUE(replies[0].ok);
  ASSERT_EQ(seen.size(), 2U);
  EXPECT_EQ(seen[0],
            "SELECT set_config('transaction_read_only', 'on', true), "
            "set_config('statement_timeout', '3000', true), set_config('lock_timeout', '250', "
            "true), set_config('idle_in_transaction_session_timeout', '10000', true), "
            "set_config('search_path', 'pg_catalog', true), set_config('jit', 'off', true), "
            "set_config('client_connection_check_interval', '1000', true), "
            "set_config('stats_fetch_consistency', 'none', true)");
  EXPECT_EQ(seen[1], "a");
}

TEST(LibpqSession, OldServersAreNotSentSettingsTheyDoNotKnow) {
  std::vector<std::string> seen;
  WireServer server({.greeting = Greeting("10.23"), .answer = [&](const std::string& sql) {
                       seen.push_back(sql);
                       return OneValue("on");
                     }});
  const auto session = SessionFor(server);
  ASSERT_FALSE(session->Connect(In(seconds(5))).has_value());
  EXPECT_EQ(session->server_version(), 100023);
  EXPECT_EQ(seen.size(), 5U);
}

TEST(LibpqSession, AStatementMayBringItsOwnTimeout) {
  std::vector<std::string> seen;
  WireServer server(Direct([&](const std::string& sql) {
    seen.push_back(sql);
    return OneValue("x");
  }));
  const auto session = SessionFor(server);
  ASSERT_FALSE(session->Connect(In(seconds(5))).has_value());
  const Statement statement{.sql = "a", .timeout = milliseconds(60000)};
  session->Run({&statement, 1}, In(seconds(5)), nullptr,
               [](size_t, const base::Result<RowsPtr>& rows, double) { EXPECT_TRUE(rows.ok()); });
  EXPECT_EQ(seen, (std::vector<std::string>{"SELECT set_config('statement_timeout', '60000', true)",
                                            "a"}));
}

TEST(LibpqSession, AStatementThatComesAgainIsPrepared) {
  int parsed_or_executed = 0;
  WireServer server(Direct([&](const std::string&) {
    ++parsed_or_executed;
    return OneValue(std::to_string(parsed_or_executed));
  }));
  const auto session = SessionFor(server);
  ASSERT_FALSE(session->Connect(In(seconds(5))).has_value());
  EXPECT_EQ(RunAll(*session, {"a"}, In(seconds(5)))[0].value, "1");  // As text.
  EXPECT_EQ(RunAll(*session, {"a"}, In(seconds(5)))[0].value, "3");  // Parsed, then executed.
  EXPECT_EQ(RunAll(*session, {"a"}, In(seconds(5)))[0].value, "4");  // Executed only.
  EXPECT_EQ(RunAll(*session, {"a"}, In(seconds(5)))[0].value, "5");
}

TEST(LibpqSession, AStatementThatFailedIsNotPreparedAgain) {
  bool fail = false;
  int calls = 0;
  WireServer server(Direct([&](const std::string&) {
    ++calls;
    return fail
               ? Message('1', "") + ErrorMessage("0A000", "cached plan must not change result type")
               : OneValue("x");
  }));
  const auto session = SessionFor(server);
  ASSERT_FALSE(session->Connect(In(seconds(5))).has_value());
  RunAll(*session, {"a"}, In(seconds(5)));
  RunAll(*session, {"a"}, In(seconds(5)));
  fail = true;
  EXPECT_FALSE(RunAll(*session, {"a"}, In(seconds(5)))[0].ok);
  fail = false;
  calls = 0;
  EXPECT_TRUE(RunAll(*session, {"a"}, In(seconds(5)))[0].ok);
  EXPECT_TRUE(RunAll(*session, {"a"}, In(seconds(5)))[0].ok);
  EXPECT_EQ(calls, 2);  // Twice as text.
}

TEST(Interrupt, IsRaisedUntilCleared) {
  const auto interrupt = Interrupt::Make();
  ASSERT_TRUE(interrupt.ok());
  EXPECT_FALSE(interrupt->raised());
  interrupt->Raise();
  interrupt->Raise();
  EXPECT_TRUE(interrupt->raised());
  interrupt->Clear();
  EXPECT_FALSE(interrupt->raised());
}

}  // namespace
}  // namespace exporters::pq
