// Connections to civetweb: opened when needed, kept for the next request, never more than civetweb
// has threads.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "lib/base/file.h"
#include "lib/base/log.h"
#include "lib/http/poller.h"

namespace http {

// Thread-compatible.
class BackendPool {
 public:
  // More idle ones than this are closed: each keeps one of civetweb's threads looking at it.
  static constexpr size_t kMaxIdle = 4;

  // The references must outlive the pool.
  BackendPool(size_t max, Poller& poller, const base::Logger& logger)
      : max_(max), poller_(poller), logger_(logger) {}

  void set_port(int port) { port_ = port; }

  // Whether Take would have to refuse.
  bool exhausted() const { return idle_.empty() && open_ >= max_; }
  // Reported to the poller as kBackend of `number`. Invalid when civetweb cannot be reached.
  base::UniqueFd Take(uint64_t number);
  // After a response that was complete, for the next request.
  void Keep(base::UniqueFd backend);
  void Drop(base::UniqueFd backend);
  // civetweb closed it, or sent what nobody asked for: `number` of a kIdleBackend event.
  void DropIdle(uint64_t number);
  void DropAllIdle();

 private:
  base::UniqueFd Connect() const;

  const size_t max_;
  Poller& poller_;
  const base::Logger& logger_;
  int port_ = 0;
  std::vector<base::UniqueFd> idle_;
  size_t open_ = 0;  // Idle ones included.
};

}  // namespace http
