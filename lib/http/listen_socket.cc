#include "lib/http/listen_socket.h"

#include <cerrno>
#include <memory>

#include <fmt/format.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "lib/base/url.h"

namespace http {
namespace {

using base::Error;
using base::ErrorKind;
using base::Result;

constexpr int kBacklog = 1024;

struct AddressesFree {
  void operator()(addrinfo* list) const { freeaddrinfo(list); }
};
using Addresses = std::unique_ptr<addrinfo, AddressesFree>;

Result<Addresses> Resolve(const std::string& address) {
  auto host_port = base::ParseHostPort(address);
  if (!host_port.ok()) {
    return host_port.error().WithContext("listen");
  }
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
  addrinfo* list = nullptr;
  const int failure = getaddrinfo(host_port->host.empty() ? nullptr : host_port->host.c_str(),
                                  std::to_string(host_port->port).c_str(), &hints, &list);
  if (failure != 0) {
    return Error(fmt::format("listen on {}: {}", address, gai_strerror(failure)),
                 ErrorKind::kInvalidArgument);
  }
  return Addresses(list);
}

Result<ListenSocket> Open(const addrinfo& at, const std::string& address) {
  ListenSocket listener;
  listener.fd.Reset(socket(at.ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  const int fd = listener.fd.get();
  const int on = 1;
  const int off = 0;
  if (fd < 0) {
    return base::ErrnoError("socket");
  }
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
  if (at.ai_family == AF_INET6) {
    setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off));
  }
  if (bind(fd, at.ai_addr, at.ai_addrlen) != 0 || listen(fd, kBacklog) != 0) {
    const bool in_use = errno == EADDRINUSE;
    const Error error = base::ErrnoError("listen on " + address);
    return in_use ? Error(error.message(), ErrorKind::kUnavailable) : error;
  }
  sockaddr_storage bound{};
  socklen_t length = sizeof(bound);
  if (getsockname(fd, reinterpret_cast<sockaddr*>(&bound), &length) != 0) {
    return base::ErrnoError("getsockname");
  }
  listener.port =
      ntohs(bound.ss_family == AF_INET6 ? reinterpret_cast<const sockaddr_in6&>(bound).sin6_port
                                        : reinterpret_cast<const sockaddr_in&>(bound).sin_port);
  return listener;
}

}  // namespace

Result<ListenSocket> OpenListenSocket(const std::string& address) {
  ASSIGN_OR_RETURN(const Addresses addresses, Resolve(address));
  // IPv6 first: without a host it takes IPv4 too. Where the kernel has no IPv6, IPv4 is next.
  Result<ListenSocket> listener = Error("no address", ErrorKind::kInvalidArgument);
  for (const int family : {AF_INET6, AF_INET}) {
    for (const addrinfo* at = addresses.get(); at != nullptr; at = at->ai_next) {
      if (at->ai_family != family) {
        continue;
      }
      listener = Open(*at, address);
      if (listener.ok() || listener.error().kind() == ErrorKind::kUnavailable) {
        return listener;
      }
    }
  }
  return listener;
}

base::UniqueFd ConnectToLoopback(int port) {
  base::UniqueFd fd(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<uint16_t>(port));
  if (connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0 &&
      errno != EINPROGRESS) {
    const int why = errno;
    fd.Reset();
    errno = why;
  }
  return fd;
}

}  // namespace http
