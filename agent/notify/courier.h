// Delivers the outbox of one receiver on a thread of its own, so that a slow receiver delays nobody
// else.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "agent/notify/alert.h"
#include "agent/notify/outbox.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/base/mutex.h"

namespace notify {

// Seconds; the last bucket is what took longer.
inline constexpr std::array kLatencyBuckets = {0.005, 0.025, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0};

struct CourierCounters {
  uint64_t notifications = 0;  // Deliveries tried.
  uint64_t failed = 0;         // Of these.
  uint64_t alerts = 0;         // Delivered.
  uint64_t dropped = 0;        // Alerts that will never be delivered.
  size_t queue_length = 0;     // Alerts that wait.
  std::array<uint64_t, kLatencyBuckets.size() + 1> latency_buckets{};  // Not cumulative.
  double latency_sum_seconds = 0;
};

// Sends, within `most_time`, and says what the answer means.
using DeliverFunc =
    std::function<Verdict(const Delivery& delivery, std::chrono::milliseconds most_time)>;

// Thread-safe.
class Courier {
 public:
  // `clock` and `logger` must outlive the courier.
  // `receiver` is for logs.
  Courier(std::string receiver, std::unique_ptr<Outbox> outbox, DeliverFunc deliver,
          const base::Clock& clock, const base::Logger& logger);
  ~Courier();  // Stops at once, but for a request under way.

  Courier(const Courier&) = delete;
  Courier& operator=(const Courier&) = delete;

  // Lets `change` change the outbox, whose type its maker knows, and looks at it again. False when
  // the courier is stopping and takes nothing new.
  bool Change(const std::function<void(Outbox& outbox, Moment now)>& change);
  // Lets `look` look at the outbox.
  void Look(const std::function<void(const Outbox& outbox)>& look) const;

  // Nothing new is taken. What is undelivered is tried until `drain` is over; a request that is
  // under way may take until its timeout. RequestStop does not wait for that, Join does.
  void RequestStop(std::chrono::milliseconds drain);
  void Join();

  CourierCounters Counters() const;

 private:
  void Work();
  bool Finished(Moment now) const REQUIRES_LOCK(mutex_);
  void Deliver(const Delivery& delivery);
  void Account(const Verdict& verdict, const Delivery& delivery, std::chrono::nanoseconds took)
      REQUIRES_LOCK(mutex_);
  void LogFailure(const Verdict& verdict);
  Moment Now() const { return {clock_.Now(), clock_.Monotonic()}; }

  const std::string receiver_;
  const DeliverFunc deliver_;
  const base::Clock& clock_;
  const base::Logger& logger_;

  mutable base::Mutex mutex_;
  const std::unique_ptr<Outbox> outbox_ PT_GUARDED_BY(mutex_);
  std::shared_ptr<base::StopSignal> wake_ GUARDED_BY(mutex_);  // Ends the current sleep.
  bool stopping_ GUARDED_BY(mutex_) = false;
  base::MonotonicTime stop_by_ GUARDED_BY(mutex_);
  CourierCounters counters_ GUARDED_BY(mutex_);
  std::string last_failure_ GUARDED_BY(mutex_);  // Empty after a success: failures are logged once.

  std::thread thread_;  // Last: it uses everything above.
};

}  // namespace notify
