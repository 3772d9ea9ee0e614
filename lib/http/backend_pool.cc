#include "lib/http/backend_pool.h"

#include <algorithm>
#include <cerrno>
#include <utility>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include "lib/http/listen_socket.h"

namespace http {

std::optional<size_t> BackendPool::Take(uint64_t owner) {
  std::optional<size_t> slot;
  if (!idle_.empty()) {
    slot = idle_.back();
    idle_.pop_back();
  } else {
    slot = Open();
  }
  if (slot) {
    slots_[*slot].owner = owner;
  }
  return slot;
}

std::optional<size_t> BackendPool::Open() {
  const auto free =
      std::find_if(slots_.begin(), slots_.end(), [](const Slot& s) { return !s.fd.valid(); });
  if (free == slots_.end()) {
    return std::nullopt;
  }
  free->fd = Connect();
  if (!free->fd.valid()) {
    return std::nullopt;
  }
  ++open_;
  const auto slot = static_cast<size_t>(free - slots_.begin());
  poller_.WatchChanges(free->fd.get(), Watched::kBackend, slot);
  return slot;
}

base::UniqueFd BackendPool::Connect() const {
  base::UniqueFd fd = ConnectToLoopback(port_);
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

void BackendPool::Keep(size_t slot) {
  if (idle_.size() >= kMaxIdle) {
    Drop(slot);
    return;
  }
  slots_[slot].owner = kNobody;
  idle_.push_back(slot);
}

void BackendPool::Drop(size_t slot) {
  std::erase(idle_, slot);
  slots_[slot] = Slot{};
  --open_;
}

void BackendPool::DropAllIdle() {
  for (const size_t slot : std::exchange(idle_, {})) {
    Drop(slot);
  }
}

void BackendPool::CheckIdle(size_t slot) {
  const Slot& idle = slots_[slot];
  char byte = 0;
  if (idle.fd.valid() && idle.owner == kNobody &&
      (recv(idle.fd.get(), &byte, 1, MSG_PEEK | MSG_DONTWAIT) >= 0 || errno != EAGAIN)) {
    Drop(slot);
  }
}

}  // namespace http
