#include "agent/scrape/schedule.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace scrape {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

const base::WallTime kStart(seconds(1'000'000));

TEST(ScrapeOffset, IsStableAndSpreadEvenly) {
  EXPECT_EQ(ScrapeOffset("a", 1, seconds(15)), ScrapeOffset("a", 1, seconds(15)));
  EXPECT_NE(ScrapeOffset("a", 1, seconds(15)), ScrapeOffset("a", 2, seconds(15)));
  std::vector<int> buckets(10);
  for (int i = 0; i < 1000; ++i) {
    const auto offset = ScrapeOffset("http://db:" + std::to_string(9000 + i), 0, seconds(10));
    ASSERT_GE(offset.count(), 0);
    ASSERT_LT(offset, seconds(10));
    ++buckets[static_cast<size_t>(offset / seconds(1))];
  }
  for (const int count : buckets) {
    EXPECT_GT(count, 60);
    EXPECT_LT(count, 140);
  }
}

TEST(Schedule, TicksAtMultiplesOfTheIntervalPlusTheOffset) {
  base::FakeClock clock(kStart + milliseconds(1));
  Schedule schedule(seconds(10), milliseconds(2500), clock);
  EXPECT_EQ(schedule.next() - clock.Monotonic(), milliseconds(2499));
  clock.Advance(milliseconds(2499));
  EXPECT_EQ(schedule.Timestamp(clock), base::ToMillis(kStart) + 2500);
  EXPECT_EQ(schedule.Advance(clock.Monotonic()), 0);
  EXPECT_EQ(schedule.next() - clock.Monotonic(), seconds(10));
}

TEST(Schedule, StartsAtOnceWhenTheTickIsNow) {
  const base::FakeClock clock(kStart);
  EXPECT_EQ(Schedule(seconds(10), milliseconds(0), clock).next(), clock.Monotonic());
}

TEST(Schedule, SmallDelaysDoNotShowInTimeStampsLargeOnesDo) {
  base::FakeClock clock(kStart);
  Schedule schedule(seconds(10), milliseconds(0), clock);
  clock.Advance(milliseconds(2));
  EXPECT_EQ(schedule.Timestamp(clock), base::ToMillis(kStart));
  clock.Advance(milliseconds(1));
  EXPECT_EQ(schedule.Timestamp(clock), base::ToMillis(kStart) + 3);
  schedule.Advance(clock.Monotonic());
  clock.Advance(milliseconds(9997));
  EXPECT_EQ(schedule.Timestamp(clock), base::ToMillis(kStart) + 10'000);
}

TEST(Schedule, AnOverrunSkipsTicks) {
  base::FakeClock clock(kStart);
  Schedule schedule(seconds(10), milliseconds(0), clock);
  clock.Advance(seconds(25));
  EXPECT_EQ(schedule.Advance(clock.Monotonic()), 2);
  EXPECT_EQ(schedule.next() - clock.Monotonic(), seconds(5));
  clock.Advance(seconds(5));
  EXPECT_EQ(schedule.Timestamp(clock), base::ToMillis(kStart) + 30'000);
}

TEST(Schedule, AWallClockThatJumpsMovesNoTick) {
  base::FakeClock clock(kStart);
  Schedule schedule(seconds(10), milliseconds(0), clock);
  schedule.Advance(clock.Monotonic());
  clock.JumpWall(seconds(-3600));
  EXPECT_EQ(schedule.next() - clock.Monotonic(), seconds(10));
  clock.Advance(seconds(10));
  const int64_t after_jump = base::ToMillis(kStart) - 3'590'000;
  EXPECT_EQ(schedule.Timestamp(clock), after_jump);
  schedule.Advance(clock.Monotonic());
  clock.Advance(milliseconds(10'001));
  EXPECT_EQ(schedule.Timestamp(clock), after_jump + 10'000) << "aligned to the new wall clock";
}

}  // namespace
}  // namespace scrape
