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
#include "lib/base/result.h"
#include "lib/http/client.h"

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

struct CourierOptions {
  std::string receiver;  // For logs.
  std::string url;       // A secret: never logged.
  std::chrono::milliseconds timeout{10'000};
};

// An answer, or why there was none; http::Client::Do in production.
using PostFunc =
    std::function<base::Result<http::ClientResponse>(const http::ClientRequest& request)>;

// Thread-safe.
class Courier {
 public:
  // `clock` and `logger` must outlive the courier.
  Courier(CourierOptions options, std::unique_ptr<Outbox> outbox, PostFunc post,
          const base::Clock& clock, const base::Logger& logger);
  ~Courier();  // Stops at once, but for a request under way.

  Courier(const Courier&) = delete;
  Courier& operator=(const Courier&) = delete;

  void Notify(const std::vector<Alert>& alerts);

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

  const CourierOptions options_;
  const PostFunc post_;
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
