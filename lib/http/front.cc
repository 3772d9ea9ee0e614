#include "lib/http/front.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <map>
#include <set>
#include <thread>
#include <unordered_map>
#include <utility>

#include <fcntl.h>
#include <fmt/format.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/rand.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/file.h"
#include "lib/base/mutex.h"
#include "lib/base/strings.h"
#include "lib/http/client_stream.h"
#include "lib/http/listen_socket.h"
#include "lib/http/message.h"
#include "lib/http/request_head.h"

namespace http {
namespace {

using base::MonotonicTime;
using base::Result;

using Id = uint64_t;

constexpr size_t kScratchBytes = 64 << 10;
constexpr int kMaxMovesPerTurn = 64;  // Then the other connections get theirs.
constexpr auto kLingerTimeout = std::chrono::seconds(1);
constexpr auto kDrainTimeout = std::chrono::seconds(2);
// How long an exchange must have waited for its client before it may make room for another.
constexpr auto kPressureGrace = std::chrono::milliseconds(50);
constexpr int kBusyRetryAfterSeconds = 1;
// More than this and they are closed: each keeps one of civetweb's threads looking at it.
constexpr size_t kMaxIdleBackends = 4;

MonotonicTime Now() { return std::chrono::steady_clock::now(); }

std::string FormatAddress(const sockaddr_storage& address, socklen_t length) {
  char host[NI_MAXHOST];
  char port[NI_MAXSERV];
  if (getnameinfo(reinterpret_cast<const sockaddr*>(&address), length, host, sizeof(host), port,
                  sizeof(port), NI_NUMERICHOST | NI_NUMERICSERV) != 0) {
    return "unknown";
  }
  std::string_view name = host;
  constexpr std::string_view kMapped = "::ffff:";  // An IPv4 client of an IPv6 socket.
  if (name.substr(0, kMapped.size()) == kMapped && name.find('.') != std::string_view::npos) {
    name.remove_prefix(kMapped.size());
  }
  return name.find(':') != std::string_view::npos ? fmt::format("[{}]:{}", name, port)
                                                  : fmt::format("{}:{}", name, port);
}

std::string CannedResponse(int status, std::string_view text) {
  const std::string retry =
      status == 503 ? fmt::format("Retry-After: {}\r\n", kBusyRetryAfterSeconds) : "";
  return fmt::format(
      "HTTP/1.1 {} {}\r\nContent-Type: text/plain; charset=utf-8\r\n"
      "X-Content-Type-Options: nosniff\r\n{}Content-Length: {}\r\nConnection: close\r\n\r\n{}\n",
      status, ReasonPhrase(status), retry, text.size() + 1, text);
}

// A quarter of the files this process may open, so that a flood of clients leaves the rest of it
// enough.
size_t WaitingLimit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) {
    return Front::kMaxWaiting;
  }
  return std::clamp<size_t>(limit.rlim_cur / 4, 16, Front::kMaxWaiting);
}

enum class State { kHandshake, kHead, kExchange, kClosing };

// What local programs that connect to civetweb themselves do not know.
std::string MakeKey() {
  std::array<unsigned char, 16> bytes{};
  if (RAND_bytes(bytes.data(), static_cast<int>(bytes.size())) != 1) {
    std::abort();  // No random numbers: no safe way to go on.
  }
  std::string key;
  for (const unsigned char byte : bytes) {
    key += fmt::format("{:02x}", byte);
  }
  return key + "-";
}

struct Connection {
  Connection(Id connection_id, base::UniqueFd fd, std::shared_ptr<const WebPolicy> in_force)
      : id(connection_id), policy(std::move(in_force)), client(std::move(fd), policy->tls) {}

  const Id id;
  const std::shared_ptr<const WebPolicy> policy;
  ClientStream client;
  std::string address;
  State state = State::kHandshake;
  MonotonicTime deadline;
  MonotonicTime last_move;  // Of bytes, either way.

  std::string received;  // Read, and not of a request that was passed on.
  size_t searched = 0;   // Of `received`, for the end of the head.

  base::UniqueFd backend;
  uint64_t exchange_id = 0;
  std::string to_backend;
  std::string to_client;
  uint64_t body_left = 0;  // Not read yet.
  uint64_t relayed = 0;    // Of the response.
  bool keep_alive = false;
  bool backend_closed = false;
  bool write_closed = false;
};

// What civetweb's side knows, and says, of an exchange.
struct Pipe {
  std::string client_address;
  bool handling = false;
  uint64_t response_bytes = 0;  // 0 until it is known.
};

}  // namespace

class Front::Impl {
 public:
  Impl(FrontOptions options, std::vector<ListenSocket> listeners, const base::Logger& logger)
      : options_(std::move(options)),
        logger_(logger),
        waiting_limit_(WaitingLimit()),
        listeners_(std::move(listeners)),
        epoll_(epoll_create1(EPOLL_CLOEXEC)),
        wake_(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)),
        spare_(open("/dev/null", O_RDONLY | O_CLOEXEC)) {
    for (const ListenSocket& listener : listeners_) {
      ports_.push_back(listener.port);
    }
  }

  ~Impl() {
    Tell(Phase::kQuit);
    if (thread_.joinable()) {
      thread_.join();
    }
  }

  const std::vector<int>& ports() const { return ports_; }

  void Start(int backend_port) {
    backend_port_ = backend_port;
    thread_ = std::thread([this] { Run(); });
  }

  void StopAccepting() { Tell(Phase::kDrain); }

  std::optional<Exchange> FindExchange(std::string_view header) const {
    if (header.substr(0, key_.size()) != key_) {
      return std::nullopt;
    }
    const uint64_t id = base::ParseUint(header.substr(key_.size())).value_or(0);
    const base::MutexLock lock(mutex_);
    const auto pipe = pipes_.find(id);
    if (pipe == pipes_.end()) {
      return std::nullopt;
    }
    return Exchange{.id = id, .client_address = pipe->second.client_address};
  }

  void BeginHandling(uint64_t exchange_id) {
    const base::MutexLock lock(mutex_);
    if (const auto pipe = pipes_.find(exchange_id); pipe != pipes_.end()) {
      pipe->second.handling = true;
    }
  }

  void BeginResponse(uint64_t exchange_id, uint64_t bytes) {
    const base::MutexLock lock(mutex_);
    if (const auto pipe = pipes_.find(exchange_id); pipe != pipes_.end()) {
      pipe->second.handling = false;
      pipe->second.response_bytes = bytes;
    }
  }

 private:
  enum class Phase { kServe, kDrain, kQuit };

  // What an epoll event is about: a kind in the top bits, an index or id below.
  enum class Kind : uint64_t { kListener, kWake, kClient, kBackend, kIdleBackend };
  static constexpr int kKindShift = 56;
  static constexpr uint64_t kIdMask = (uint64_t{1} << kKindShift) - 1;
  static uint64_t Token(Kind kind, uint64_t id) {
    return (static_cast<uint64_t>(kind) << kKindShift) | id;
  }

  void Tell(Phase phase) {
    {
      const base::MutexLock lock(mutex_);
      phase_ = phase;
    }
    const uint64_t one = 1;
    [[maybe_unused]] const ssize_t written = write(wake_.get(), &one, sizeof(one));
  }

  Phase phase() const {
    const base::MutexLock lock(mutex_);
    return phase_;
  }

  void Watch(int operation, int fd, uint32_t events, uint64_t token) {
    epoll_event event{};
    event.events = events;
    event.data.u64 = token;
    epoll_ctl(epoll_.get(), operation, fd, &event);
  }

  // --- The loop ---

  void Run() {
    for (size_t i = 0; i < listeners_.size(); ++i) {
      Watch(EPOLL_CTL_ADD, listeners_[i].fd.get(), EPOLLIN, Token(Kind::kListener, i));
    }
    Watch(EPOLL_CTL_ADD, wake_.get(), EPOLLIN, Token(Kind::kWake, 0));
    MonotonicTime give_up = MonotonicTime::max();
    for (;;) {
      const Phase current = phase();
      if (current != Phase::kServe) {
        StopServing();
      }
      if (current == Phase::kQuit) {
        CloseLingering();
        give_up = std::min(give_up, Now() + kDrainTimeout);
        if (connections_.empty() || Now() >= give_up) {
          return;
        }
      }
      Turn(give_up);
    }
  }

  void Turn(MonotonicTime give_up) {
    std::array<epoll_event, 64> events;
    const int count = epoll_wait(epoll_.get(), events.data(), static_cast<int>(events.size()),
                                 WaitMillis(give_up));
    for (int i = 0; i < count; ++i) {
      Dispatch(events[static_cast<size_t>(i)]);
    }
    for (const Id id : std::exchange(ready_, {})) {
      if (Connection* connection = Find(id)) {
        Advance(connection);
      }
    }
    Expire();
  }

  int WaitMillis(MonotonicTime give_up) const {
    if (!ready_.empty()) {
      return 0;
    }
    MonotonicTime next = give_up;
    if (!deadlines_.empty()) {
      next = std::min(next, deadlines_.begin()->first);
    }
    if (next == MonotonicTime::max()) {
      return -1;
    }
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(next - Now()).count();
    return static_cast<int>(std::clamp<int64_t>(left, 0, 60'000));
  }

  void Dispatch(const epoll_event& event) {
    const auto kind = static_cast<Kind>(event.data.u64 >> kKindShift);
    const uint64_t id = event.data.u64 & kIdMask;
    switch (kind) {
      case Kind::kListener:
        Accept(listeners_[id]);
        return;
      case Kind::kWake: {
        uint64_t ignored = 0;
        [[maybe_unused]] const ssize_t got = read(wake_.get(), &ignored, sizeof(ignored));
        return;
      }
      case Kind::kIdleBackend:
        DropIdleBackend(static_cast<int>(id));
        return;
      case Kind::kClient:
      case Kind::kBackend:
        break;
    }
    Connection* connection = Find(id);
    if (connection == nullptr) {
      return;
    }
    if (kind == Kind::kClient && (event.events & (EPOLLERR | EPOLLHUP)) != 0) {
      Close(connection);  // Nobody is left to answer.
      return;
    }
    Advance(connection);
  }

  Connection* Find(Id id) {
    const auto found = connections_.find(id);
    return found == connections_.end() ? nullptr : found->second.get();
  }

  void Expire() {
    const MonotonicTime now = Now();
    while (!deadlines_.empty() && deadlines_.begin()->first <= now) {
      Connection* connection = Find(deadlines_.begin()->second);
      if (connection->state == State::kExchange) {
        CheckExchange(connection, now);
      } else if (connection->state == State::kHead && !connection->received.empty()) {
        Refuse(connection, 408, "the request did not arrive in time");
      } else {
        Close(connection);
      }
    }
  }

  // --- Connections ---

  void Accept(const ListenSocket& listener) {
    for (;;) {
      sockaddr_storage address{};
      socklen_t length = sizeof(address);
      base::UniqueFd fd(accept4(listener.fd.get(), reinterpret_cast<sockaddr*>(&address), &length,
                                SOCK_NONBLOCK | SOCK_CLOEXEC));
      if (!fd.valid()) {
        if (errno == EMFILE || errno == ENFILE) {
          AcceptWithSpareFile(listener);
        }
        if (errno != EINTR && errno != ECONNABORTED) {
          return;
        }
        continue;
      }
      const int on = 1;
      setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
      Open(std::move(fd), FormatAddress(address, length));
    }
  }

  // No file is left for another connection: it is told so, and not left in the queue where epoll
  // would report it for ever.
  void AcceptWithSpareFile(const ListenSocket& listener) {
    spare_.Reset();
    const base::UniqueFd fd(
        accept4(listener.fd.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (fd.valid()) {
      const std::string busy = CannedResponse(503, "too many open files");
      [[maybe_unused]] const ssize_t sent =
          send(fd.get(), busy.data(), busy.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    }
    spare_.Reset(open("/dev/null", O_RDONLY | O_CLOEXEC));
    errno = EMFILE;
  }

  void Open(base::UniqueFd fd, std::string address) {
    MakeRoomForWaiting();
    const Id id = next_id_++ & kIdMask;
    const int raw = fd.get();
    auto owned = std::make_unique<Connection>(id, std::move(fd), options_.policy());
    Connection* connection = owned.get();
    connection->address = std::move(address);
    connections_.emplace(id, std::move(owned));
    SetDeadline(connection, Now() + options_.header_timeout);
    // Edge-triggered: each event runs Advance until nothing moves, so interests never change.
    Watch(EPOLL_CTL_ADD, raw, EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, Token(Kind::kClient, id));
    Advance(connection);
  }

  void MakeRoomForWaiting() {
    while (connections_.size() - exchanges_ >= waiting_limit_) {
      const auto oldest = std::find_if(
          deadlines_.begin(), deadlines_.end(),
          [this](const auto& entry) { return Find(entry.second)->state != State::kExchange; });
      if (oldest == deadlines_.end()) {
        return;
      }
      Close(Find(oldest->second));
    }
  }

  void SetDeadline(Connection* connection, MonotonicTime deadline) {
    deadlines_.erase({connection->deadline, connection->id});
    connection->deadline = deadline;
    deadlines_.emplace(deadline, connection->id);
  }

  void SetState(Connection* connection, State state) {
    exchanges_ -= connection->state == State::kExchange ? 1 : 0;
    exchanges_ += state == State::kExchange ? 1 : 0;
    connection->state = state;
  }

  void Close(Connection* connection) {
    DropBackend(connection);
    SetState(connection, State::kClosing);
    const Id id = connection->id;
    deadlines_.erase({connection->deadline, id});
    connections_.erase(id);
  }

  // Moves the connection as far as it goes without waiting. It may be gone afterwards.
  void Advance(Connection* connection) {
    if (connection->state == State::kHandshake && !FinishHandshake(connection)) {
      return;
    }
    if (connection->state == State::kHead) {
      ReadHead(connection);
      return;
    }
    if (connection->state == State::kExchange) {
      MoveBytes(connection);
      return;
    }
    Linger(connection);
  }

  bool FinishHandshake(Connection* connection) {
    switch (connection->client.Handshake()) {
      case Io::kWait:
        return false;
      case Io::kClosed:
        Close(connection);
        return false;
      case Io::kDone:
        break;
    }
    const auto& tls = connection->policy->config.tls;
    if (tls && !tls->client_allowed_sans.empty() &&
        !PeerHasAllowedName(connection->client.tls(), tls->client_allowed_sans)) {
      logger_.Warn("client certificate has none of client_allowed_sans",
                   {{"client", connection->address}});
      Close(connection);
      return false;
    }
    SetState(connection, State::kHead);
    return true;
  }

  // --- Waiting for a head ---

  void ReadHead(Connection* connection) {
    for (;;) {
      const size_t end = FindHeadEnd(connection->received, connection->searched);
      connection->searched = connection->received.size();
      if (end <= options_.max_header_bytes) {
        BeginExchange(connection, end);
        return;
      }
      if (!connection->received.empty() && !CanStartHead(connection->received.front())) {
        Refuse(connection, 400, "an HTTP request is expected");
        return;
      }
      if (connection->received.size() > options_.max_header_bytes) {
        Refuse(connection, 431, "the request's headers are too long");
        return;
      }
      const bool first_byte = connection->received.empty();
      const IoResult got = connection->client.Read(scratch_.data(), 4096);
      if (got.io == Io::kWait) {
        return;
      }
      if (got.io == Io::kClosed) {
        Close(connection);
        return;
      }
      connection->received.append(scratch_.data(), got.bytes);
      if (first_byte) {
        SetDeadline(connection, std::min(connection->deadline, Now() + options_.header_timeout));
      }
    }
  }

  void BeginExchange(Connection* connection, size_t head_bytes) {
    const RequestHead head =
        ParseRequestHead(std::string_view(connection->received).substr(0, head_bytes));
    if (head.status != 0) {
      Refuse(connection, head.status, head.problem);
      return;
    }
    if (head.content_length > options_.max_body_bytes) {
      Refuse(connection, 413, "the request's body is too long");
      return;
    }
    if (!TakeBackend(connection)) {
      Refuse(connection, 503, "too many requests at once");
      return;
    }
    SetState(connection, State::kExchange);
    std::string& received = connection->received;
    const size_t body_here =
        static_cast<size_t>(std::min<uint64_t>(received.size() - head_bytes, head.content_length));
    connection->body_left = head.content_length - body_here;
    connection->to_backend = received.substr(0, head_bytes + body_here);
    connection->to_backend.insert(
        connection->to_backend.find('\n') + 1,
        fmt::format("{}: {}{}\r\n", kExchangeHeader, key_, connection->exchange_id));
    connection->to_backend.erase(head.authority_at, head.authority_bytes);
    received.erase(0, head_bytes + body_here);
    received.shrink_to_fit();
    connection->searched = 0;
    connection->relayed = 0;
    connection->keep_alive = head.keep_alive;
    connection->last_move = Now();
    if (head.expects_continue && connection->body_left > 0) {
      connection->to_client = "HTTP/1.1 100 Continue\r\n\r\n";
    }
    SetDeadline(connection, connection->last_move + kBodyTimeout);
    MoveBytes(connection);
  }

  // --- Backends: connections to civetweb ---

  bool TakeBackend(Connection* connection) {
    if (idle_backends_.empty() && backends_ >= options_.max_backends && !MakeRoomForExchange()) {
      return false;
    }
    const bool reuse = !idle_backends_.empty();
    if (reuse) {
      connection->backend = std::move(idle_backends_.back());
      idle_backends_.pop_back();
    } else {
      connection->backend = ConnectBackend();
      if (!connection->backend.valid()) {
        return false;
      }
      ++backends_;
    }
    Watch(reuse ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, connection->backend.get(),
          EPOLLIN | EPOLLOUT | EPOLLET, Token(Kind::kBackend, connection->id));
    connection->backend_closed = false;
    connection->exchange_id = next_exchange_id_++;
    const base::MutexLock lock(mutex_);
    pipes_[connection->exchange_id] = Pipe{.client_address = connection->address};
    return true;
  }

  base::UniqueFd ConnectBackend() const {
    base::UniqueFd fd = ConnectToLoopback(backend_port_);
    if (!fd.valid()) {
      logger_.Error("cannot reach the request handlers",
                    {{"error", base::ErrnoError("connect").message()}});
      return fd;
    }
    const int on = 1;
    setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    // Closing resets: neither side keeps a TIME_WAIT entry for a connection nobody else sees.
    const linger reset{.l_onoff = 1, .l_linger = 0};
    setsockopt(fd.get(), SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
    return fd;
  }

  // The exchange that has waited longest for its client ends, so that another can have its thread.
  bool MakeRoomForExchange() {
    Connection* slowest = nullptr;
    for (const auto& [id, connection] : connections_) {
      const bool waits_for_client = connection->body_left > 0 || !connection->to_client.empty();
      if (connection->state == State::kExchange && waits_for_client &&
          (slowest == nullptr || connection->last_move < slowest->last_move) &&
          !IsHandling(connection->exchange_id)) {
        slowest = connection.get();
      }
    }
    if (slowest == nullptr || Now() - slowest->last_move < kPressureGrace) {
      return false;
    }
    Close(slowest);
    return true;
  }

  bool IsHandling(uint64_t exchange_id) const {
    const base::MutexLock lock(mutex_);
    const auto pipe = pipes_.find(exchange_id);
    return pipe != pipes_.end() && pipe->second.handling;
  }

  uint64_t ResponseBytes(uint64_t exchange_id) const {
    const base::MutexLock lock(mutex_);
    const auto pipe = pipes_.find(exchange_id);
    return pipe == pipes_.end() ? 0 : pipe->second.response_bytes;
  }

  void EndExchange(Connection* connection) {
    const base::MutexLock lock(mutex_);
    pipes_.erase(connection->exchange_id);
  }

  void DropBackend(Connection* connection) {
    if (connection->backend.valid()) {
      EndExchange(connection);
      connection->backend.Reset();
      --backends_;
    }
  }

  void ReleaseBackend(Connection* connection) {
    if (idle_backends_.size() >= kMaxIdleBackends) {
      DropBackend(connection);
      return;
    }
    EndExchange(connection);
    const int fd = connection->backend.get();
    Watch(EPOLL_CTL_MOD, fd, EPOLLIN | EPOLLET,
          Token(Kind::kIdleBackend, static_cast<uint64_t>(fd)));
    idle_backends_.push_back(std::move(connection->backend));
  }

  // civetweb closed it, or sent what nobody asked for.
  void DropIdleBackend(int fd) {
    const auto idle =
        std::find_if(idle_backends_.begin(), idle_backends_.end(),
                     [fd](const base::UniqueFd& backend) { return backend.get() == fd; });
    if (idle != idle_backends_.end()) {
      idle_backends_.erase(idle);
      --backends_;
    }
  }

  // --- Exchanging a request and its response ---

  void MoveBytes(Connection* connection) {
    for (int moves = 0; moves < kMaxMovesPerTurn; ++moves) {
      const Io up = MoveToBackend(connection);
      const Io down = MoveToClient(connection);
      if (up == Io::kClosed || down == Io::kClosed) {
        Close(connection);
        return;
      }
      if (FinishedExchange(connection)) {
        return;
      }
      if (up == Io::kWait && down == Io::kWait) {
        return;
      }
      connection->last_move = Now();
    }
    ready_.push_back(connection->id);
  }

  // kDone when something moved.
  Io MoveToBackend(Connection* connection) {
    std::string& pending = connection->to_backend;
    if (pending.empty() && connection->body_left > 0) {
      const size_t want =
          static_cast<size_t>(std::min<uint64_t>(connection->body_left, scratch_.size()));
      const IoResult got = connection->client.Read(scratch_.data(), want);
      if (got.io != Io::kDone) {
        return got.io;
      }
      pending.assign(scratch_.data(), got.bytes);
      connection->body_left -= got.bytes;
    }
    if (pending.empty()) {
      return Io::kWait;
    }
    const ssize_t sent =
        send(connection->backend.get(), pending.data(), pending.size(), MSG_NOSIGNAL);
    if (sent < 0) {
      // A backend that closed may have answered first: MoveToClient finds out.
      return Io::kWait;
    }
    pending.erase(0, static_cast<size_t>(sent));
    return Io::kDone;
  }

  Io MoveToClient(Connection* connection) {
    std::string& pending = connection->to_client;
    if (!pending.empty()) {
      const IoResult sent = connection->client.Write(pending);
      if (sent.io != Io::kDone) {
        return sent.io;
      }
      pending.erase(0, sent.bytes);
      return Io::kDone;
    }
    if (connection->backend_closed) {
      return Io::kWait;
    }
    const ssize_t got = recv(connection->backend.get(), scratch_.data(), scratch_.size(), 0);
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) {
      return Io::kWait;
    }
    if (got <= 0) {
      connection->backend_closed = true;
      return Io::kDone;
    }
    connection->relayed += static_cast<uint64_t>(got);
    const std::string_view bytes(scratch_.data(), static_cast<size_t>(got));
    const IoResult sent = connection->client.Write(bytes);
    if (sent.io == Io::kClosed) {
      return Io::kClosed;
    }
    pending.assign(bytes.substr(sent.bytes));
    return Io::kDone;
  }

  // Whether the response is through; then the connection has moved on, or is gone.
  bool FinishedExchange(Connection* connection) {
    if (!connection->to_client.empty()) {
      return false;
    }
    if (connection->backend_closed) {
      DropBackend(connection);
      if (connection->relayed == 0) {
        Refuse(connection, 500, "the request could not be handled");
      } else {
        BeginClosing(connection);
      }
      return true;
    }
    if (connection->relayed == 0 || connection->relayed != ResponseBytes(connection->exchange_id)) {
      return false;
    }
    const bool reusable = connection->keep_alive && connection->body_left == 0 &&
                          connection->to_backend.empty() && phase() == Phase::kServe;
    if (!reusable) {
      DropBackend(connection);
      BeginClosing(connection);
      return true;
    }
    ReleaseBackend(connection);
    SetState(connection, State::kHead);
    SetDeadline(connection, connection->received.empty() ? Now() + kIdleTimeout
                                                         : Now() + options_.header_timeout);
    ready_.push_back(connection->id);  // The next request may be here already.
    return true;
  }

  void CheckExchange(Connection* connection, MonotonicTime now) {
    if (connection->body_left > 0) {
      DropBackend(connection);
      Refuse(connection, 408, "the request's body did not arrive in time");
    } else if (!connection->to_client.empty() && now - connection->last_move >= kStallTimeout) {
      Close(connection);
    } else {
      SetDeadline(connection, now + kStallTimeout);
    }
  }

  // --- Ending ---

  void Refuse(Connection* connection, int status, std::string_view text) {
    connection->to_client += CannedResponse(status, text);
    BeginClosing(connection);
  }

  // The response is sent and the client's remaining bytes are read and dropped for a moment: to
  // close with bytes unread would reset the connection and take the response with it.
  void BeginClosing(Connection* connection) {
    SetState(connection, State::kClosing);
    SetDeadline(connection, Now() + kLingerTimeout);
    Linger(connection);
  }

  void Linger(Connection* connection) {
    while (!connection->to_client.empty()) {
      const IoResult sent = connection->client.Write(connection->to_client);
      if (sent.io == Io::kWait) {
        return;
      }
      if (sent.io == Io::kClosed) {
        Close(connection);
        return;
      }
      connection->to_client.erase(0, sent.bytes);
    }
    if (!std::exchange(connection->write_closed, true)) {
      connection->client.CloseWrite();
    }
    for (int reads = 0; reads < kMaxMovesPerTurn; ++reads) {
      const IoResult got = connection->client.Read(scratch_.data(), scratch_.size());
      if (got.io == Io::kWait) {
        return;
      }
      if (got.io == Io::kClosed) {
        Close(connection);
        return;
      }
    }
    ready_.push_back(connection->id);
  }

  void StopServing() {
    listeners_.clear();
    backends_ -= idle_backends_.size();
    idle_backends_.clear();
    CloseWhere([](const Connection& connection) {
      return connection.state == State::kHandshake || connection.state == State::kHead;
    });
  }

  void CloseLingering() {
    CloseWhere([](const Connection& connection) { return connection.write_closed; });
  }

  template <typename Condition>
  void CloseWhere(Condition condition) {
    std::vector<Connection*> chosen;
    for (const auto& [id, connection] : connections_) {
      if (condition(*connection)) {
        chosen.push_back(connection.get());
      }
    }
    for (Connection* connection : chosen) {
      Close(connection);
    }
  }

  const FrontOptions options_;
  const base::Logger& logger_;
  const size_t waiting_limit_;
  const std::string key_ = MakeKey();
  std::vector<int> ports_;
  int backend_port_ = 0;

  // Of the thread alone.
  std::vector<ListenSocket> listeners_;
  base::UniqueFd epoll_;
  base::UniqueFd wake_;
  base::UniqueFd spare_;
  std::array<char, kScratchBytes> scratch_;
  Id next_id_ = 1;
  uint64_t next_exchange_id_ = 1;
  std::unordered_map<Id, std::unique_ptr<Connection>> connections_;
  std::set<std::pair<MonotonicTime, Id>> deadlines_;  // Of every connection.
  std::vector<Id> ready_;                             // To be advanced without another event.
  std::vector<base::UniqueFd> idle_backends_;
  size_t backends_ = 0;  // Idle ones included.
  size_t exchanges_ = 0;

  mutable base::Mutex mutex_;
  Phase phase_ GUARDED_BY(mutex_) = Phase::kServe;
  std::map<uint64_t, Pipe> pipes_ GUARDED_BY(mutex_);  // By exchange id.

  std::thread thread_;
};

Front::Front(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Front::~Front() = default;

Result<std::unique_ptr<Front>> Front::Listen(FrontOptions options, const base::Logger& logger) {
  std::vector<ListenSocket> listeners;
  for (const std::string& address : options.listen_addresses) {
    ASSIGN_OR_RETURN(ListenSocket listener, OpenListenSocket(address));
    listeners.push_back(std::move(listener));
  }
  return std::unique_ptr<Front>(
      new Front(std::make_unique<Impl>(std::move(options), std::move(listeners), logger)));
}

const std::vector<int>& Front::ports() const { return impl_->ports(); }
void Front::Start(int backend_port) { impl_->Start(backend_port); }
void Front::StopAccepting() { impl_->StopAccepting(); }
std::optional<Front::Exchange> Front::FindExchange(std::string_view header) const {
  return impl_->FindExchange(header);
}
void Front::BeginHandling(uint64_t exchange_id) { impl_->BeginHandling(exchange_id); }
void Front::BeginResponse(uint64_t exchange_id, uint64_t bytes) {
  impl_->BeginResponse(exchange_id, bytes);
}

}  // namespace http
