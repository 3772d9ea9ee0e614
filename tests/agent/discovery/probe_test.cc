#include "agent/discovery/probe.h"

#include <array>
#include <atomic>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include "lib/base/file.h"

namespace discovery {
namespace {

using namespace std::string_literals;

// Answers each message of each connection with what `reply` makes of it; "" hangs up.
class ScriptedServer {
 public:
  explicit ScriptedServer(std::function<std::string(const std::string&)> reply)
      : reply_(std::move(reply)), listening_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t length = sizeof(address);
    EXPECT_EQ(bind(listening_.get(), reinterpret_cast<sockaddr*>(&address), length), 0);
    EXPECT_EQ(listen(listening_.get(), 8), 0);
    EXPECT_EQ(getsockname(listening_.get(), reinterpret_cast<sockaddr*>(&address), &length), 0);
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this] { Serve(); });
  }
  ~ScriptedServer() {
    shutdown(listening_.get(), SHUT_RDWR);
    thread_.join();
  }
  ScriptedServer(const ScriptedServer&) = delete;
  ScriptedServer& operator=(const ScriptedServer&) = delete;

  Listener listener() const { return {.host = "127.0.0.1", .port = port_}; }
  int connections() const { return connections_; }

 private:
  void Serve() {
    for (;;) {
      const base::UniqueFd client(accept(listening_.get(), nullptr, nullptr));
      if (!client.valid()) {
        return;
      }
      ++connections_;
      std::array<char, 4096> buffer{};
      for (;;) {
        const ssize_t length = recv(client.get(), buffer.data(), buffer.size(), 0);
        const std::string answer =
            length > 0 ? reply_(std::string(buffer.data(), static_cast<size_t>(length))) : "";
        if (answer.empty()) {
          break;
        }
        send(client.get(), answer.data(), answer.size(), MSG_NOSIGNAL);
      }
    }
  }

  const std::function<std::string(const std::string&)> reply_;
  base::UniqueFd listening_;
  int port_ = 0;
  std::atomic<int> connections_{0};
  std::thread thread_;
};

const std::string kPostgresError =
    "E\0\0\0\x40SFATAL\0VFATAL\0C28000\0Mno pg_hba.conf entry\0Fauth.c\0L542\0RClientAuthentication\0\0"s;
const std::string kPgbouncerError =
    "E\0\0\0\x40SFATAL\0C08P01\0Munsupported startup parameter: geqo_seed\0\0"s;
const std::string kSaslRequest = "R\0\0\0\x17\0\0\0\x0aSCRAM-SHA-256\0\0"s;

TEST(Probe, SendsWhatTheProtocolSays) {
  EXPECT_EQ(TlsRequest(), "\0\0\0\x08\x04\xd2\x16\x2f"s);
  EXPECT_EQ(StartupPacket(),
            "\0\0\0\x35\0\x03\0\0user\0postgres\0database\0postgres\0geqo_seed\0"
            "0\0\0"s);
}

TEST(Probe, TellsPostgresFromPgbouncerByTheirAnswer) {
  EXPECT_EQ(ParseStartupAnswer(kSaslRequest), ServerKind::kPostgres);
  EXPECT_EQ(ParseStartupAnswer("R\0\0\0\x08\0\0\0\0"s), ServerKind::kPostgres);
  EXPECT_EQ(ParseStartupAnswer(kPostgresError), ServerKind::kPostgres);
  EXPECT_EQ(ParseStartupAnswer(kPgbouncerError), ServerKind::kPgbouncer);
  EXPECT_EQ(ParseStartupAnswer("E\0\0\0\x40SFATAL\0C08P01\0MSSL required\0\0"s),
            ServerKind::kPgbouncer);
  EXPECT_EQ(ParseStartupAnswer(""), std::nullopt);
  EXPECT_EQ(ParseStartupAnswer("E\0\0"s), std::nullopt);
  EXPECT_EQ(ParseStartupAnswer("HTTP/1.1 400 Bad Request\r\n"), std::nullopt);
}

TEST(Probe, KnowsRedisByWhatItSaysToAPing) {
  for (const char* answer :
       {"+PONG\r\n", "-NOAUTH Authentication required.\r\n",
        "-DENIED Redis is running in protected mode", "-LOADING Redis is loading"}) {
    EXPECT_TRUE(IsRedisAnswer(answer)) << answer;
  }
  for (const char* answer :
       {"", "PONG\r\n", "-ERR unknown command", "HTTP/1.1 400\r\n", "+OK\r\n"}) {
    EXPECT_FALSE(IsRedisAnswer(answer)) << answer;
  }
}

TEST(Probe, FindsServersByTalkingToThem) {
  const auto check = [](std::optional<ServerKind> expected, const std::string& tls_answer,
                        const std::string& startup_answer, const std::string& ping_answer) {
    const ScriptedServer server([&](const std::string& message) {
      return message == TlsRequest()      ? tls_answer
             : message == StartupPacket() ? startup_answer
                                          : ping_answer;
    });
    EXPECT_EQ(Probe(server.listener()), expected) << tls_answer << startup_answer << ping_answer;
    EXPECT_LE(server.connections(), 2);
  };
  check(ServerKind::kPostgres, "N", kSaslRequest, "");
  check(ServerKind::kPostgres, "S", kPostgresError, "");
  check(ServerKind::kPgbouncer, "N", kPgbouncerError, "");
  check(ServerKind::kPgbouncer, "S", kPgbouncerError, "");
  check(ServerKind::kRedis, "", "", "+PONG\r\n");
  check(std::nullopt, "HTTP/1.1 400 Bad Request\r\n", "", "HTTP/1.1 400 Bad Request\r\n");
  check(std::nullopt, "", "", "");
  check(std::nullopt, "N", "garbage", "");
}

TEST(Probe, NobodyThereIsNothing) {
  EXPECT_EQ(Probe({.host = "127.0.0.1", .port = 1}), std::nullopt);
  EXPECT_EQ(Probe({.socket_path = "/nonexistent.sock"}), std::nullopt);
  EXPECT_EQ(Probe({.socket_path = std::string(300, 'x')}), std::nullopt);
}

TEST(Probe, AServerThatSaysNothingIsGivenUp) {
  const base::UniqueFd silent(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof(address);
  ASSERT_EQ(bind(silent.get(), reinterpret_cast<sockaddr*>(&address), length), 0);
  ASSERT_EQ(listen(silent.get(), 8), 0);
  ASSERT_EQ(getsockname(silent.get(), reinterpret_cast<sockaddr*>(&address), &length), 0);
  const auto start = std::chrono::steady_clock::now();
  EXPECT_EQ(Probe({.host = "127.0.0.1", .port = ntohs(address.sin_port)}), std::nullopt);
  EXPECT_LT(std::chrono::steady_clock::now() - start, 3 * kProbeTimeout);
}

}  // namespace
}  // namespace discovery
