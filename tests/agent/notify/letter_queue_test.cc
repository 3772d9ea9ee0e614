#include "agent/notify/letter_queue.h"

#include <string>

#include <gtest/gtest.h>

namespace notify {
namespace {

using std::chrono::seconds;

class LetterQueueTest : public testing::Test {
 protected:
  void Add(const std::string& key, const std::string& group) {
    queue_.Add({.notification = std::make_shared<Notification>(Notification{
                    .key = key, .group_key = group, .alerts = {Alert{}}, .created = now_.wall})},
               now_);
  }
  // What is taken now gets the answer; its key, or "".
  std::string Take(Verdict::Kind kind = Verdict::Kind::kDelivered) {
    const auto delivery = queue_.Take(now_);
    if (!delivery) {
      return "";
    }
    queue_.Report({.kind = kind, .reason = "why"}, now_);
    return delivery->notification->key;
  }
  // The keys of what is delivered in so many tries.
  std::string TakeAll(int tries) {
    std::string keys;
    for (int i = 0; i < tries; ++i) {
      keys += Take();
    }
    return keys;
  }
  void Pass(std::chrono::nanoseconds time) {
    now_.wall += std::chrono::duration_cast<base::WallTime::duration>(time);
    now_.monotonic += time;
  }

  Moment now_{.wall = base::WallTime(seconds(1'800'000'000)),
              .monotonic = base::MonotonicTime(seconds(1000))};
  std::vector<std::string> delivered_, died_;
  LetterQueue queue_{
      [] { return 0.0; },
      {.delivered = [this](const Letter& l) { delivered_.push_back(l.notification->key); },
       .failed = [](const Letter&) {},
       .died = [this](const Letter& l) { died_.push_back(l.notification->key + " " + l.reason); }}};
};

TEST_F(LetterQueueTest, DeliversInOrder) {
  Add("1", "a");
  Add("2", "b");
  Add("3", "a");
  EXPECT_EQ(TakeAll(4), "123");
  EXPECT_EQ(delivered_.size(), 3U);
  EXPECT_FALSE(queue_.Due());
}

TEST_F(LetterQueueTest, ADownReceiverIsLeftAloneAsAWhole) {
  Add("1", "a");
  Add("2", "b");
  EXPECT_EQ(Take(Verdict::Kind::kRetry), "1");
  EXPECT_EQ(Take(), "");
  EXPECT_EQ(*queue_.Due() - now_.monotonic, std::chrono::milliseconds(500));
  Pass(std::chrono::milliseconds(500));
  EXPECT_EQ(Take(), "2") << "the one that was not tried yet";
  EXPECT_EQ(Take(), "1");
}

TEST_F(LetterQueueTest, WithinAGroupTheOrderStays) {
  Add("1", "a");
  Add("2", "a");
  EXPECT_EQ(Take(Verdict::Kind::kRetry), "1");
  Pass(seconds(1));
  EXPECT_EQ(TakeAll(2), "12");
}

TEST_F(LetterQueueTest, ARejectedLetterHoldsUpItsGroupOnlyUntilItDies) {
  Add("1", "a");
  Add("2", "b");
  Add("3", "a");
  EXPECT_EQ(Take(Verdict::Kind::kRejected), "1");
  EXPECT_EQ(Take(), "2");
  for (int i = 1; i < kMaxRejections; ++i) {
    EXPECT_EQ(Take(), "");
    Pass(kRejectedPause);
    EXPECT_EQ(Take(Verdict::Kind::kRejected), "1");
  }
  EXPECT_EQ(died_, std::vector<std::string>{"1 why"});
  EXPECT_EQ(queue_.dropped(), 1U);
  EXPECT_EQ(Take(), "3");
}

TEST_F(LetterQueueTest, GivesUpAfterADay) {
  Add("1", "a");
  Pass(kGiveUpAfter);
  EXPECT_EQ(Take(Verdict::Kind::kRetry), "1");
  EXPECT_EQ(died_.size(), 1U);
}

TEST_F(LetterQueueTest, BuriesTheOldestBeyondItsLimit) {
  for (size_t i = 0; i <= kMaxLetters; ++i) {
    Add(std::to_string(i), "g" + std::to_string(i));
  }
  EXPECT_EQ(queue_.undelivered(), kMaxLetters);
  EXPECT_EQ(died_, std::vector<std::string>{"0 too many notifications wait"});
}

TEST_F(LetterQueueTest, HurriesBeforeAStop) {
  Add("1", "a");
  Take(Verdict::Kind::kRetry);
  queue_.Hurry(now_);
  EXPECT_EQ(Take(), "1");
}

}  // namespace
}  // namespace notify
