#include "lib/http/backend_pool.h"

#include <algorithm>
#include <utility>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include "lib/http/listen_socket.h"

namespace http {

base::UniqueFd BackendPool::Take(uint64_t number) {
  if (!idle_.empty()) {
    base::UniqueFd backend = std::move(idle_.back());
    idle_.pop_back();
    poller_.RewatchChanges(backend.get(), Watched::kBackend, number);
    return backend;
  }
  base::UniqueFd backend = Connect();
  if (backend.valid()) {
    ++open_;
    poller_.WatchChanges(backend.get(), Watched::kBackend, number);
  }
  return backend;
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

void BackendPool::Keep(base::UniqueFd backend) {
  if (idle_.size() >= kMaxIdle) {
    Drop(std::move(backend));
    return;
  }
  poller_.RewatchInputChanges(backend.get(), Watched::kIdleBackend,
                              static_cast<uint64_t>(backend.get()));
  idle_.push_back(std::move(backend));
}

void BackendPool::Drop(base::UniqueFd backend) {
  if (backend.valid()) {
    backend.Reset();
    --open_;
  }
}

void BackendPool::DropIdle(uint64_t number) {
  const auto idle = std::find_if(idle_.begin(), idle_.end(), [number](const base::UniqueFd& fd) {
    return static_cast<uint64_t>(fd.get()) == number;
  });
  if (idle != idle_.end()) {
    idle_.erase(idle);
    --open_;
  }
}

void BackendPool::DropAllIdle() {
  open_ -= idle_.size();
  idle_.clear();
}

}  // namespace http
