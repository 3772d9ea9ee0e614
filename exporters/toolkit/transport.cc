#include "exporters/toolkit/transport.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <cstring>
#include <utility>

#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "lib/base/url.h"

namespace exporters {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr size_t kTlsReadBytes = 16 << 10;

base::Error TimedOut(std::string_view action) {
  return base::Error(fmt::format("{}: no answer in time", action),
                     base::ErrorKind::kDeadlineExceeded);
}

base::Error Failed(std::string_view action, int code) {
  return base::Error(fmt::format("{}: {}", action, strerrordesc_np(code)),
                     base::ErrorKind::kUnavailable);
}

// Waits until the socket is ready for one of `events` (or broken, which the next call will tell).
base::Result<void> WaitFor(int fd, short events, std::string_view action,
                           base::MonotonicTime deadline) {
  for (;;) {
    const auto left = std::chrono::ceil<milliseconds>(deadline - steady_clock::now());
    if (left <= milliseconds(0)) {
      return TimedOut(action);
    }
    pollfd entry{.fd = fd, .events = events, .revents = 0};
    const int ready = poll(&entry, 1, static_cast<int>(std::min<int64_t>(left.count(), INT_MAX)));
    if (ready > 0) {
      return {};
    }
    if (ready < 0 && errno != EINTR) {
      return Failed(action, errno);
    }
  }
}

void SetOption(int fd, int level, int option, int value) {
  setsockopt(fd, level, option, &value, sizeof(value));  // Each is an improvement, none a need.
}

void TuneTcp(int fd) {
  SetOption(fd, IPPROTO_TCP, TCP_NODELAY, 1);
  SetOption(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
  SetOption(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, static_cast<int>(kUnacknowledgedLimit.count()));
}

base::Result<base::UniqueFd> ConnectTo(const sockaddr* address, socklen_t size, int family,
                                       base::MonotonicTime deadline) {
  base::UniqueFd fd(socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd.valid()) {
    return Failed("connect", errno);
  }
  if (connect(fd.get(), address, size) == 0) {
    return fd;
  }
  if (errno != EINPROGRESS) {
    return Failed("connect", errno);
  }
  RETURN_IF_ERROR(WaitFor(fd.get(), POLLOUT, "connect", deadline));
  int code = 0;
  socklen_t length = sizeof(code);
  getsockopt(fd.get(), SOL_SOCKET, SO_ERROR, &code, &length);
  if (code != 0) {
    return Failed("connect", code);
  }
  return fd;
}

base::Result<base::UniqueFd> ConnectUnix(const std::string& path, base::MonotonicTime deadline) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof(address.sun_path)) {
    return base::Error(fmt::format("connect: the socket's path is longer than {} bytes",
                                   sizeof(address.sun_path) - 1),
                       base::ErrorKind::kInvalidArgument);
  }
  std::memcpy(address.sun_path, path.c_str(), path.size());
  return ConnectTo(reinterpret_cast<const sockaddr*>(&address), sizeof(address), AF_UNIX, deadline);
}

// Each address gets an equal share of the time, so that one that swallows packets does not keep
// the next from being tried.
base::Result<base::UniqueFd> ConnectTcp(const Endpoint& endpoint, Resolver& resolver,
                                        base::MonotonicTime deadline) {
  ASSIGN_OR_RETURN(const std::vector<ResolvedAddress> addresses,
                   resolver.Resolve(endpoint.host, endpoint.port, deadline));
  base::Result<base::UniqueFd> outcome = base::Error(
      fmt::format("look up \"{}\": no address", endpoint.host), base::ErrorKind::kNotFound);
  for (size_t i = 0; i < addresses.size(); ++i) {
    const base::MonotonicTime now = steady_clock::now();
    const auto share = (deadline - now) / static_cast<int64_t>(addresses.size() - i);
    outcome = ConnectTo(reinterpret_cast<const sockaddr*>(addresses[i].bytes.data()),
                        static_cast<socklen_t>(addresses[i].bytes.size()), addresses[i].family,
                        now + share);
    if (outcome.ok()) {
      TuneTcp(outcome->get());
      return outcome;
    }
  }
  return outcome;
}

}  // namespace

std::string Endpoint::ToString() const {
  return unix_path.empty() ? base::FormatHostPort(host, port) : unix_path;
}

base::Result<std::unique_ptr<Transport>> Transport::Connect(const Endpoint& endpoint,
                                                            Resolver& resolver,
                                                            base::MonotonicTime deadline) {
  auto fd = endpoint.unix_path.empty() ? ConnectTcp(endpoint, resolver, deadline)
                                       : ConnectUnix(endpoint.unix_path, deadline);
  if (!fd.ok()) {
    return fd.error();
  }
  return std::unique_ptr<Transport>(  // The constructor is private.
      new Transport(std::move(fd).value(), endpoint.host));
}

base::Result<void> Transport::StartTls(const TlsOptions& options, base::MonotonicTime deadline) {
  ASSIGN_OR_RETURN(tls_, TlsStream::Make(options, host_));
  for (;;) {
    const base::Result<TlsStream::Step> step = tls_->Handshake();
    if (!step.ok()) {
      static_cast<void>(Send(tls_->TakeOutgoing(), deadline));  // The alert that says why.
      return step.error();
    }
    RETURN_IF_ERROR(MoveRecords(*step, deadline));
    if (*step == TlsStream::Step::kDone) {
      return {};
    }
  }
}

base::Result<void> Transport::Write(std::string_view bytes, base::MonotonicTime deadline) {
  if (tls_ == nullptr || bytes.empty()) {
    return Send(bytes, deadline);
  }
  for (;;) {
    ASSIGN_OR_RETURN(const TlsStream::Step step, tls_->Encrypt(bytes));
    RETURN_IF_ERROR(MoveRecords(step, deadline));
    if (step == TlsStream::Step::kDone) {
      return {};
    }
  }
}

base::Result<size_t> Transport::Read(char* buffer, size_t size, base::MonotonicTime deadline) {
  if (tls_ == nullptr) {
    return Receive(buffer, size, deadline);
  }
  for (;;) {
    size_t count = 0;
    ASSIGN_OR_RETURN(const TlsStream::Step step, tls_->Decrypt(buffer, size, &count));
    if (step == TlsStream::Step::kDone) {
      return count;
    }
    RETURN_IF_ERROR(MoveRecords(step, deadline));
  }
}

base::Result<void> Transport::MoveRecords(TlsStream::Step step, base::MonotonicTime deadline) {
  RETURN_IF_ERROR(Send(tls_->TakeOutgoing(), deadline));
  if (step == TlsStream::Step::kClosed) {
    return base::Error("read: the server closed the connection", base::ErrorKind::kUnavailable);
  }
  if (step == TlsStream::Step::kNeedsInput) {
    std::array<char, kTlsReadBytes> buffer;
    ASSIGN_OR_RETURN(const size_t count, Receive(buffer.data(), buffer.size(), deadline));
    tls_->GiveIncoming({buffer.data(), count});
  }
  return {};
}

base::Result<void> Transport::Send(std::string_view bytes, base::MonotonicTime deadline) {
  while (!bytes.empty()) {
    const ssize_t sent = send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent >= 0) {
      bytes.remove_prefix(static_cast<size_t>(sent));
    } else if (errno == EAGAIN) {
      RETURN_IF_ERROR(WaitFor(fd_.get(), POLLOUT, "write", deadline));
    } else if (errno != EINTR) {
      return Failed("write", errno);
    }
  }
  return {};
}

base::Result<size_t> Transport::Receive(char* buffer, size_t size, base::MonotonicTime deadline) {
  for (;;) {
    RETURN_IF_ERROR(WaitFor(fd_.get(), POLLIN, "read", deadline));
    const ssize_t received = recv(fd_.get(), buffer, size, 0);
    if (received > 0) {
      return static_cast<size_t>(received);
    }
    if (received == 0) {
      return base::Error("read: the server closed the connection", base::ErrorKind::kUnavailable);
    }
    if (errno != EAGAIN && errno != EINTR) {
      return Failed("read", errno);
    }
  }
}

bool Transport::Quiet() const {
  pollfd entry{.fd = fd_.get(), .events = POLLIN, .revents = 0};
  return poll(&entry, 1, 0) == 0;
}

}  // namespace exporters
