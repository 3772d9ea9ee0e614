// What waits to be delivered to one receiver. A courier does the waiting and the sending.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "agent/notify/alert.h"
#include "agent/notify/notification.h"
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

// One message.
struct Delivery {
  std::shared_ptr<const Notification> notification = {};  // For an integration, or
  std::string body = {};                                  // for an Alertmanager.
  size_t alerts = 0;
};

// Thread-compatible. Between Take and Report there is at most one delivery under way.
class Outbox {
 public:
  virtual ~Outbox() = default;

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
