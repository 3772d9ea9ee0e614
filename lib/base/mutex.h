// Mutex, MutexLock and CondVar with clang's thread-safety annotations, which libstdc++'s types
// lack. With -Wthread-safety the compiler proves that a GUARDED_BY field is touched only under its
// lock.
#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>

#if defined(__clang__)
#define BASE_THREAD_ANNOTATION(x) __attribute__((x))
#else
#define BASE_THREAD_ANNOTATION(x)
#endif

#define CAPABILITY(x) BASE_THREAD_ANNOTATION(capability(x))
#define SCOPED_CAPABILITY BASE_THREAD_ANNOTATION(scoped_lockable)
#define GUARDED_BY(x) BASE_THREAD_ANNOTATION(guarded_by(x))
#define PT_GUARDED_BY(x) BASE_THREAD_ANNOTATION(pt_guarded_by(x))
#define REQUIRES_LOCK(...) BASE_THREAD_ANNOTATION(requires_capability(__VA_ARGS__))
#define EXCLUDES_LOCK(...) BASE_THREAD_ANNOTATION(locks_excluded(__VA_ARGS__))
#define ACQUIRE_LOCK(...) BASE_THREAD_ANNOTATION(acquire_capability(__VA_ARGS__))
#define RELEASE_LOCK(...) BASE_THREAD_ANNOTATION(release_capability(__VA_ARGS__))
#define TRY_ACQUIRE_LOCK(...) BASE_THREAD_ANNOTATION(try_acquire_capability(__VA_ARGS__))
#define NO_THREAD_SAFETY_ANALYSIS BASE_THREAD_ANNOTATION(no_thread_safety_analysis)

namespace base {

class CAPABILITY("mutex") Mutex {
 public:
  Mutex() = default;
  Mutex(const Mutex&) = delete;
  Mutex& operator=(const Mutex&) = delete;

  void Lock() ACQUIRE_LOCK() { mutex_.lock(); }
  void Unlock() RELEASE_LOCK() { mutex_.unlock(); }
  bool TryLock() TRY_ACQUIRE_LOCK(true) { return mutex_.try_lock(); }

 private:
  friend class CondVar;
  std::mutex mutex_;
};

class SCOPED_CAPABILITY MutexLock {
 public:
  explicit MutexLock(Mutex& mutex) ACQUIRE_LOCK(mutex) : mutex_(mutex) { mutex_.Lock(); }
  ~MutexLock() RELEASE_LOCK() { mutex_.Unlock(); }
  MutexLock(const MutexLock&) = delete;
  MutexLock& operator=(const MutexLock&) = delete;

 private:
  Mutex& mutex_;
};

// Waits may wake spuriously: call them in a loop that checks the condition.
class CondVar {
 public:
  void Wait(Mutex& mutex) REQUIRES_LOCK(mutex) NO_THREAD_SAFETY_ANALYSIS {
    std::unique_lock<std::mutex> lock(mutex.mutex_, std::adopt_lock);
    condition_.wait(lock);
    lock.release();
  }

  // False when `deadline` passed.
  bool WaitUntil(Mutex& mutex, std::chrono::steady_clock::time_point deadline)
      REQUIRES_LOCK(mutex) NO_THREAD_SAFETY_ANALYSIS {
    std::unique_lock<std::mutex> lock(mutex.mutex_, std::adopt_lock);
    const auto status = condition_.wait_until(lock, deadline);
    lock.release();
    return status == std::cv_status::no_timeout;
  }

  void NotifyOne() { condition_.notify_one(); }
  void NotifyAll() { condition_.notify_all(); }

 private:
  std::condition_variable condition_;
};

}  // namespace base
