#include "exporters/host/links.h"

#include <cerrno>
#include <cstring>

#include <fmt/format.h>
#include <linux/if_link.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

namespace exporters::host {
namespace {

constexpr uint16_t kTypeMask = 0x3fff;     // NLA_TYPE_MASK; above it are flags.
constexpr size_t kBufferBytes = 64 << 10;  // The kernel's own limit of a dump's datagram is 32 kB.

base::Error Malformed(std::string_view what) {
  return base::Error(fmt::format("rtnetlink: malformed {}", what),
                     base::ErrorKind::kInvalidArgument);
}

// A header at the start of `bytes`, which may be unaligned.
template <typename T>
std::optional<T> Peek(std::string_view bytes) {
  if (bytes.size() < sizeof(T)) {
    return std::nullopt;
  }
  T value;
  std::memcpy(&value, bytes.data(), sizeof(T));
  return value;
}

constexpr size_t Aligned(size_t length) { return (length + 3) & ~size_t{3}; }

std::string HardwareAddress(std::string_view bytes) {
  std::string text;
  for (const char byte : bytes) {
    text += fmt::format("{}{:02x}", text.empty() ? "" : ":", static_cast<unsigned char>(byte));
  }
  return text;
}

// Without the zero byte at its end.
std::string Text(std::string_view bytes) { return std::string(bytes.substr(0, bytes.find('\0'))); }

LinkCounters Counters(std::string_view bytes) {
  rtnl_link_stats64 raw{};
  std::memcpy(&raw, bytes.data(), std::min(sizeof(raw), bytes.size()));
  LinkCounters counters{.rx_packets = raw.rx_packets,
                        .tx_packets = raw.tx_packets,
                        .rx_bytes = raw.rx_bytes,
                        .tx_bytes = raw.tx_bytes,
                        .rx_errors = raw.rx_errors,
                        .tx_errors = raw.tx_errors,
                        .rx_dropped = raw.rx_dropped,
                        .tx_dropped = raw.tx_dropped,
                        .multicast = raw.multicast,
                        .collisions = raw.collisions,
                        .rx_length_errors = raw.rx_length_errors,
                        .rx_over_errors = raw.rx_over_errors,
                        .rx_crc_errors = raw.rx_crc_errors,
                        .rx_frame_errors = raw.rx_frame_errors,
                        .rx_fifo_errors = raw.rx_fifo_errors,
                        .rx_missed_errors = raw.rx_missed_errors,
                        .tx_aborted_errors = raw.tx_aborted_errors,
                        .tx_carrier_errors = raw.tx_carrier_errors,
                        .tx_fifo_errors = raw.tx_fifo_errors,
                        .tx_heartbeat_errors = raw.tx_heartbeat_errors,
                        .tx_window_errors = raw.tx_window_errors,
                        .rx_compressed = raw.rx_compressed,
                        .tx_compressed = raw.tx_compressed};
  if (bytes.size() >= offsetof(rtnl_link_stats64, rx_nohandler) + sizeof(raw.rx_nohandler)) {
    counters.rx_nohandler = raw.rx_nohandler;
  }
  return counters;
}

void ApplyAttribute(uint16_t type, std::string_view payload, Link* link) {
  const auto u8 = [&] { return Peek<uint8_t>(payload); };
  const auto u32 = [&] { return Peek<uint32_t>(payload); };
  switch (type) {
    case IFLA_IFNAME:
      link->name = Text(payload);
      break;
    case IFLA_ADDRESS:
      link->address = HardwareAddress(payload);
      break;
    case IFLA_BROADCAST:
      link->broadcast = HardwareAddress(payload);
      break;
    case IFLA_IFALIAS:
      link->alias = Text(payload);
      break;
    case IFLA_MTU:
      link->mtu = u32().value_or(0);
      break;
    case IFLA_TXQLEN:
      link->queue_length = u32().value_or(0);
      break;
    case IFLA_GROUP:
      link->group = u32().value_or(0);
      break;
    case IFLA_LINK:
      link->parent_index = u32();
      break;
    case IFLA_OPERSTATE:
      link->operational_state = u8().value_or(0);
      break;
    case IFLA_LINKMODE:
      link->link_mode = u8().value_or(0);
      break;
    case IFLA_PROMISCUITY:
      link->promiscuity = u32().value_or(0);
      break;
    case IFLA_ALLMULTI:
      link->all_multicast = u32().value_or(0);
      break;
    case IFLA_CARRIER:
      link->carrier = u8();
      break;
    case IFLA_CARRIER_CHANGES:
      link->carrier_changes = u32();
      break;
    case IFLA_CARRIER_UP_COUNT:
      link->carrier_ups = u32();
      break;
    case IFLA_CARRIER_DOWN_COUNT:
      link->carrier_downs = u32();
      break;
    case IFLA_STATS64:
      link->counters = Counters(payload);
      break;
    default:
      break;
  }
}

base::Result<Link> ParseLink(std::string_view body) {
  const auto header = Peek<ifinfomsg>(body);
  if (!header) {
    return Malformed("link header");
  }
  Link link{.index = header->ifi_index, .type = header->ifi_type, .flags = header->ifi_flags};
  body.remove_prefix(std::min(body.size(), Aligned(sizeof(ifinfomsg))));
  while (!body.empty()) {
    const auto attribute = Peek<rtattr>(body);
    if (!attribute || attribute->rta_len < sizeof(rtattr) || attribute->rta_len > body.size()) {
      return Malformed("link attribute");
    }
    ApplyAttribute(attribute->rta_type & kTypeMask,
                   body.substr(sizeof(rtattr), attribute->rta_len - sizeof(rtattr)), &link);
    body.remove_prefix(std::min(body.size(), Aligned(attribute->rta_len)));
  }
  return link;
}

base::Result<void> CheckError(std::string_view body) {
  const auto error = Peek<nlmsgerr>(body);
  if (!error) {
    return Malformed("error message");
  }
  if (error->error == 0) {
    return {};
  }
  errno = -error->error;
  return base::ErrnoError("rtnetlink: list devices");
}

}  // namespace

base::Result<bool> ParseLinkMessages(std::string_view datagram, std::vector<Link>* links) {
  while (!datagram.empty()) {
    const auto header = Peek<nlmsghdr>(datagram);
    if (!header || header->nlmsg_len < sizeof(nlmsghdr) || header->nlmsg_len > datagram.size()) {
      return Malformed("message header");
    }
    const std::string_view body =
        datagram.substr(sizeof(nlmsghdr), header->nlmsg_len - sizeof(nlmsghdr));
    if (header->nlmsg_type == NLMSG_DONE) {
      return true;
    }
    if (header->nlmsg_type == NLMSG_ERROR) {
      RETURN_IF_ERROR(CheckError(body));
    } else if (header->nlmsg_type == RTM_NEWLINK) {
      if (links->size() >= kMaxLinks) {
        return base::Error(fmt::format("rtnetlink: more than {} devices", kMaxLinks),
                           base::ErrorKind::kResourceExhausted);
      }
      ASSIGN_OR_RETURN(Link link, ParseLink(body));
      links->push_back(std::move(link));
    }
    datagram.remove_prefix(std::min(datagram.size(), Aligned(header->nlmsg_len)));
  }
  return false;
}

base::Result<void> LinkSocket::Open() {
  if (socket_.valid()) {
    return {};
  }
  socket_.Reset(socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE));
  if (!socket_.valid()) {
    return base::ErrnoError("open rtnetlink socket");
  }
  // The kernel answers at once; the limit is for the day it does not.
  const timeval limit{.tv_sec = 2, .tv_usec = 0};
  if (setsockopt(socket_.get(), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)) != 0) {
    return base::ErrnoError("set up rtnetlink socket");
  }
  buffer_.resize(kBufferBytes);
  return {};
}

base::Result<std::vector<Link>> LinkSocket::Dump() {
  RETURN_IF_ERROR(Open());
  struct {
    nlmsghdr header;
    ifinfomsg body;
  } request{};
  request.header = {.nlmsg_len = sizeof(request),
                    .nlmsg_type = RTM_GETLINK,
                    .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP,
                    .nlmsg_seq = ++sequence_,
                    .nlmsg_pid = 0};
  if (send(socket_.get(), &request, sizeof(request), 0) < 0) {
    const base::Error error = base::ErrnoError("rtnetlink: ask for devices");
    socket_.Reset();
    return error;
  }
  auto links = Receive();
  if (!links.ok()) {
    socket_.Reset();  // Whatever is left of this answer must not be taken for the next one's.
  }
  return links;
}

base::Result<std::vector<Link>> LinkSocket::Receive() {
  std::vector<Link> links;
  for (;;) {
    const ssize_t got = recv(socket_.get(), buffer_.data(), buffer_.size(), MSG_TRUNC);
    if (got < 0 && errno == EINTR) {
      continue;
    }
    if (got < 0) {
      return base::ErrnoError("rtnetlink: receive devices");
    }
    if (static_cast<size_t>(got) > buffer_.size()) {
      return base::Error("rtnetlink: an answer longer than the buffer",
                         base::ErrorKind::kResourceExhausted);
    }
    ASSIGN_OR_RETURN(const bool done,
                     ParseLinkMessages({buffer_.data(), static_cast<size_t>(got)}, &links));
    if (done) {
      return links;
    }
  }
}

}  // namespace exporters::host
