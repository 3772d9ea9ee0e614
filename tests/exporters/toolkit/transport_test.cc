#include "exporters/toolkit/transport.h"

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <string>

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "tests/exporters/toolkit/fake_server.h"

namespace exporters {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

base::MonotonicTime In(milliseconds duration) { return steady_clock::now() + duration; }
base::MonotonicTime Soon() { return In(milliseconds(5000)); }

Endpoint Local(int port) { return {.host = "127.0.0.1", .port = port}; }

std::string ReadAll(Transport& transport, size_t size) {
  std::string all;
  char buffer[1024];
  while (all.size() < size) {
    const auto count = transport.Read(buffer, sizeof(buffer), Soon());
    if (!count.ok()) {
      break;
    }
    all.append(buffer, *count);
  }
  return all;
}

TEST(Transport, CarriesBytesBothWays) {
  FakeServer server([](FakeConnection& connection, int) {
    connection.Write("hello " + connection.ReadBytes(4));
    connection.Hang();
  });
  Resolver resolver;
  auto transport = Transport::Connect(Local(server.port()), resolver, Soon());
  ASSERT_TRUE(transport.ok()) << transport.error().message();
  ASSERT_TRUE((*transport)->Write("ping", Soon()).ok());
  EXPECT_EQ(ReadAll(**transport, 10), "hello ping");
}

TEST(Transport, SaysThatAPortRefuses) {
  int port = 0;
  {
    port = FakeServer([](FakeConnection&, int) {}).port();
  }
  Resolver resolver;
  const auto transport = Transport::Connect(Local(port), resolver, Soon());
  ASSERT_FALSE(transport.ok());
  EXPECT_EQ(transport.error().kind(), base::ErrorKind::kUnavailable);
  EXPECT_EQ(transport.error().message(), "connect: Connection refused");
}

TEST(Transport, SaysThatASocketFileIsMissing) {
  Resolver resolver;
  const auto transport =
      Transport::Connect({.unix_path = "/nonexistent/redis.sock"}, resolver, Soon());
  ASSERT_FALSE(transport.ok());
  EXPECT_EQ(transport.error().message(), "connect: No such file or directory");
}

TEST(Transport, RefusesASocketPathThatDoesNotFit) {
  Resolver resolver;
  const auto transport =
      Transport::Connect({.unix_path = "/" + std::string(200, 'x')}, resolver, Soon());
  ASSERT_FALSE(transport.ok());
  EXPECT_EQ(transport.error().kind(), base::ErrorKind::kInvalidArgument);
}

TEST(Transport, GivesUpReadingAtTheDeadline) {
  FakeServer server([](FakeConnection& connection, int) { connection.Hang(); });
  Resolver resolver;
  auto transport = Transport::Connect(Local(server.port()), resolver, Soon());
  ASSERT_TRUE(transport.ok());
  char byte = 0;
  const auto start = steady_clock::now();
  const auto count = (*transport)->Read(&byte, 1, In(milliseconds(50)));
  ASSERT_FALSE(count.ok());
  EXPECT_EQ(count.error().kind(), base::ErrorKind::kDeadlineExceeded);
  EXPECT_LT(steady_clock::now() - start, milliseconds(2000));
}

TEST(Transport, GivesUpWritingToAServerThatDoesNotRead) {
  Resolver resolver;
  // A listener that never accepts is a server that never reads.
  base::UniqueFd listener(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(address);
  ASSERT_EQ(bind(listener.get(), reinterpret_cast<sockaddr*>(&address), size), 0);
  ASSERT_EQ(listen(listener.get(), 1), 0);
  ASSERT_EQ(getsockname(listener.get(), reinterpret_cast<sockaddr*>(&address), &size), 0);
  auto transport = Transport::Connect(Local(ntohs(address.sin_port)), resolver, Soon());
  ASSERT_TRUE(transport.ok());
  const auto written = (*transport)->Write(std::string(64 << 20, 'x'), In(milliseconds(100)));
  ASSERT_FALSE(written.ok());
  EXPECT_EQ(written.error().kind(), base::ErrorKind::kDeadlineExceeded);
}

TEST(Transport, IsQuietUntilTheServerSaysSomethingOrGoes) {
  FakeServer server([](FakeConnection& connection, int) { connection.ReadBytes(1); });
  Resolver resolver;
  auto transport = Transport::Connect(Local(server.port()), resolver, Soon());
  ASSERT_TRUE(transport.ok());
  EXPECT_TRUE((*transport)->Quiet());
  ASSERT_TRUE((*transport)->Write("x", Soon()).ok());
  char byte = 0;
  EXPECT_FALSE((*transport)->Read(&byte, 1, Soon()).ok());
  EXPECT_FALSE((*transport)->Quiet());
}

TEST(Transport, FailsTheTlsHandshakeWithAServerThatDoesNotSpeakIt) {
  FakeServer server([](FakeConnection& connection, int) {
    connection.Read();
    connection.Write("-ERR unknown command\r\n");
    connection.Hang();
  });
  Resolver resolver;
  auto transport = Transport::Connect(Local(server.port()), resolver, Soon());
  ASSERT_TRUE(transport.ok());
  const auto secured = (*transport)->StartTls({}, Soon());
  ASSERT_FALSE(secured.ok());
  EXPECT_EQ(secured.error().kind(), base::ErrorKind::kUnavailable);
  EXPECT_EQ(secured.error().message().rfind("TLS handshake: ", 0), 0U) << secured.error().message();
}

TEST(Transport, NamesTheTlsFileThatItCannotRead) {
  FakeServer server([](FakeConnection& connection, int) { connection.Hang(); });
  Resolver resolver;
  auto transport = Transport::Connect(Local(server.port()), resolver, Soon());
  ASSERT_TRUE(transport.ok());
  const auto secured = (*transport)->StartTls({.ca_file = "/nonexistent/ca.pem"}, Soon());
  ASSERT_FALSE(secured.ok());
  EXPECT_EQ(secured.error().kind(), base::ErrorKind::kInvalidArgument);
  EXPECT_NE(secured.error().message().find("CA file \"/nonexistent/ca.pem\""), std::string::npos);
}

TEST(Resolver, AnswersNumericHostsWithoutALookup) {
  Resolver resolver;
  for (const char* host : {"127.0.0.1", "::1"}) {
    const auto addresses = resolver.Resolve(host, 80, In(milliseconds(-1)));
    ASSERT_TRUE(addresses.ok()) << host;
    EXPECT_EQ(addresses->size(), 1U) << host;
  }
}

TEST(Resolver, FindsTheLoopbackByName) {
  Resolver resolver;
  const auto addresses = resolver.Resolve("localhost", 80, Soon());
  ASSERT_TRUE(addresses.ok()) << addresses.error().message();
  EXPECT_FALSE(addresses->empty());
}

TEST(Resolver, SaysWhichNameHasNoAddress) {
  Resolver resolver;
  const auto addresses = resolver.Resolve("no such host", 80, Soon());
  ASSERT_FALSE(addresses.ok());
  EXPECT_NE(addresses.error().message().find("\"no such host\""), std::string::npos);
}

TEST(Endpoint, IsWrittenAsOneWouldTypeIt) {
  EXPECT_EQ((Endpoint{.host = "db1", .port = 6379}).ToString(), "db1:6379");
  EXPECT_EQ((Endpoint{.host = "::1", .port = 6379}).ToString(), "[::1]:6379");
  EXPECT_EQ((Endpoint{.unix_path = "/run/redis.sock"}).ToString(), "/run/redis.sock");
}

}  // namespace
}  // namespace exporters
