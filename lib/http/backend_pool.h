// Connections to civetweb: opened when needed, kept for the next request, never more than civetweb
// has threads. Each has a slot; the poller's kBackend events name it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "lib/base/file.h"
#include "lib/base/log.h"
#include "lib/http/poller.h"

namespace http {

// Thread-compatible.
class BackendPool {
 public:
  static constexpr uint64_t kNobody = 0;
  // More idle ones than this are closed: each keeps one of civetweb's threads looking at it.
  static constexpr size_t kMaxIdle = 4;

  // The references must outlive the pool.
  BackendPool(size_t max, Poller& poller, const base::Logger& logger)
      : poller_(poller), logger_(logger), slots_(max) {}

  void set_port(int port) { port_ = port; }

  bool exhausted() const { return idle_.empty() && open_ == slots_.size(); }
  // A slot for `owner`; none when all are taken or civetweb cannot be reached.
  std::optional<size_t> Take(uint64_t owner);
  // After a response that was complete: for the next request.
  void Keep(size_t slot);
  void Drop(size_t slot);
  void DropAllIdle();
  // After an event of an idle one: drops it if civetweb closed it, or sent what nobody asked for.
  void CheckIdle(size_t slot);

  int fd(size_t slot) const { return slots_[slot].fd.get(); }
  uint64_t owner(size_t slot) const { return slots_[slot].owner; }

 private:
  struct Slot {
    base::UniqueFd fd;
    uint64_t owner = kNobody;
  };
  base::UniqueFd Connect() const;
  std::optional<size_t> Open();

  Poller& poller_;
  const base::Logger& logger_;
  int port_ = 0;
  std::vector<Slot> slots_;
  std::vector<size_t> idle_;
  size_t open_ = 0;  // Idle ones included.
};

}  // namespace http
