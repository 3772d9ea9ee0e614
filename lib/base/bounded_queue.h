// A queue with a named limit. When it is full the oldest entry makes room and is counted: for
// notifications and samples alike, fresh news is worth more than old.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <utility>

#include "lib/base/clock.h"
#include "lib/base/mutex.h"

namespace base {

// Thread-safe.
template <typename T>
class BoundedQueue {
 public:
  explicit BoundedQueue(size_t capacity) : capacity_(capacity) {}

  void Push(T item) {
    MutexLock lock(mutex_);
    if (items_.size() == capacity_) {
      items_.pop_front();
      ++dropped_;
    }
    items_.push_back(std::move(item));
    changed_.NotifyOne();
  }

  // The oldest entry; nothing once `deadline` passed or the queue is closed and empty.
  std::optional<T> PopUntil(MonotonicTime deadline) {
    MutexLock lock(mutex_);
    while (items_.empty()) {
      if (closed_ || (!changed_.WaitUntil(mutex_, deadline) && items_.empty())) {
        return std::nullopt;
      }
    }
    T item = std::move(items_.front());
    items_.pop_front();
    return item;
  }

  // Wakes every waiter; what is queued can still be popped.
  void Close() {
    MutexLock lock(mutex_);
    closed_ = true;
    changed_.NotifyAll();
  }

  size_t size() const {
    MutexLock lock(mutex_);
    return items_.size();
  }

  uint64_t dropped() const {
    MutexLock lock(mutex_);
    return dropped_;
  }

 private:
  const size_t capacity_;
  mutable Mutex mutex_;
  CondVar changed_;
  std::deque<T> items_ GUARDED_BY(mutex_);
  uint64_t dropped_ GUARDED_BY(mutex_) = 0;
  bool closed_ GUARDED_BY(mutex_) = false;
};

}  // namespace base
