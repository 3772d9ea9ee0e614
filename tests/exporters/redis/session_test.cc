#include "exporters/redis/session.h"

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <string>

#include <gtest/gtest.h>

#include "tests/exporters/redis/fake_redis.h"

namespace exporters::redis {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

const char kInfoText[] = "# Server\r\nredis_version:7.0.15\r\nrun_id:abc\r\n";

Options For(int port) {
  Options options;
  options.address.endpoint = {.host = "127.0.0.1", .port = port};
  return options;
}

base::Result<Snapshot> Fetch(Session& session, milliseconds time = milliseconds(5000)) {
  return session.Fetch(steady_clock::now() + time);
}

// Fetches once from a server with these replies and expects the failure.
void ExpectFailure(const std::map<std::string, std::string>& replies, FailureReason reason,
                   const std::string& password = "") {
  FakeRedis server(replies);
  Options options = For(server.port());
  options.address.password = base::Secret(password);
  Resolver resolver;
  Session session(options, resolver);
  const auto snapshot = Fetch(session);
  ASSERT_FALSE(snapshot.ok());
  EXPECT_EQ(FailureReasonName(session.failure_reason()), FailureReasonName(reason))
      << snapshot.error().message();
  EXPECT_EQ(snapshot.error().message().find("canary"), std::string::npos)
      << snapshot.error().message();
}

// Fetches once from a server that holds this conversation and expects the failure.
void ExpectFailureOfTalk(const FakeServer::Talk& talk, FailureReason reason) {
  FakeServer server(talk);
  const Options options = For(server.port());
  Resolver resolver;
  Session session(options, resolver);
  const auto snapshot = Fetch(session, milliseconds(300));
  ASSERT_FALSE(snapshot.ok());
  EXPECT_EQ(FailureReasonName(session.failure_reason()), FailureReasonName(reason))
      << snapshot.error().message();
}

TEST(Session, KeepsItsConnectionAndGreetsOnce) {
  FakeRedis server({{"INFO", Bulk(kInfoText)}, {"AUTH", "+OK\r\n"}, {"CLIENT", "+OK\r\n"}});
  Options options = For(server.port());
  options.address.user = "me";
  options.address.password = base::Secret("pw");
  Resolver resolver;
  Session session(options, resolver);
  for (int i = 0; i < 3; ++i) {
    const auto snapshot = Fetch(session);
    ASSERT_TRUE(snapshot.ok()) << snapshot.error().message();
    EXPECT_EQ(snapshot->info.Get("redis_version"), "7.0.15");
  }
  EXPECT_EQ(server.connections(), 1);
  const auto commands = server.commands();
  EXPECT_EQ(std::count(commands.begin(), commands.end(), "AUTH me pw"), 1);
  EXPECT_EQ(std::count(commands.begin(), commands.end(), "CLIENT SETNAME tarsier-redis"), 1);
  EXPECT_EQ(std::count(commands.begin(), commands.end(), "INFO ALL"), 3);
}

TEST(Session, ReplacesAKeptConnectionThatDied) {
  // The first connection answers one scrape and is then reset in the middle of the next.
  FakeServer server([](FakeConnection& connection, int number) {
    for (int scrapes = 0; !connection.Read().empty(); ++scrapes) {
      if (number == 1 && scrapes == 1) {
        connection.Reset();
        return;
      }
      std::string replies = scrapes == 0 ? "+OK\r\n" : "";  // CLIENT SETNAME.
      replies += Bulk(kInfoText);
      for (int i = 0; i < 12; ++i) {
        replies += "*0\r\n";
      }
      connection.Write(replies);
    }
  });
  Options options = For(server.port());
  options.collectors.named["client_groups"] = false;  // It would ask once more.
  Resolver resolver;
  Session session(options, resolver);
  ASSERT_TRUE(Fetch(session).ok());
  const auto second = Fetch(session);
  ASSERT_TRUE(second.ok()) << second.error().message();
  EXPECT_EQ(server.connections(), 2);
}

TEST(Session, AnswersInTimeWhenTheServerHangs) {
  FakeServer server([](FakeConnection& connection, int) { connection.Hang(); });
  const Options options = For(server.port());
  Resolver resolver;
  Session session(options, resolver);
  const auto start = steady_clock::now();
  ASSERT_FALSE(Fetch(session, milliseconds(100)).ok());
  EXPECT_EQ(session.failure_reason(), FailureReason::kTimeout);
  EXPECT_LT(steady_clock::now() - start, milliseconds(3000));
}

TEST(Session, AnswersInTimeWhenTheServerDripsBytes) {
  FakeServer server([](FakeConnection& connection, int) {
    connection.Read();
    for (int i = 0; i < 1000; ++i) {
      connection.Write("+");
      if (!connection.Linger(5)) {
        return;
      }
    }
  });
  const Options options = For(server.port());
  Resolver resolver;
  Session session(options, resolver);
  const auto start = steady_clock::now();
  ASSERT_FALSE(Fetch(session, milliseconds(100)).ok());
  EXPECT_EQ(session.failure_reason(), FailureReason::kTimeout);
  EXPECT_LT(steady_clock::now() - start, milliseconds(3000));
}

TEST(Session, TakesConnectionTimeoutForTheWholeScrape) {
  FakeServer server([](FakeConnection& connection, int) { connection.Hang(); });
  Options options = For(server.port());
  options.connection_timeout = milliseconds(100);
  Resolver resolver;
  Session session(options, resolver);
  const auto start = steady_clock::now();
  ASSERT_FALSE(Fetch(session, milliseconds(60000)).ok());
  EXPECT_EQ(session.failure_reason(), FailureReason::kTimeout);
  EXPECT_LT(steady_clock::now() - start, milliseconds(5000));
}

TEST(Session, TellsWhyTheServerRefuses) {
  using enum FailureReason;
  const std::string info = Bulk(kInfoText);
  ExpectFailure({{"INFO", "-NOAUTH Authentication required.\r\n"}}, kNoauth);
  ExpectFailure({{"INFO", info}, {"AUTH", "-WRONGPASS invalid username-password pair\r\n"}},
                kWrongpass, "canary");
  ExpectFailure({{"INFO", info}, {"AUTH", "-ERR invalid password\r\n"}}, kWrongpass, "canary");
  // A server without AUTH quotes its arguments.
  ExpectFailure({{"INFO", info},
                 {"AUTH", "-ERR unknown command 'AUTH', with args beginning with: 'canary'\r\n"}},
                kWrongpass, "canary");
  ExpectFailure({{"INFO", "-NOPERM this user has no permissions to run the 'info' command\r\n"}},
                kNoperm);
  ExpectFailure({{"INFO", "-LOADING Redis is loading the dataset in memory\r\n"}}, kLoading);
  ExpectFailure({{"INFO", "-BUSY Redis is busy running a script\r\n"}}, kBusy);
  ExpectFailure({{"INFO", "-ERR something else\r\n"}}, kError);
  ExpectFailure({{"INFO", "$0\r\n\r\n"}}, kProtocol);
  ExpectFailure({{"INFO", ":1\r\n"}}, kProtocol);
}

TEST(Session, TellsWhyTheServerHungUp) {
  using enum FailureReason;
  ExpectFailureOfTalk([](FakeConnection& c, int) { c.Read(); }, kClosed);
  ExpectFailureOfTalk(
      [](FakeConnection& c, int) {
        c.Read();
        c.Write("+OK\r\n$100\r\n# Server\r\n");
      },
      kClosed);
  ExpectFailureOfTalk(
      [](FakeConnection& c, int) { c.Write("-ERR max number of clients reached\r\n"); },
      kMaxclients);
  ExpectFailureOfTalk(
      [](FakeConnection& c, int) {
        c.Write("-DENIED Redis is running in protected mode because\r\n");
      },
      kProtected);
  ExpectFailureOfTalk(
      [](FakeConnection& c, int) {
        c.Read();
        c.Write("HTTP/1.1 400 Bad Request\r\n\r\n");
        c.Hang();
      },
      kProtocol);
}

TEST(Session, TellsThatNothingListens) {
  int port = 0;
  {
    port = FakeServer([](FakeConnection&, int) {}).port();
  }
  const Options options = For(port);
  Resolver resolver;
  Session session(options, resolver);
  const auto snapshot = Fetch(session);
  ASSERT_FALSE(snapshot.ok());
  EXPECT_EQ(session.failure_reason(), FailureReason::kRefused);
  EXPECT_EQ(snapshot.error().message(),
            "redis redis://127.0.0.1:" + std::to_string(port) + ": connect: Connection refused");
}

TEST(Session, GoesOnWhenTheServerHasNoPassword) {
  FakeRedis server({{"INFO", Bulk(kInfoText)},
                    {"AUTH",
                     "-ERR AUTH <password> called without any password configured for the "
                     "default user. Are you sure your configuration is correct?\r\n"}});
  Options options = For(server.port());
  options.address.password = base::Secret("pw");
  Resolver resolver;
  Session session(options, resolver);
  EXPECT_TRUE(Fetch(session).ok());
}

TEST(Session, AsksAServerThatDoesNotKnowInfoAllForPlainInfo) {
  FakeRedis server({{"INFO ALL", "-ERR syntax error\r\n"}, {"INFO", Bulk(kInfoText)}});
  const Options options = For(server.port());
  Resolver resolver;
  Session session(options, resolver);
  ASSERT_TRUE(Fetch(session).ok());
  ASSERT_TRUE(Fetch(session).ok());
  const auto commands = server.commands();
  EXPECT_EQ(std::count(commands.begin(), commands.end(), "INFO ALL"), 1);
  EXPECT_EQ(std::count(commands.begin(), commands.end(), "INFO"), 2);
}

TEST(Session, DoesNotRepeatWhatTheServerRefused) {
  FakeRedis server({{"INFO", Bulk(kInfoText)},
                    {"LATENCY", "-ERR unknown command 'LATENCY'\r\n"},
                    {"SLOWLOG", "-NOPERM no permissions to run the 'slowlog|get' command\r\n"}});
  const Options options = For(server.port());
  Resolver resolver;
  Session session(options, resolver);
  for (int i = 0; i < 3; ++i) {
    const auto snapshot = Fetch(session);
    ASSERT_TRUE(snapshot.ok());
    const auto latency = snapshot->answers.Get(Request::kLatencyLatest);
    ASSERT_FALSE(latency.ok());
    EXPECT_EQ(latency.error().kind(), base::ErrorKind::kUnsupported);
    const auto slowlog = snapshot->answers.Get(Request::kSlowlogGet);
    ASSERT_FALSE(slowlog.ok());
    EXPECT_EQ(slowlog.error().kind(), base::ErrorKind::kPermissionDenied);
  }
  const auto commands = server.commands();
  EXPECT_EQ(std::count(commands.begin(), commands.end(), "LATENCY LATEST"), 1);
  EXPECT_EQ(std::count(commands.begin(), commands.end(), "SLOWLOG GET 16"), 1);
}

TEST(Session, AsksForTheClusterOnlyWhereThereIsOne) {
  FakeRedis single({{"INFO", Bulk(std::string(kInfoText) + "cluster_enabled:0\r\n")}});
  FakeRedis cluster({{"INFO", Bulk(std::string(kInfoText) + "cluster_enabled:1\r\n")},
                     {"CLUSTER", Bulk("cluster_state:ok\r\n")}});
  const auto count = [](FakeRedis& server) {
    const Options options = For(server.port());
    Resolver resolver;
    Session session(options, resolver);
    EXPECT_TRUE(Fetch(session).ok());
    EXPECT_TRUE(Fetch(session).ok());
    const auto commands = server.commands();
    return std::count(commands.begin(), commands.end(), "CLUSTER INFO");
  };
  EXPECT_EQ(count(single), 0);
  EXPECT_EQ(count(cluster), 2);
}

TEST(Session, AsksForWhatTheOptionsSay) {
  const auto commands = [](const std::function<void(Options*)>& set) {
    FakeRedis server({{"INFO", Bulk(kInfoText)}});
    Options options = For(server.port());
    set(&options);
    Resolver resolver;
    Session session(options, resolver);
    EXPECT_TRUE(Fetch(session).ok());
    return server.commands();
  };
  const auto starting = [](const std::vector<std::string>& all, const std::string& start) {
    return std::count_if(all.begin(), all.end(),
                         [&](const std::string& c) { return c.rfind(start, 0) == 0; });
  };
  const auto standard = commands([](Options*) {});
  EXPECT_EQ(starting(standard, "CONFIG GET"), 8);
  EXPECT_EQ(starting(standard, "LATENCY HISTOGRAM"), 1);
  EXPECT_EQ(starting(standard, "PING"), 0);
  EXPECT_EQ(starting(commands([](Options* o) { o->config_command = "-"; }), "CONFIG"), 0);
  EXPECT_EQ(starting(commands([](Options* o) { o->config_command = "X9"; }), "X9 GET"), 8);
  EXPECT_EQ(
      starting(commands([](Options* o) { o->include_config_metrics = true; }), "CONFIG GET *"), 1);
  EXPECT_EQ(starting(commands([](Options* o) { o->latency_histogram = false; }), "LATENCY HIST"),
            0);
  EXPECT_EQ(starting(commands([](Options* o) { o->client_name.clear(); }), "CLIENT S"), 0);
  EXPECT_EQ(starting(commands([](Options* o) { o->ping_on_connect = true; }), "PING"), 1);
}

TEST(Session, ReadsThePasswordFileAtEachConnect) {
  const auto path =
      std::filesystem::temp_directory_path() / ("tarsier-password-" + std::to_string(getpid()));
  std::ofstream(path) << "first";
  FakeRedis server({{"INFO", Bulk(kInfoText)}, {"AUTH", "-WRONGPASS no\r\n"}});
  Options options = For(server.port());
  options.password_file = path;
  Resolver resolver;
  Session session(options, resolver);
  EXPECT_FALSE(Fetch(session).ok());
  std::ofstream(path) << "second";
  EXPECT_FALSE(Fetch(session).ok());
  const auto commands = server.commands();
  EXPECT_EQ(std::count(commands.begin(), commands.end(), "AUTH first"), 1);
  EXPECT_EQ(std::count(commands.begin(), commands.end(), "AUTH second"), 1);
  std::filesystem::remove(path);
  const auto missing = Fetch(session);
  ASSERT_FALSE(missing.ok());
  EXPECT_EQ(session.failure_reason(), FailureReason::kError);
}

TEST(Session, KeepsTheStartTimeWhileTheProcessIsTheSame) {
  const auto info = [](const char* run_id, const char* now, int uptime) {
    return Bulk(std::string("run_id:") + run_id + "\r\nserver_time_usec:" + now +
                "\r\nuptime_in_seconds:" + std::to_string(uptime) + "\r\n");
  };
  FakeRedis server({{"INFO", info("a", "1795169423100000", 10)}});
  const Options options = For(server.port());
  Resolver resolver;
  Session session(options, resolver);
  EXPECT_EQ(Fetch(session)->start_time_seconds, 1795169413);
  server.SetReply("INFO", info("a", "1795169424000000", 10));
  EXPECT_EQ(Fetch(session)->start_time_seconds, 1795169413);
  server.SetReply("INFO", info("b", "1795169425000000", 0));
  EXPECT_EQ(Fetch(session)->start_time_seconds, 1795169425);
}

}  // namespace
}  // namespace exporters::redis
