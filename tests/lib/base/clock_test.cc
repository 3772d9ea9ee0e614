#include "lib/base/clock.h"

#include <future>
#include <thread>

#include <gtest/gtest.h>

namespace base {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

MonotonicTime In(milliseconds delay) { return std::chrono::steady_clock::now() + delay; }

TEST(StopSignal, WaitingEndsAtTheDeadlineWithoutARequest) {
  const StopSignal stop;
  EXPECT_FALSE(stop.WaitUntil(In(milliseconds(2))));
  EXPECT_FALSE(stop.requested());
}

TEST(StopSignal, RequestWakesEveryWaiter) {
  StopSignal stop;
  const auto wait = [&stop] { return stop.WaitUntil(In(std::chrono::minutes(1))); };
  auto one = std::async(std::launch::async, wait);
  auto two = std::async(std::launch::async, wait);
  stop.Request();
  EXPECT_TRUE(one.get());
  EXPECT_TRUE(two.get());
  EXPECT_TRUE(stop.requested());
}

TEST(StopSignal, RequestStaysRequested) {
  StopSignal stop;
  stop.Request();
  stop.Request();
  EXPECT_TRUE(stop.WaitUntil(In(milliseconds(0))));
}

TEST(RealClock, BothClocksMoveForward) {
  const RealClock clock;
  const MonotonicTime before = clock.Monotonic();
  const StopSignal stop;
  EXPECT_FALSE(clock.SleepUntil(before + milliseconds(2), stop));
  EXPECT_GE(clock.Monotonic(), before + milliseconds(2));
  EXPECT_GT(ToMillis(clock.Now()), 1'700'000'000'000);
}

TEST(RealClock, SleepEndsEarlyWhenStopped) {
  const RealClock clock;
  StopSignal stop;
  stop.Request();
  EXPECT_TRUE(clock.SleepUntil(clock.Monotonic() + std::chrono::hours(1), stop));
}

TEST(FakeClock, AdvanceMovesBothClocks) {
  FakeClock clock(FromMillis(5000));
  const MonotonicTime before = clock.Monotonic();
  clock.Advance(seconds(3));
  EXPECT_EQ(ToMillis(clock.Now()), 8000);
  EXPECT_EQ(clock.Monotonic() - before, seconds(3));
}

TEST(FakeClock, WallJumpLeavesMonotonicTimeAlone) {
  FakeClock clock(FromMillis(5000));
  const MonotonicTime before = clock.Monotonic();
  clock.JumpWall(-seconds(2));
  EXPECT_EQ(ToMillis(clock.Now()), 3000);
  EXPECT_EQ(clock.Monotonic(), before);
}

TEST(FakeClock, SleeperWakesWhenTimeIsAdvanced) {
  FakeClock clock;
  const StopSignal stop;
  const MonotonicTime deadline = clock.Monotonic() + seconds(10);
  auto sleeper = std::async(std::launch::async, [&] { return clock.SleepUntil(deadline, stop); });
  clock.Advance(seconds(9));
  EXPECT_EQ(sleeper.wait_for(milliseconds(5)), std::future_status::timeout);
  clock.Advance(seconds(1));
  EXPECT_FALSE(sleeper.get());
}

TEST(FakeClock, SleeperWakesWhenStopped) {
  const FakeClock clock;
  StopSignal stop;
  auto sleeper = std::async(std::launch::async, [&] {
    return clock.SleepUntil(clock.Monotonic() + std::chrono::hours(1), stop);
  });
  stop.Request();
  EXPECT_TRUE(sleeper.get());
}

TEST(FormatRfc3339, WritesUtcWithMillisecondsOnlyWhenThereAreAny) {
  const auto check = [](int64_t ms, std::string_view expected) {
    EXPECT_EQ(FormatRfc3339(FromMillis(ms)), expected);
  };
  check(0, "1970-01-01T00:00:00Z");
  check(1, "1970-01-01T00:00:00.001Z");
  check(1'763'632'168'120, "2025-11-20T09:49:28.120Z");
  check(951'827'696'789, "2000-02-29T12:34:56.789Z");
  check(-1, "1969-12-31T23:59:59.999Z");
}

TEST(Millis, RoundTrip) {
  EXPECT_EQ(ToMillis(FromMillis(1'763'632'168'120)), 1'763'632'168'120);
  EXPECT_EQ(ToMillis(FromMillis(-5)), -5);
}

}  // namespace
}  // namespace base
