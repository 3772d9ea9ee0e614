#include "lib/http/front.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <optional>
#include <set>
#include <thread>
#include <unordered_map>
#include <utility>

#include <fcntl.h>
#include <fmt/format.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include "lib/base/clock.h"
#include "lib/base/file.h"
#include "lib/base/mutex.h"
#include "lib/http/backend_pool.h"
#include "lib/http/client_stream.h"
#include "lib/http/listen_socket.h"
#include "lib/http/message.h"
#include "lib/http/poller.h"
#include "lib/http/request_head.h"

namespace http {
namespace {

using base::MonotonicTime;
using base::Result;

using Id = uint64_t;

constexpr size_t kScratchBytes = 64 << 10;
constexpr size_t kReadBytes = 4 << 10;  // Of a request that is gathered.
constexpr int kMaxMovesPerTurn = 64;    // Then the other connections get theirs.
constexpr auto kLingerTimeout = std::chrono::seconds(1);
constexpr auto kDrainTimeout = std::chrono::seconds(2);
// How long an exchange must have waited for its client before it may make room for another.
constexpr auto kPressureGrace = std::chrono::milliseconds(50);
constexpr int kBusyRetryAfterSeconds = 1;

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

enum class State { kHandshake, kRequest, kExchange, kClosing };

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

  bool readable = true;   // Until a read had to wait.
  bool finished = false;  // Will send nothing more.

  std::string received;             // Read, and not of a request that was passed on.
  size_t searched = 0;              // Of `received`, for the end of the head.
  std::optional<RequestHead> head;  // Of the request that is awaited, once it is here.
  size_t head_bytes = 0;

  std::optional<size_t> backend;  // Slot of the pool.
  ExchangeId exchange = 0;
  std::string to_backend;
  std::string to_client;
  uint64_t body_left = 0;  // Not read yet.
  uint64_t relayed = 0;    // Of the response.
  bool keep_alive = false;
  bool backend_closed = false;
  bool write_closed = false;
};

}  // namespace

class Front::Impl {
 public:
  Impl(FrontOptions options, std::vector<ListenSocket> listeners, const base::Logger& logger)
      : options_(std::move(options)),
        logger_(logger),
        waiting_limit_(WaitingLimit()),
        listeners_(std::move(listeners)),
        spare_(open("/dev/null", O_RDONLY | O_CLOEXEC)),
        backends_(options_.max_backends, poller_, logger) {
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
    backends_.set_port(backend_port);
    thread_ = std::thread([this] { Run(); });
  }

  void StopAccepting() { Tell(Phase::kDrain); }

 private:
  enum class Phase { kServe, kDrain, kQuit };

  void Tell(Phase phase) {
    {
      const base::MutexLock lock(mutex_);
      phase_ = phase;
    }
    poller_.Wake();
  }

  Phase phase() const {
    const base::MutexLock lock(mutex_);
    return phase_;
  }

  // --- The loop ---

  void Run() {
    for (size_t i = 0; i < listeners_.size(); ++i) {
      poller_.WatchInput(listeners_[i].fd.get(), Watched::kListener, i);
    }
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
    for (const Readiness& readiness : poller_.Wait(WaitMillis(give_up))) {
      Dispatch(readiness);
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

  void Dispatch(const Readiness& readiness) {
    switch (readiness.kind) {
      case Watched::kListener:
        Accept(listeners_[readiness.number]);
        return;
      case Watched::kBackend:
        AdvanceBackend(readiness.number);
        return;
      case Watched::kClient:
        AdvanceClient(readiness);
        return;
      case Watched::kWake:
        return;
    }
  }

  void AdvanceBackend(size_t slot) {
    const Id owner = backends_.owner(slot);
    if (owner == BackendPool::kNobody) {
      backends_.CheckIdle(slot);
    } else if (Connection* connection = Find(owner)) {
      Advance(connection);
    }
  }

  void AdvanceClient(const Readiness& readiness) {
    Connection* connection = Find(readiness.number);
    if (connection == nullptr) {
      return;
    }
    if (readiness.gone) {
      Close(connection);
      return;
    }
    connection->readable = true;
    connection->finished = connection->finished || readiness.finished;
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
      } else if (connection->state == State::kRequest && !connection->received.empty()) {
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
    std::shared_ptr<const WebPolicy> policy = options_.policy();
    MakeRoomForWaiting(policy->tls ? std::min(waiting_limit_, kMaxWaitingTls) : waiting_limit_);
    const Id id = next_id_++;
    const int raw = fd.get();
    auto owned = std::make_unique<Connection>(id, std::move(fd), std::move(policy));
    Connection* connection = owned.get();
    connection->address = std::move(address);
    connections_.emplace(id, std::move(owned));
    SetDeadline(connection, Now() + options_.header_timeout);
    poller_.WatchChanges(raw, Watched::kClient, id);
    Advance(connection);
  }

  void MakeRoomForWaiting(size_t limit) {
    while (connections_.size() - exchanging_ >= limit) {
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
    exchanging_ -= connection->state == State::kExchange ? 1 : 0;
    exchanging_ += state == State::kExchange ? 1 : 0;
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
    if (connection->state == State::kRequest) {
      ReadRequest(connection);
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
    SetState(connection, State::kRequest);
    return true;
  }

  // --- Waiting for a request ---

  void ReadRequest(Connection* connection) {
    for (;;) {
      if (!connection->head && !FindHead(connection)) {
        return;
      }
      if (connection->head && IsGathered(*connection)) {
        BeginExchange(connection);
        return;
      }
      const bool first_byte = connection->received.empty();
      const IoResult got = ReadFrom(connection, scratch_.data(), kReadBytes);
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

  static IoResult ReadFrom(Connection* connection, char* buffer, size_t size) {
    if (!connection->readable) {
      return {.io = Io::kWait};
    }
    const IoResult got = connection->client.Read(buffer, size);
    // A read that leaves room has emptied the socket: another one would only have to wait. (TLS may
    // hold back more, and the end of the stream is yet to be read.)
    const bool emptied =
        got.bytes < size && connection->client.tls() == nullptr && !connection->finished;
    connection->readable = got.io == Io::kDone && !emptied;
    return got;
  }

  // False when the request was refused: the connection has moved on.
  bool FindHead(Connection* connection) {
    const std::string& received = connection->received;
    if (!received.empty() && !CanStartHead(received.front())) {
      Refuse(connection, 400, "an HTTP request is expected");
      return false;
    }
    const size_t end = FindHeadEnd(received, connection->searched);
    connection->searched = received.size();
    if (std::min(end, received.size()) > options_.max_header_bytes) {
      Refuse(connection, 431, "the request's headers are too long");
      return false;
    }
    if (end == std::string::npos) {
      return true;
    }
    const RequestHead head = ParseRequestHead(std::string_view(received).substr(0, end));
    if (head.status != 0) {
      Refuse(connection, head.status, head.problem);
      return false;
    }
    if (head.content_length > options_.max_body_bytes) {
      Refuse(connection, 413, "the request's body is too long");
      return false;
    }
    connection->head = head;
    connection->head_bytes = end;
    if (head.expects_continue && received.size() < end + head.content_length) {
      connection->client.Write("HTTP/1.1 100 Continue\r\n\r\n");  // Fits an empty send buffer.
    }
    return true;
  }

  static bool IsGathered(const Connection& connection) {
    return connection.head->content_length > kMaxGatheredBody ||
           connection.received.size() >= connection.head_bytes + connection.head->content_length;
  }

  void BeginExchange(Connection* connection) {
    const bool room = !backends_.exhausted() || MakeRoomForExchange();
    connection->backend = room ? backends_.Take(connection->id) : std::nullopt;
    if (!connection->backend) {
      Refuse(connection, 503, "too many requests at once");
      return;
    }
    SetState(connection, State::kExchange);
    connection->exchange = options_.exchanges->Begin(connection->address);
    const RequestHead head = *std::exchange(connection->head, std::nullopt);
    std::string& received = connection->received;
    const size_t body_here = static_cast<size_t>(
        std::min<uint64_t>(received.size() - connection->head_bytes, head.content_length));
    const size_t request_bytes = connection->head_bytes + body_here;
    std::string& request = connection->to_backend;
    request = received.substr(0, request_bytes);
    request.insert(request.find('\n') + 1, options_.exchanges->HeaderLine(connection->exchange));
    request.erase(head.authority_at, head.authority_bytes);
    received.erase(0, request_bytes);
    received.shrink_to_fit();
    connection->searched = 0;
    connection->body_left = head.content_length - body_here;
    connection->relayed = 0;
    connection->keep_alive = head.keep_alive;
    connection->backend_closed = false;
    connection->last_move = Now();
    SetDeadline(connection, connection->last_move + kBodyTimeout);
    SendRequest(connection);
  }

  // The exchange that has waited longest for its client ends, so that another can have its thread.
  bool MakeRoomForExchange() {
    Connection* slowest = nullptr;
    for (const auto& [id, connection] : connections_) {
      const bool waits_for_client = connection->body_left > 0 || !connection->to_client.empty();
      if (connection->state == State::kExchange && waits_for_client &&
          (slowest == nullptr || connection->last_move < slowest->last_move) &&
          !options_.exchanges->IsHandling(connection->exchange)) {
        slowest = connection.get();
      }
    }
    if (slowest == nullptr || Now() - slowest->last_move < kPressureGrace) {
      return false;
    }
    Close(slowest);
    return true;
  }

  void EndExchange(Connection* connection) {
    options_.exchanges->End(connection->exchange);
    connection->backend.reset();
  }

  void DropBackend(Connection* connection) {
    if (connection->backend) {
      backends_.Drop(*connection->backend);
      EndExchange(connection);
    }
  }

  // --- Exchanging a request and its response ---

  // True when it is sent as far as it is here; false when the connection is gone, or its turn over.
  bool SendRequest(Connection* connection) {
    for (int moves = 0; moves < kMaxMovesPerTurn; ++moves) {
      switch (MoveToBackend(connection)) {
        case Io::kDone:
          connection->last_move = Now();
          break;
        case Io::kWait:
          return true;
        case Io::kClosed:
          Close(connection);
          return false;
      }
    }
    ready_.push_back(connection->id);
    return false;
  }

  void MoveBytes(Connection* connection) {
    if (!SendRequest(connection)) {
      return;
    }
    for (int moves = 0; moves < kMaxMovesPerTurn; ++moves) {
      switch (MoveToClient(connection)) {
        case Io::kDone:
          connection->last_move = Now();
          break;
        case Io::kWait:
          return;
        case Io::kClosed:
          Close(connection);
          return;
      }
      if (FinishedExchange(connection)) {
        return;
      }
    }
    ready_.push_back(connection->id);
  }

  // kDone when something moved.
  Io MoveToBackend(Connection* connection) {
    std::string& pending = connection->to_backend;
    if (pending.empty() && connection->body_left > 0) {
      const size_t want =
          static_cast<size_t>(std::min<uint64_t>(connection->body_left, scratch_.size()));
      const IoResult got = ReadFrom(connection, scratch_.data(), want);
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
        send(backends_.fd(*connection->backend), pending.data(), pending.size(), MSG_NOSIGNAL);
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
    const ssize_t got =
        recv(backends_.fd(*connection->backend), scratch_.data(), scratch_.size(), 0);
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
    if (connection->relayed == 0 ||
        connection->relayed != options_.exchanges->ResponseBytes(connection->exchange)) {
      return false;
    }
    const bool reusable = connection->keep_alive && connection->body_left == 0 &&
                          connection->to_backend.empty() && phase() == Phase::kServe;
    if (!reusable) {
      DropBackend(connection);
      BeginClosing(connection);
      return true;
    }
    backends_.Keep(*connection->backend);
    EndExchange(connection);
    SetState(connection, State::kRequest);
    SetDeadline(connection, connection->received.empty() ? Now() + kIdleTimeout
                                                         : Now() + options_.header_timeout);
    if (connection->readable || !connection->received.empty()) {
      ready_.push_back(connection->id);  // The next request may be here already.
    }
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
    backends_.DropAllIdle();
    CloseWhere([](const Connection& connection) {
      return connection.state == State::kHandshake || connection.state == State::kRequest;
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
  std::vector<int> ports_;
  Poller poller_;

  // Of the thread alone.
  std::vector<ListenSocket> listeners_;
  base::UniqueFd spare_;
  BackendPool backends_;
  std::array<char, kScratchBytes> scratch_;
  Id next_id_ = 1;
  std::unordered_map<Id, std::unique_ptr<Connection>> connections_;
  std::set<std::pair<MonotonicTime, Id>> deadlines_;  // Of every connection.
  std::vector<Id> ready_;                             // To be advanced without another event.
  size_t exchanging_ = 0;                             // Connections in kExchange.

  mutable base::Mutex mutex_;
  Phase phase_ GUARDED_BY(mutex_) = Phase::kServe;

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
}  // namespace http
