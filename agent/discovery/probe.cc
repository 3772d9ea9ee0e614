#include "agent/discovery/probe.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <utility>

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/file.h"

namespace discovery {
namespace {

constexpr uint32_t kTlsRequestCode = 80877103;
constexpr uint32_t kProtocol3 = 196608;
constexpr size_t kMessageHeaderBytes = 5;

void AppendBigEndian(uint32_t value, std::string* out) {
  for (int shift = 24; shift >= 0; shift -= 8) {
    *out += static_cast<char>(value >> shift & 0xffU);
  }
}

std::string WithLength(const std::string& body) {
  std::string packet;
  AppendBigEndian(static_cast<uint32_t>(body.size() + sizeof(uint32_t)), &packet);
  return packet + body;
}

// A connection that lives until its deadline.
class ProbeSocket {
 public:
  // Not open when nobody answers.
  explicit ProbeSocket(const Listener& listener)
      : deadline_(std::chrono::steady_clock::now() + kProbeTimeout) {
    Connect(listener);
  }

  bool open() const { return fd_.valid(); }

  // False when the other side takes nothing.
  bool Send(std::string_view bytes) {
    return open() && send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL) ==
                         static_cast<ssize_t>(bytes.size());
  }

  // What has come once there is something; "" when there is nothing in time, or the end.
  std::string Receive() {
    if (!open() || !WaitFor(POLLIN)) {
      return {};
    }
    std::array<char, kMaxProbeBytes> buffer{};
    const ssize_t length = recv(fd_.get(), buffer.data(), buffer.size(), 0);
    return length > 0 ? std::string(buffer.data(), static_cast<size_t>(length)) : std::string();
  }

 private:
  void Connect(const Listener& listener) {
    sockaddr_storage address{};
    socklen_t length = 0;
    if (!FillAddress(listener, &address, &length)) {
      return;
    }
    fd_.Reset(socket(address.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    if (!open()) {
      return;
    }
    if (connect(fd_.get(), reinterpret_cast<const sockaddr*>(&address), length) == 0) {
      return;
    }
    if (errno != EINPROGRESS || !WaitFor(POLLOUT) || !Connected()) {
      fd_.Reset();
    }
  }

  static bool FillAddress(const Listener& listener, sockaddr_storage* address, socklen_t* length) {
    if (!listener.socket_path.empty()) {
      auto* unix_address = reinterpret_cast<sockaddr_un*>(address);
      if (listener.socket_path.size() >= sizeof(unix_address->sun_path)) {
        return false;
      }
      unix_address->sun_family = AF_UNIX;
      std::memcpy(unix_address->sun_path, listener.socket_path.c_str(),
                  listener.socket_path.size() + 1);
      *length = sizeof(*unix_address);
      return true;
    }
    const auto port = htons(static_cast<uint16_t>(listener.port));
    auto* ipv4 = reinterpret_cast<sockaddr_in*>(address);
    if (inet_pton(AF_INET, listener.host.c_str(), &ipv4->sin_addr) == 1) {
      ipv4->sin_family = AF_INET;
      ipv4->sin_port = port;
      *length = sizeof(*ipv4);
      return true;
    }
    *address = {};
    auto* ipv6 = reinterpret_cast<sockaddr_in6*>(address);
    ipv6->sin6_family = AF_INET6;
    ipv6->sin6_port = port;
    *length = sizeof(*ipv6);
    return inet_pton(AF_INET6, listener.host.c_str(), &ipv6->sin6_addr) == 1;
  }

  bool Connected() const {
    int error = 0;
    socklen_t length = sizeof(error);
    return getsockopt(fd_.get(), SOL_SOCKET, SO_ERROR, &error, &length) == 0 && error == 0;
  }

  bool WaitFor(short events) const {
    for (;;) {
      const auto left = std::chrono::ceil<std::chrono::milliseconds>(
          deadline_ - std::chrono::steady_clock::now());
      pollfd waiting{.fd = fd_.get(), .events = events, .revents = 0};
      const int ready = poll(&waiting, 1, static_cast<int>(std::max<int64_t>(left.count(), 0)));
      if (ready >= 0 || errno != EINTR) {
        return ready > 0;
      }
    }
  }

  const base::MonotonicTime deadline_;
  base::UniqueFd fd_;
};

// Of the two that speak PostgreSQL's protocol; nothing when `listener` does not.
std::optional<ServerKind> ProbePostgres(const Listener& listener) {
  std::optional<ProbeSocket> socket(std::in_place, listener);
  if (!socket->Send(TlsRequest())) {
    return std::nullopt;
  }
  const std::string answer = socket->Receive();
  if (answer != "N" && answer != "S") {
    return std::nullopt;
  }
  if (answer == "S") {
    socket.emplace(listener);  // The first connection would have to go on in TLS.
  }
  return socket->Send(StartupPacket()) ? ParseStartupAnswer(socket->Receive()) : std::nullopt;
}

bool ProbeRedis(const Listener& listener) {
  ProbeSocket socket(listener);
  return socket.Send("*1\r\n$4\r\nPING\r\n") && IsRedisAnswer(socket.Receive());
}

}  // namespace

std::string_view ServerKindName(ServerKind kind) {
  switch (kind) {
    case ServerKind::kPostgres:
      return "PostgreSQL";
    case ServerKind::kPgbouncer:
      return "PgBouncer";
    case ServerKind::kRedis:
      break;
  }
  return "Redis";
}

std::string TlsRequest() {
  std::string body;
  AppendBigEndian(kTlsRequestCode, &body);
  return WithLength(body);
}

std::string StartupPacket() {
  std::string body;
  AppendBigEndian(kProtocol3, &body);
  for (const std::string_view text :
       {"user", "postgres", "database", "postgres", "geqo_seed", "0"}) {
    body += text;
    body += '\0';
  }
  body += '\0';
  return WithLength(body);
}

std::optional<ServerKind> ParseStartupAnswer(std::string_view answer) {
  if (answer.size() < kMessageHeaderBytes) {
    return std::nullopt;
  }
  if (answer.front() == 'R' || answer.front() == 'v') {
    return ServerKind::kPostgres;  // It took the setting, or will look at it after the password.
  }
  if (answer.front() != 'E') {
    return std::nullopt;
  }
  // Fields of an ErrorResponse: a letter and a text each. Only PostgreSQL tells the routine (R).
  std::string_view fields = answer.substr(kMessageHeaderBytes);
  while (!fields.empty() && fields.front() != '\0') {
    if (fields.front() == 'R') {
      return ServerKind::kPostgres;
    }
    const size_t end = fields.find('\0');
    fields.remove_prefix(end == std::string_view::npos ? fields.size() : end + 1);
  }
  return ServerKind::kPgbouncer;
}

bool IsRedisAnswer(std::string_view answer) {
  constexpr std::string_view kAnswers[] = {"+PONG\r\n",
                                           "-NOAUTH",
                                           "-DENIED",
                                           "-LOADING",
                                           "-MASTERDOWN",
                                           "-NOPERM",
                                           "-BUSY",
                                           "-MISCONF",
                                           "-ERR max number of clients",
                                           "-ERR operation not permitted"};
  return std::any_of(std::begin(kAnswers), std::end(kAnswers),
                     [answer](std::string_view known) { return answer.starts_with(known); });
}

std::optional<ServerKind> Probe(const Listener& listener) {
  if (const auto kind = ProbePostgres(listener)) {
    return kind;
  }
  return ProbeRedis(listener) ? std::optional(ServerKind::kRedis) : std::nullopt;
}

}  // namespace discovery
