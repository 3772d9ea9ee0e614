#include "lib/base/bounded_queue.h"

#include <future>
#include <memory>
#include <set>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

namespace base {
namespace {

MonotonicTime In(std::chrono::milliseconds delay) {
  return std::chrono::steady_clock::now() + delay;
}
MonotonicTime Now() { return In(std::chrono::milliseconds(0)); }
MonotonicTime Soon() { return In(std::chrono::minutes(1)); }

TEST(BoundedQueue, FirstInIsFirstOut) {
  BoundedQueue<int> queue(3);
  queue.Push(1);
  queue.Push(2);
  EXPECT_EQ(queue.PopUntil(Now()), 1);
  EXPECT_EQ(queue.PopUntil(Now()), 2);
  EXPECT_EQ(queue.PopUntil(Now()), std::nullopt);
}

TEST(BoundedQueue, OldestMakesRoomAndIsCounted) {
  BoundedQueue<int> queue(2);
  for (const int item : {1, 2, 3, 4}) {
    queue.Push(item);
  }
  EXPECT_EQ(queue.size(), 2U);
  EXPECT_EQ(queue.dropped(), 2U);
  EXPECT_EQ(queue.PopUntil(Now()), 3);
  EXPECT_EQ(queue.PopUntil(Now()), 4);
}

TEST(BoundedQueue, EmptyQueueWaitsUntilTheDeadline) {
  BoundedQueue<int> queue(1);
  const MonotonicTime deadline = In(std::chrono::milliseconds(2));
  EXPECT_EQ(queue.PopUntil(deadline), std::nullopt);
  EXPECT_GE(std::chrono::steady_clock::now(), deadline);
}

TEST(BoundedQueue, PushWakesAWaiter) {
  BoundedQueue<int> queue(1);
  auto waiter = std::async(std::launch::async, [&] { return queue.PopUntil(Soon()); });
  queue.Push(7);
  EXPECT_EQ(waiter.get(), 7);
}

TEST(BoundedQueue, CloseWakesEveryWaiterButLosesNothing) {
  BoundedQueue<int> queue(1);
  auto one = std::async(std::launch::async, [&] { return queue.PopUntil(Soon()); });
  auto two = std::async(std::launch::async, [&] { return queue.PopUntil(Soon()); });
  queue.Close();
  EXPECT_EQ(one.get(), std::nullopt);
  EXPECT_EQ(two.get(), std::nullopt);
  queue.Push(1);
  EXPECT_EQ(queue.PopUntil(Soon()), 1);
  EXPECT_EQ(queue.PopUntil(Soon()), std::nullopt);
}

TEST(BoundedQueue, HoldsWhatCanOnlyBeMoved) {
  BoundedQueue<std::unique_ptr<int>> queue(1);
  queue.Push(std::make_unique<int>(5));
  EXPECT_EQ(**queue.PopUntil(Now()), 5);
}

TEST(BoundedQueue, EveryItemOfManyThreadsArrivesOnce) {
  constexpr int kThreads = 4;
  constexpr int kItems = 1000;
  BoundedQueue<int> queue(kThreads * kItems);
  std::vector<std::thread> producers;
  for (int thread = 0; thread < kThreads; ++thread) {
    producers.emplace_back([&queue, thread] {
      for (int i = 0; i < kItems; ++i) {
        queue.Push(thread * kItems + i);
      }
    });
  }
  std::set<int> seen;
  while (seen.size() < kThreads * kItems) {
    const std::optional<int> item = queue.PopUntil(Soon());
    ASSERT_TRUE(item.has_value());
    EXPECT_TRUE(seen.insert(*item).second);
  }
  for (std::thread& producer : producers) {
    producer.join();
  }
  EXPECT_EQ(queue.dropped(), 0U);
}

}  // namespace
}  // namespace base
