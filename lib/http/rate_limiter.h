// A token bucket: one request an interval, and `burst` at once after a quiet time.
#pragma once

#include <algorithm>
#include <chrono>

#include "lib/base/clock.h"
#include "lib/base/mutex.h"
#include "lib/http/web_config.h"

namespace http {

// Thread-safe.
class RateLimiter {
 public:
  explicit RateLimiter(RateLimit limit) : limit_(limit), tokens_(limit.burst) {}

  bool Allow(base::MonotonicTime now) {
    if (limit_.interval.count() <= 0) {
      return true;
    }
    const base::MutexLock lock(mutex_);
    if (now > last_) {
      const std::chrono::duration<double> passed = now - last_;
      tokens_ = std::min<double>(limit_.burst,
                                 tokens_ + passed / std::chrono::duration<double>(limit_.interval));
      last_ = now;
    }
    if (tokens_ < 1) {
      return false;
    }
    tokens_ -= 1;
    return true;
  }

 private:
  const RateLimit limit_;
  base::Mutex mutex_;
  double tokens_ GUARDED_BY(mutex_);
  base::MonotonicTime last_ GUARDED_BY(mutex_);
};

}  // namespace http
