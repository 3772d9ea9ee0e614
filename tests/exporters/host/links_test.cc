#include "exporters/host/links.h"

#include <algorithm>
#include <cstring>

#include <gtest/gtest.h>
#include <linux/if_link.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>

namespace exporters::host {
namespace {

template <typename T>
std::string Bytes(const T& value) {
  return {reinterpret_cast<const char*>(&value), sizeof(value)};
}

std::string Padded(std::string bytes) {
  bytes.resize((bytes.size() + 3) & ~size_t{3});
  return bytes;
}

std::string Attribute(uint16_t type, const std::string& payload) {
  const rtattr header{.rta_len = static_cast<uint16_t>(sizeof(rtattr) + payload.size()),
                      .rta_type = type};
  return Padded(Bytes(header) + payload);
}

std::string Message(uint16_t type, const std::string& body) {
  const nlmsghdr header{.nlmsg_len = static_cast<uint32_t>(sizeof(nlmsghdr) + body.size()),
                        .nlmsg_type = type,
                        .nlmsg_flags = 0,
                        .nlmsg_seq = 1,
                        .nlmsg_pid = 0};
  return Padded(Bytes(header) + body);
}

std::string LinkBody(int index, const std::string& attributes) {
  ifinfomsg info{};
  info.ifi_index = index;
  info.ifi_type = 1;
  info.ifi_flags = 0x1003;
  return Bytes(info) + attributes;
}

TEST(ParseLinkMessages, ReadsDevicesUntilTheEnd) {
  rtnl_link_stats64 stats{};
  stats.rx_bytes = 1'234'567'890'123;
  stats.rx_nohandler = 4;
  const std::string datagram =
      Message(RTM_NEWLINK, LinkBody(2, Attribute(IFLA_IFNAME, std::string("eth0\0", 5)) +
                                           Attribute(IFLA_ADDRESS, "\x02\x00\x5e\xff\x53\x01") +
                                           Attribute(IFLA_MTU, Bytes(uint32_t{1500})) +
                                           Attribute(IFLA_CARRIER, std::string(1, '\1')) +
                                           Attribute(IFLA_STATS64, Bytes(stats)))) +
      Message(NLMSG_DONE, Bytes(int32_t{0}));
  std::vector<Link> links;
  const auto done = ParseLinkMessages(datagram, &links);
  ASSERT_TRUE(done.ok()) << done.error().message();
  EXPECT_TRUE(*done);
  ASSERT_EQ(links.size(), 1U);
  EXPECT_EQ(links[0].name, "eth0");
  EXPECT_EQ(links[0].mtu, 1500U);
  EXPECT_EQ(links[0].carrier, 1);
  EXPECT_EQ(links[0].flags, 0x1003U);
  ASSERT_TRUE(links[0].counters.has_value());
  EXPECT_EQ(links[0].counters->rx_bytes, 1'234'567'890'123U);
  EXPECT_EQ(links[0].counters->rx_nohandler, 4U);
}

TEST(ParseLinkMessages, OldKernelsShorterCountersLackNohandler) {
  const std::string old(offsetof(rtnl_link_stats64, rx_nohandler), '\1');
  std::vector<Link> links;
  ASSERT_TRUE(
      ParseLinkMessages(Message(RTM_NEWLINK, LinkBody(1, Attribute(IFLA_STATS64, old))), &links)
          .ok());
  ASSERT_TRUE(links[0].counters.has_value());
  EXPECT_EQ(links[0].counters->rx_nohandler, std::nullopt);
}

TEST(ParseLinkMessages, DumpGoesOnWithoutDone) {
  std::vector<Link> links;
  EXPECT_FALSE(*ParseLinkMessages(Message(RTM_NEWLINK, LinkBody(1, "")), &links));
  EXPECT_FALSE(*ParseLinkMessages("", &links));
}

TEST(ParseLinkMessages, RefusesBrokenLengths) {
  const std::string good = Message(RTM_NEWLINK, LinkBody(1, Attribute(IFLA_MTU, "abcd")));
  std::vector<Link> links;
  for (size_t length = 1; length < good.size(); ++length) {
    EXPECT_FALSE(ParseLinkMessages(std::string_view(good).substr(0, length), &links).ok())
        << length;
  }
  rtattr zero{};
  EXPECT_FALSE(ParseLinkMessages(Message(RTM_NEWLINK, LinkBody(1, Bytes(zero))), &links).ok());
  EXPECT_FALSE(ParseLinkMessages(Message(RTM_NEWLINK, "short"), &links).ok());
}

TEST(ParseLinkMessages, PassesOnTheKernelsError) {
  nlmsgerr error{};
  error.error = -EPERM;
  std::vector<Link> links;
  const auto done = ParseLinkMessages(Message(NLMSG_ERROR, Bytes(error)), &links);
  ASSERT_FALSE(done.ok());
  EXPECT_EQ(done.error().kind(), base::ErrorKind::kPermissionDenied);
}

TEST(ParseLinkMessages, TooManyDevicesAreRefused) {
  const std::string message = Message(RTM_NEWLINK, LinkBody(1, ""));
  std::string datagram;
  for (int i = 0; i < 1024; ++i) {
    datagram += message;
  }
  std::vector<Link> links;
  for (size_t i = 0; i < kMaxLinks / 1024; ++i) {
    ASSERT_TRUE(ParseLinkMessages(datagram, &links).ok());
  }
  const auto more = ParseLinkMessages(message, &links);
  ASSERT_FALSE(more.ok());
  EXPECT_EQ(more.error().kind(), base::ErrorKind::kResourceExhausted);
}

TEST(LinkSocket, FindsTheLoopbackDeviceAgainAndAgain) {
  LinkSocket socket;
  for (int i = 0; i < 3; ++i) {
    const auto links = socket.Dump();
    ASSERT_TRUE(links.ok()) << links.error().message();
    EXPECT_TRUE(std::any_of(links->begin(), links->end(),
                            [](const Link& link) { return link.name == "lo"; }));
  }
}

}  // namespace
}  // namespace exporters::host
