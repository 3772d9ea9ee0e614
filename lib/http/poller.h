// epoll, with what an event is about in its 64 bits: a kind on top, a number below.
#pragma once

#include <cstdint>
#include <span>

#include "lib/base/file.h"

struct epoll_event;

namespace http {

enum class Watched : uint8_t { kListener, kWake, kClient, kBackend };

struct Readiness {
  Watched kind = Watched::kWake;
  uint64_t number = 0;    // Below 2^56.
  bool finished = false;  // The other side sends nothing more.
  bool gone = false;      // Error or hang-up: nobody is left there.
};

// Thread-compatible, but for Wake.
class Poller {
 public:
  Poller();

  // Reported while there is something to read.
  void WatchInput(int fd, Watched kind, uint64_t number);
  // Reported once whenever it becomes ready, for reading or writing: whoever gets the event must go
  // on until nothing moves.
  void WatchChanges(int fd, Watched kind, uint64_t number);

  // Waits at most `timeout_ms` (-1: for ever). Valid until the next call.
  std::span<const Readiness> Wait(int timeout_ms);
  // Ends a Wait. Thread-safe.
  void Wake() const;

 private:
  static constexpr int kMaxEvents = 64;
  void Watch(int fd, uint32_t events, Watched kind, uint64_t number);

  base::UniqueFd epoll_;
  base::UniqueFd wake_;
  Readiness ready_[kMaxEvents];
};

}  // namespace http
