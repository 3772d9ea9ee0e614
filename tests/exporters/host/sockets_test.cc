#include "exporters/host/sockets.h"

#include <algorithm>
#include <cstring>

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/unix_diag.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "exporters/host/limits.h"
#include "lib/base/file.h"

namespace exporters::host {
namespace {

template <typename T>
std::string Bytes(const T& value) {
  return {reinterpret_cast<const char*>(&value), sizeof(value)};
}

std::string Attribute(uint16_t type, std::string payload) {
  const nlattr header{.nla_len = static_cast<uint16_t>(sizeof(nlattr) + payload.size()),
                      .nla_type = type};
  payload.resize((payload.size() + 3) & ~size_t{3});
  return Bytes(header) + payload;
}

TEST(ParseNetlinkMessages, BrokenLengthsAreErrors) {
  const NetlinkFunc ignore = [](uint16_t, std::string_view) { return base::Result<void>(); };
  const nlmsghdr done{.nlmsg_len = sizeof(nlmsghdr), .nlmsg_type = NLMSG_DONE};
  EXPECT_TRUE(*ParseNetlinkMessages(Bytes(done), ignore));
  EXPECT_FALSE(*ParseNetlinkMessages("", ignore));
  for (const uint32_t length : {0U, 3U, 1000U}) {
    const nlmsghdr broken{.nlmsg_len = length, .nlmsg_type = NLMSG_DONE};
    EXPECT_FALSE(ParseNetlinkMessages(Bytes(broken), ignore).ok()) << length;
  }
  EXPECT_FALSE(ParseNetlinkMessages("short", ignore).ok());
  const nlmsghdr error{.nlmsg_len = sizeof(nlmsghdr) + sizeof(nlmsgerr), .nlmsg_type = NLMSG_ERROR};
  const nlmsgerr refused{.error = -EACCES};
  EXPECT_EQ(ParseNetlinkMessages(Bytes(error) + Bytes(refused), ignore).error().kind(),
            base::ErrorKind::kPermissionDenied);
}

TEST(ParseInetListener, ShowsAddressQueueAndLimit) {
  inet_diag_msg message{};
  message.idiag_family = AF_INET;
  message.id.idiag_sport = htons(5432);
  message.id.idiag_src[0] = htonl(INADDR_LOOPBACK);
  message.idiag_rqueue = 3;
  message.idiag_wqueue = 128;
  const auto listener = ParseInetListener(Bytes(message));
  ASSERT_TRUE(listener.ok());
  EXPECT_EQ(listener->address, "127.0.0.1:5432");
  EXPECT_EQ(listener->waiting, 3U);
  EXPECT_EQ(listener->limit, 128U);
  message.idiag_family = AF_INET6;
  message.id.idiag_src[0] = 0;
  EXPECT_EQ(ParseInetListener(Bytes(message))->address, "[::]:5432");
  EXPECT_FALSE(ParseInetListener("short").ok());
}

TEST(ParseUnixListener, KnowsPathsAndAbstractNames) {
  const unix_diag_msg message{};
  const unix_diag_rqlen queue{.udiag_rqueue = 2, .udiag_wqueue = 444};
  const auto name = [&](std::string bytes) {
    const auto listener =
        ParseUnixListener(Bytes(message) + Attribute(UNIX_DIAG_NAME, std::move(bytes)) +
                          Attribute(UNIX_DIAG_RQLEN, Bytes(queue)));
    EXPECT_TRUE(listener.ok());
    EXPECT_EQ(listener->limit, 444U);
    return listener->address;
  };
  EXPECT_EQ(name("/run/x.sock"), "/run/x.sock");
  EXPECT_EQ(name(std::string("/run/x.sock\0", 12)), "/run/x.sock");
  EXPECT_EQ(name(std::string("\0bus", 4)), "@bus");
  EXPECT_TRUE(ParseUnixListener(Bytes(message))->address.empty());
  EXPECT_FALSE(ParseUnixListener("short").ok());
  EXPECT_FALSE(ParseUnixListener(Bytes(message) + "\xff\xff").ok());
}

// The kernel itself: connections to a listener that accepts none wait in its queue.
TEST(ListListeners, SeesWaitingConnections) {
  const base::UniqueFd server(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  auto* const generic = reinterpret_cast<sockaddr*>(&address);
  ASSERT_EQ(bind(server.get(), generic, sizeof(address)), 0);
  ASSERT_EQ(listen(server.get(), 7), 0);
  socklen_t length = sizeof(address);
  ASSERT_EQ(getsockname(server.get(), generic, &length), 0);
  const base::UniqueFd client(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  ASSERT_EQ(connect(client.get(), generic, sizeof(address)), 0);

  NetlinkSocket socket(NETLINK_SOCK_DIAG);
  size_t dropped = 0;
  const auto listeners = ListListeners(socket, &dropped);
  if (!listeners.ok()) {
    GTEST_SKIP() << "no sock_diag here: " << listeners.error().message();
  }
  const std::string wanted = "127.0.0.1:" + std::to_string(ntohs(address.sin_port));
  const auto found = std::find_if(listeners->begin(), listeners->end(),
                                  [&](const Listener& l) { return l.address == wanted; });
  ASSERT_NE(found, listeners->end());
  EXPECT_EQ(found->waiting, 1U);
  EXPECT_EQ(found->limit, 7U);
  const auto states = CountTcpStates(socket);
  ASSERT_TRUE(states.ok());
  EXPECT_GE(states->connections.at("listen"), 1U);
}

TEST(Trend, NeedsTimeAndGrowth) {
  const base::MonotonicTime start{};
  const auto at = [start](int minutes) { return start + std::chrono::minutes(minutes); };
  Trend grows;
  for (int minute = 0; minute < 10; ++minute) {
    grows.Add(at(minute), 0.5 + 0.01 * minute);
    EXPECT_EQ(grows.SecondsUntil(1), std::nullopt) << minute;
  }
  grows.Add(at(10), 0.6);
  EXPECT_NEAR(grows.SecondsUntil(1).value_or(-1), 40 * 60, 1);
  Trend flat;
  Trend falls;
  for (int minute = 0; minute <= 60; ++minute) {
    flat.Add(at(minute), 0.5);
    falls.Add(at(minute), 0.9 - 0.01 * minute);
  }
  EXPECT_EQ(flat.SecondsUntil(1), std::nullopt);
  EXPECT_EQ(falls.SecondsUntil(1), std::nullopt);
}

TEST(Trend, ForgetsWhatIsOlderThanAnHour) {
  const base::MonotonicTime start{};
  Trend trend;
  for (int second = 0; second < 3 * 3600; second += 5) {
    const double hours = second / 3600.0;
    trend.Add(start + std::chrono::seconds(second), hours < 1.5 ? 0.9 - 0.3 * hours : 0.45);
  }
  EXPECT_EQ(trend.SecondsUntil(1), std::nullopt);
  EXPECT_EQ(trend.last(), start + std::chrono::seconds(3 * 3600 - 5));
}

}  // namespace
}  // namespace exporters::host
