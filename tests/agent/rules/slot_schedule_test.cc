#include "agent/rules/slot_schedule.h"

#include <gtest/gtest.h>

namespace rules {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr milliseconds kInterval{15'000};
constexpr milliseconds kOffset{4'000};

// Wall seconds since a whole multiple of the interval; the monotonic clock runs beside it.
class SlotScheduleTest : public ::testing::Test {
 protected:
  Now At(milliseconds since_start) const {
    return {.wall = base::WallTime(seconds(15'000)) + since_start + wall_jump_,
            .monotonic = base::MonotonicTime(seconds(77)) + since_start};
  }
  static milliseconds WallOf(const Slot& slot) {
    return std::chrono::duration_cast<milliseconds>(slot.tick.at.time_since_epoch()) -
           seconds(15'000);
  }
  milliseconds DeadlineOf(const SlotSchedule& schedule) const {
    return std::chrono::round<milliseconds>(schedule.deadline() - base::MonotonicTime(seconds(77)));
  }

  milliseconds wall_jump_{0};
};

TEST_F(SlotScheduleTest, StartsAtTheNextSlot) {
  EXPECT_EQ(DeadlineOf(SlotSchedule(kInterval, kOffset, At(milliseconds(0)))), seconds(4));
  EXPECT_EQ(DeadlineOf(SlotSchedule(kInterval, kOffset, At(seconds(3)))), seconds(4));
  EXPECT_EQ(DeadlineOf(SlotSchedule(kInterval, kOffset, At(seconds(5)))), seconds(19));
}

TEST_F(SlotScheduleTest, StampsTheSlotHoweverLateTheThreadIs) {
  SlotSchedule schedule(kInterval, kOffset, At(milliseconds(0)));
  const Slot first = schedule.Take(At(milliseconds(4'003)));
  EXPECT_EQ(WallOf(first), seconds(4));
  EXPECT_EQ(first.tick.elapsed, milliseconds(0));
  EXPECT_EQ(DeadlineOf(schedule), seconds(19));
  const Slot second = schedule.Take(At(milliseconds(33'999)));
  EXPECT_EQ(WallOf(second), seconds(19));
  EXPECT_EQ(second.tick.elapsed, seconds(15));
  EXPECT_EQ(second.missed, 0U);
}

TEST_F(SlotScheduleTest, SkipsAndCountsMissedSlots) {
  SlotSchedule schedule(kInterval, kOffset, At(milliseconds(0)));
  const Slot slot = schedule.Take(At(seconds(4 + 15 * 3 + 1)));
  EXPECT_EQ(slot.missed, 3U);
  EXPECT_EQ(WallOf(slot), seconds(4 + 45));
  EXPECT_EQ(slot.tick.elapsed, seconds(45));
  EXPECT_EQ(DeadlineOf(schedule), seconds(4 + 60));
}

TEST_F(SlotScheduleTest, FollowsAClockThatDrifts) {
  SlotSchedule schedule(kInterval, kOffset, At(milliseconds(0)));
  schedule.Take(At(seconds(4)));
  wall_jump_ = milliseconds(20);  // Fast by 20 ms: the next slot but one comes earlier.
  const Slot slot = schedule.Take(At(seconds(19)));
  EXPECT_FALSE(slot.clock_jumped);
  EXPECT_EQ(WallOf(slot), seconds(19));
  EXPECT_EQ(slot.tick.elapsed, seconds(15));
  EXPECT_EQ(DeadlineOf(schedule), milliseconds(33'980));
  EXPECT_EQ(schedule.Take(At(milliseconds(33'980))).tick.elapsed, seconds(30));
}

TEST_F(SlotScheduleTest, FollowsAWallClockThatIsSetForward) {
  SlotSchedule schedule(kInterval, kOffset, At(milliseconds(0)));
  schedule.Take(At(seconds(4)));
  wall_jump_ = std::chrono::hours(1) + seconds(5);
  const Slot slot = schedule.Take(At(seconds(19)));
  EXPECT_TRUE(slot.clock_jumped);
  EXPECT_EQ(slot.missed, 0U);
  EXPECT_EQ(WallOf(slot), std::chrono::hours(1) + seconds(19)) << "aligned, at or before now";
  EXPECT_EQ(slot.tick.elapsed, seconds(15)) << "the jump is no elapsed time";
  EXPECT_EQ(DeadlineOf(schedule), seconds(29)) << "the next aligned slot";
  const Slot next = schedule.Take(At(seconds(29)));
  EXPECT_FALSE(next.clock_jumped);
  EXPECT_EQ(WallOf(next), std::chrono::hours(1) + seconds(34));
  EXPECT_EQ(next.tick.elapsed, seconds(25)) << "measured across the jump";
}

TEST_F(SlotScheduleTest, FollowsAWallClockThatIsSetBack) {
  SlotSchedule schedule(kInterval, kOffset, At(milliseconds(0)));
  schedule.Take(At(seconds(4)));
  wall_jump_ = -std::chrono::hours(1);
  const Slot slot = schedule.Take(At(seconds(19)));
  EXPECT_TRUE(slot.clock_jumped);
  EXPECT_EQ(WallOf(slot), -std::chrono::hours(1) + seconds(19));
  EXPECT_EQ(slot.tick.elapsed, seconds(15));
  EXPECT_EQ(DeadlineOf(schedule), seconds(34));
}

TEST_F(SlotScheduleTest, GoesOnWithAFormerTimeLine) {
  SlotSchedule former(kInterval, kOffset, At(milliseconds(0)));
  former.Take(At(seconds(4)));
  SlotSchedule same(kInterval, kOffset, At(seconds(6)));
  same.ContinueFrom(former);
  EXPECT_EQ(same.Take(At(seconds(19))).tick.elapsed, seconds(15));
  SlotSchedule other(milliseconds(60'000), milliseconds(0), At(seconds(6)));
  other.ContinueFrom(former);
  EXPECT_EQ(other.Take(At(seconds(60))).tick.elapsed, seconds(56));
}

}  // namespace
}  // namespace rules
