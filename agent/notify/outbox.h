// What waits to be delivered to one receiver. Pure: a courier does the waiting and the sending.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "agent/notify/alert.h"
#include "agent/notify/retry.h"
#include "lib/base/clock.h"

namespace notify {

// Alerts that one receiver's outbox holds; beyond it old ones make room.
inline constexpr size_t kMaxOutboxAlerts = 10'000;

// Both clocks, read together.
struct Moment {
  base::WallTime wall;
  base::MonotonicTime monotonic;
};

// One POST.
struct Delivery {
  std::string path = {};  // Appended to the receiver's URL.
  std::vector<std::pair<std::string, std::string>> headers = {};
  std::string body = {};
  size_t alerts = 0;
};

// Thread-compatible. Between Take and Report there is at most one delivery under way.
class Outbox {
 public:
  virtual ~Outbox() = default;

  // The newest state of an alert replaces one that was not delivered yet.
  virtual void Add(const std::vector<Alert>& alerts, Moment now) = 0;

  // When something is due next; nothing when there is nothing to do.
  virtual std::optional<base::MonotonicTime> Due() const = 0;

  // The delivery that is due, if any.
  virtual std::optional<Delivery> Take(Moment now) = 0;

  // What became of the delivery that was taken.
  virtual void Report(const Verdict& verdict, Moment now) = 0;

  // Makes everything undelivered due now, for the last try before a stop.
  virtual void Hurry(Moment now) = 0;

  virtual size_t undelivered() const = 0;
  virtual uint64_t dropped() const = 0;  // Alerts that will never be delivered, since the start.
};

}  // namespace notify
