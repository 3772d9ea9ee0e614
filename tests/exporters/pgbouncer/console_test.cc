#include "exporters/pgbouncer/console.h"

#include <chrono>
#include <string>

#include <gtest/gtest.h>

#include "tests/exporters/pgbouncer/fake_console.h"

namespace exporters::pgbouncer {
namespace {

using std::string_literals::operator""s;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

ConnectionInfo For(int port, const std::string& password = "") {
  ConnectionInfo info;
  info.endpoint = {.host = "127.0.0.1", .port = port};
  info.user = "stats";
  info.password = base::Secret(password);
  info.ssl_mode = SslMode::kDisable;
  return info;
}

// One visit to a server that holds this conversation.
struct Visit {
  explicit Visit(const FakeServer::Talk& talk, const std::string& password = "",
                 SslMode ssl_mode = SslMode::kDisable, milliseconds time = milliseconds(3000))
      : server(talk), info(For(server.port(), password)) {
    info.ssl_mode = ssl_mode;
    Console console(info, resolver, keys);
    snapshot = console.Fetch(steady_clock::now() + time);
    reason = FailureReasonName(console.failure_reason());
  }

  FakeServer server;
  ConnectionInfo info;
  Resolver resolver;
  ScramKeyCache keys;
  base::Result<Snapshot> snapshot = base::Error("not run");
  std::string reason;
};

std::string AllAnswers() {
  std::string answers = Columns({"version"}) + Row({"PgBouncer 1.18.0"}) + Ready();
  for (size_t i = 1; i < kShowCount; ++i) {
    answers += Columns({"a", "b"}) + Row({"1", "2"}) + Msg('C', Text("SHOW")) + Ready();
  }
  return answers;
}

void ExpectFailure(const FakeServer::Talk& talk, const std::string& reason,
                   const std::string& password = "canary", SslMode ssl_mode = SslMode::kDisable) {
  const Visit visit(talk, password, ssl_mode, milliseconds(reason == "timeout" ? 300 : 60000));
  ASSERT_FALSE(visit.snapshot.ok()) << reason;
  EXPECT_EQ(visit.reason, reason) << visit.snapshot.error().message();
  EXPECT_EQ(visit.snapshot.error().message().find("canary"), std::string::npos);
}

TEST(Console, AsksInOneWriteAndForConnectionsInASecond) {
  std::string startup;
  std::string queries;
  Visit visit([&](FakeConnection& connection, int) {
    startup = ReadStartup(connection);
    connection.Write(Welcome());
    queries = connection.Read();
    connection.Write(AllAnswers());
    connection.Hang();
  });
  ASSERT_TRUE(visit.snapshot.ok()) << visit.snapshot.error().message();
  EXPECT_EQ(visit.snapshot->version_text, "PgBouncer 1.18.0");
  EXPECT_EQ(visit.snapshot->version, 11800);
  for (const ShowRow& show : kShows) {
    EXPECT_EQ(queries.find(QueryMessage(show.command)) == std::string::npos, show.lists_connections)
        << show.command;
    EXPECT_TRUE(visit.snapshot->Get(show.id).ok()) << show.command;
  }
  EXPECT_EQ(startup.find("extra_float_digits"), std::string::npos);
  EXPECT_NE(startup.find("user\0stats\0database\0pgbouncer\0"s), std::string::npos);
}

TEST(Console, ListsNoConnectionsWhereThereAreTooMany) {
  std::string lists = Columns({"list", "items"}) + Row({"used_clients", "2001"}) + Ready();
  std::string answers = Columns({"version"}) + Row({"PgBouncer 1.18.0"}) + Ready() + lists;
  for (const ShowRow& show : kShows) {
    if (!show.lists_connections && show.id != Show::kVersion && show.id != Show::kLists) {
      answers += Columns({"a", "b"}) + Ready();
    }
  }
  Visit visit([&](FakeConnection& connection, int) {
    ReadStartup(connection);
    connection.Write(Welcome());
    connection.Read();
    connection.Write(answers);
    connection.Hang();
  });
  ASSERT_TRUE(visit.snapshot.ok()) << visit.snapshot.error().message();
  EXPECT_FALSE(visit.snapshot->listed);
  EXPECT_FALSE(visit.snapshot->Get(Show::kClients).ok());
}

TEST(Console, TakesTheVersionFromANoticeAsOldVersionsGiveIt) {
  Visit visit([](FakeConnection& connection, int) {
    ReadStartup(connection);
    connection.Write(Welcome());
    connection.Read();
    std::string answers = AllAnswers();
    answers = Msg('N', "SNOTICE\0C00000\0MPgBouncer 1.11.0\0\0"s) + Msg('C', Text("SHOW")) +
              answers.substr(answers.find('Z'));
    connection.Write(answers);
  });
  ASSERT_TRUE(visit.snapshot.ok()) << visit.snapshot.error().message();
  EXPECT_EQ(visit.snapshot->version, 11100);
}

TEST(Console, LogsInWithEveryScheme) {
  const auto check = [](const std::string& request, const std::string& expected) {
    std::string answer;
    Visit visit(
        [&](FakeConnection& connection, int) {
          ReadStartup(connection);
          connection.Write(request);
          answer = connection.Read();
          connection.Write(Welcome());
          connection.Read();
          connection.Write(AllAnswers());
        },
        "pw");
    EXPECT_TRUE(visit.snapshot.ok()) << visit.snapshot.error().message();
    EXPECT_EQ(answer, expected);
  };
  check(Auth(3), PasswordMessage("pw"));
  check(Auth(5, "\1\2\3\4"), PasswordMessage(Md5Password(base::Secret("pw"), "stats", "\1\2\3\4")));
}

TEST(Console, GoesOnWhenOneCommandIsRefused) {
  Visit visit([](FakeConnection& connection, int) {
    ReadStartup(connection);
    connection.Write(Welcome());
    connection.Read();
    std::string answers = AllAnswers();
    const std::string last = Columns({"a", "b"}) + Row({"1", "2"}) + Msg('C', Text("SHOW"));
    answers.replace(answers.rfind(last), last.size(),
                    Complaint("ERROR", "08P01", "unsupported command"));
    connection.Write(answers);
  });
  ASSERT_TRUE(visit.snapshot.ok()) << visit.snapshot.error().message();
  const auto servers = visit.snapshot->Get(Show::kServers);
  ASSERT_FALSE(servers.ok());
  EXPECT_EQ(servers.error().message(), "SHOW SERVERS: unsupported command (08P01)");
  EXPECT_TRUE(visit.snapshot->Get(Show::kStats).ok());
}

TEST(Console, TellsWhyItCannotEnter) {
  const auto login = [](const std::string& answer) {
    return [answer](FakeConnection& connection, int) {
      ReadStartup(connection);
      connection.Write(answer);
    };
  };
  ExpectFailure(login(Complaint("FATAL", "08P01", "not allowed")), "not_stats_user");
  ExpectFailure(login(Complaint("FATAL", "28P01", "password authentication failed")), "auth");
  ExpectFailure(login(Complaint("FATAL", "08P01", "SASL authentication failed")), "auth");
  ExpectFailure(login(Complaint("FATAL", "08P01", "no such user: x")), "auth");
  ExpectFailure(login(Complaint("FATAL", "28000", "something new")), "auth");
  ExpectFailure(login(Complaint("FATAL", "08P01", "no such database: x")), "bad_database");
  ExpectFailure(login(Complaint("FATAL", "57P01", "pgbouncer is shutting down")), "shutdown");
  ExpectFailure(login(Complaint("FATAL", "08P01", "something else")), "error");
  ExpectFailure(login(Auth(0) + Status("server_version", "15.4") + Ready()), "bad_database");
  ExpectFailure(login(Auth(7)), "auth");  // GSS.
  ExpectFailure(login(Auth(10, "OTHER\0\0"s)), "auth");
  ExpectFailure(login(Auth(3)), "auth", "");  // No password to give.
  ExpectFailure(login(""), "closed");
  ExpectFailure(login(Msg('Z', "I")), "protocol");
  ExpectFailure(login("R\0\0\0\4"s), "protocol");
  ExpectFailure(login("-ERR unknown command\r\n"), "protocol");
  ExpectFailure([](FakeConnection& connection, int) { connection.Hang(); }, "timeout");
}

TEST(Console, TellsWhyTheAnswersStop) {
  const auto answers = [](const std::string& bytes) {
    return [bytes](FakeConnection& connection, int) {
      ReadStartup(connection);
      connection.Write(Welcome());
      connection.Read();
      connection.Write(bytes);
    };
  };
  const std::string all = AllAnswers();
  ExpectFailure(answers(all.substr(0, all.size() / 2)), "closed");
  ExpectFailure(answers(Msg('T', "\xff\xff")), "protocol");
  ExpectFailure(answers(Msg('D', "\0\1"s)), "protocol");
  ExpectFailure(answers(Msg('E', "x")), "protocol");
  ExpectFailure(answers("D\xff\xff\xff\xff"), "protocol");
  ExpectFailure(answers(Complaint("FATAL", "57P01", "the bouncer is shutting down")), "shutdown");
  ExpectFailure(
      [&](FakeConnection& connection, int) {
        ReadStartup(connection);
        connection.Write(Welcome());
        connection.Read();
        connection.Write(all.substr(0, all.size() - 1));
        connection.Hang();
      },
      "timeout");
}

TEST(Console, RefusesAServerThatFailsToProveItself) {
  ExpectFailure(
      [](FakeConnection& connection, int) {
        ReadStartup(connection);
        connection.Write(Auth(10, "SCRAM-SHA-256\0\0"s));
        const std::string first = connection.Read();
        const std::string nonce = first.substr(first.find("r=") + 2);
        connection.Write(Auth(11, "r=" + nonce + "more,s=AAAA,i=1"));
        connection.Read();
        connection.Write(Auth(12, "v=AAAA") + Welcome());
        connection.Hang();
      },
      "auth");
}

TEST(Console, UsesTlsAsSslmodeSays) {
  const auto no_tls = [](FakeConnection& connection, int) {
    connection.ReadBytes(8);
    connection.Write("N");
    ReadStartup(connection);
    connection.Write(Welcome());
    connection.Read();
    connection.Write(AllAnswers());
  };
  EXPECT_TRUE(Visit(no_tls, "", SslMode::kPrefer).snapshot.ok());
  ExpectFailure(no_tls, "tls", "", SslMode::kRequire);
  ExpectFailure(
      [](FakeConnection& connection, int) {
        connection.ReadBytes(8);
        connection.Write("E");
      },
      "protocol", "", SslMode::kPrefer);
  ExpectFailure(
      [](FakeConnection& connection, int) {
        connection.ReadBytes(8);
        connection.Write("S");
        connection.Read();
        connection.Write("no TLS here");
      },
      "tls", "", SslMode::kRequire);
}

TEST(Console, TellsThatNothingListens) {
  int port = 0;
  {
    port = FakeServer([](FakeConnection&, int) {}).port();
  }
  const ConnectionInfo info = For(port);
  Resolver resolver;
  ScramKeyCache keys;
  Console console(info, resolver, keys);
  const auto snapshot = console.Fetch(steady_clock::now() + milliseconds(3000));
  ASSERT_FALSE(snapshot.ok());
  EXPECT_EQ(FailureReasonName(console.failure_reason()), "refused");
  EXPECT_EQ(snapshot.error().message(), "pgbouncer stats@127.0.0.1:" + std::to_string(port) +
                                            "/pgbouncer: connect: Connection refused");
}

TEST(Version, IsReadFromTheText) {
  const auto check = [](std::string_view text, int expected) {
    EXPECT_EQ(ParseVersion(text), expected) << text;
  };
  check("PgBouncer 1.18.0", 11800);
  check("PgBouncer 1.24.1-1", 12401);
  check("PgBouncer 1.25", 12500);
  check("pgbouncer version 1.7.2", 10702);
  check("", 0);
  check("PgBouncer", 0);
  check("999999999999", 0);
}

}  // namespace
}  // namespace exporters::pgbouncer
