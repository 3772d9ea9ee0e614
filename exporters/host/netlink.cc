#include "exporters/host/netlink.h"

#include <algorithm>
#include <cerrno>
#include <string>

#include <linux/netlink.h>
#include <sys/socket.h>
#include <sys/time.h>

namespace exporters::host {
namespace {

constexpr size_t kBufferBytes = 32 << 10;  // The kernel fills no more than this at once.
constexpr uint16_t kTypeMask = 0x3fff;     // NLA_TYPE_MASK; above it are flags.

constexpr size_t Aligned(size_t length) { return (length + 3) & ~size_t{3}; }

base::Error Malformed(std::string_view what) {
  return base::Error("netlink: malformed " + std::string(what), base::ErrorKind::kInvalidArgument);
}

}  // namespace

base::Result<bool> ParseNetlinkMessages(std::string_view datagram, const NetlinkFunc& on_message) {
  while (!datagram.empty()) {
    const auto header = PeekStruct<nlmsghdr>(datagram);
    if (!header || header->nlmsg_len < sizeof(nlmsghdr) || header->nlmsg_len > datagram.size()) {
      return Malformed("message header");
    }
    const std::string_view body =
        datagram.substr(sizeof(nlmsghdr), header->nlmsg_len - sizeof(nlmsghdr));
    if (header->nlmsg_type == NLMSG_DONE) {
      return true;
    }
    if (header->nlmsg_type == NLMSG_ERROR) {
      const auto error = PeekStruct<nlmsgerr>(body);
      if (!error) {
        return Malformed("error message");
      }
      if (error->error != 0) {
        errno = -error->error;
        return base::ErrnoError("netlink: list");
      }
    } else {
      RETURN_IF_ERROR(on_message(header->nlmsg_type, body));
    }
    datagram.remove_prefix(std::min(datagram.size(), Aligned(header->nlmsg_len)));
  }
  return false;
}

bool ParseNetlinkAttributes(std::string_view bytes,
                            const std::function<void(uint16_t, std::string_view)>& on_attribute) {
  while (!bytes.empty()) {
    const auto attribute = PeekStruct<nlattr>(bytes);
    if (!attribute || attribute->nla_len < sizeof(nlattr) || attribute->nla_len > bytes.size()) {
      return false;
    }
    on_attribute(attribute->nla_type & kTypeMask,
                 bytes.substr(sizeof(nlattr), attribute->nla_len - sizeof(nlattr)));
    bytes.remove_prefix(std::min(bytes.size(), Aligned(attribute->nla_len)));
  }
  return true;
}

base::Result<void> NetlinkSocket::Open() {
  if (socket_.valid()) {
    return {};
  }
  socket_.Reset(socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, protocol_));
  if (!socket_.valid()) {
    return base::ErrnoError("open netlink socket");
  }
  // The kernel answers at once; the limit is for the day it does not.
  const timeval limit{.tv_sec = 2, .tv_usec = 0};
  if (setsockopt(socket_.get(), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)) != 0) {
    return base::ErrnoError("set up netlink socket");
  }
  buffer_.resize(kBufferBytes);
  return {};
}

base::Result<void> NetlinkSocket::Dump(uint16_t type, std::string_view body,
                                       const NetlinkFunc& on_message) {
  RETURN_IF_ERROR(Open());
  const nlmsghdr header{.nlmsg_len = static_cast<uint32_t>(sizeof(nlmsghdr) + body.size()),
                        .nlmsg_type = type,
                        .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP,
                        .nlmsg_seq = ++sequence_,
                        .nlmsg_pid = 0};
  std::string request(sizeof(header), '\0');
  std::memcpy(request.data(), &header, sizeof(header));
  request += body;
  base::Result<void> done = send(socket_.get(), request.data(), request.size(), 0) < 0
                                ? base::Result<void>(base::ErrnoError("netlink: ask"))
                                : Receive(on_message);
  if (!done.ok()) {
    socket_.Reset();  // Whatever is left of this answer must not be taken for the next one's.
  }
  return done;
}

base::Result<void> NetlinkSocket::Receive(const NetlinkFunc& on_message) {
  size_t messages = 0;
  const NetlinkFunc counted = [&](uint16_t type, std::string_view body) -> base::Result<void> {
    if (++messages > kMaxMessages) {
      return base::Error("netlink: a list of more than a million",
                         base::ErrorKind::kResourceExhausted);
    }
    return on_message(type, body);
  };
  for (;;) {
    const ssize_t got = recv(socket_.get(), buffer_.data(), buffer_.size(), MSG_TRUNC);
    if (got < 0 && errno == EINTR) {
      continue;
    }
    if (got < 0) {
      return base::ErrnoError("netlink: receive");
    }
    if (static_cast<size_t>(got) > buffer_.size()) {
      return base::Error("netlink: an answer longer than the buffer",
                         base::ErrorKind::kResourceExhausted);
    }
    ASSIGN_OR_RETURN(const bool done,
                     ParseNetlinkMessages({buffer_.data(), static_cast<size_t>(got)}, counted));
    if (done) {
      return {};
    }
  }
}

}  // namespace exporters::host
