#include "exporters/toolkit/coalesce.h"

#include <chrono>
#include <future>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace exporters {
namespace {

constexpr model::MetricDesc kRun{.name = "run", .help = "Which run."};

base::MonotonicTime In(std::chrono::milliseconds delay) {
  return std::chrono::steady_clock::now() + delay;
}
base::MonotonicTime Soon() { return In(std::chrono::minutes(1)); }

// Blocks in Collect until the test opens the gate, and counts. Thread-safe.
class GatedExporter final : public Exporter {
 public:
  struct State {
    base::Mutex mutex;
    base::CondVar changed;
    int started GUARDED_BY(mutex) = 0;
    bool open GUARDED_BY(mutex) = false;
    bool fail = false;
  };
  explicit GatedExporter(std::shared_ptr<State> state) : state_(std::move(state)) {}

  base::Result<std::vector<model::MetricFamily>> Collect(const ScrapeRequest&) override {
    base::MutexLock lock(state_->mutex);
    const int run = ++state_->started;
    state_->changed.NotifyAll();
    while (!state_->open) {
      state_->changed.Wait(state_->mutex);
    }
    if (state_->fail) {
      return base::Error("missing collector: x", base::ErrorKind::kInvalidArgument);
    }
    std::vector<model::MetricFamily> families;
    families.push_back({.desc = &kRun});
    families[0].Add(run);
    families[0].metrics[0].histogram = std::make_unique<model::Histogram>();
    return families;
  }

 private:
  const std::shared_ptr<State> state_;
};

class CoalescingExporterTest : public testing::Test {
 protected:
  void WaitForStarts(int count) {
    base::MutexLock lock(state_->mutex);
    while (state_->started < count) {
      state_->changed.Wait(state_->mutex);
    }
  }
  void Open() {
    base::MutexLock lock(state_->mutex);
    state_->open = true;
    state_->changed.NotifyAll();
  }
  int Starts() {
    base::MutexLock lock(state_->mutex);
    return state_->started;
  }
  auto Launch(ScrapeRequest request) {
    return std::async(std::launch::async, [this, request] { return exporter_.Collect(request); });
  }
  void WaitForWaiters(size_t count) {
    while (exporter_.waiting() < count) {
      std::this_thread::yield();
    }
  }

  std::shared_ptr<GatedExporter::State> state_ = std::make_shared<GatedExporter::State>();
  CoalescingExporter exporter_{std::make_unique<GatedExporter>(state_)};
};

TEST_F(CoalescingExporterTest, EqualScrapesShareOneCollection) {
  auto first = Launch({.deadline = Soon()});
  WaitForStarts(1);
  std::vector<std::future<base::Result<std::vector<model::MetricFamily>>>> others;
  for (int i = 0; i < 8; ++i) {
    others.push_back(Launch({.deadline = Soon()}));
  }
  WaitForWaiters(8);
  Open();
  EXPECT_EQ(first.get()->front().metrics[0].value, 1);
  for (auto& other : others) {
    const auto families = other.get();
    ASSERT_TRUE(families.ok());
    EXPECT_EQ(families->front().metrics[0].value, 1);
    EXPECT_NE(families->front().metrics[0].histogram, nullptr);
  }
  EXPECT_EQ(Starts(), 1);
  EXPECT_EQ(exporter_.waiting(), 0U);
}

TEST_F(CoalescingExporterTest, OtherFiltersRunOnTheirOwn) {
  auto one = Launch({.deadline = Soon(), .collect = {"a", "b"}});
  auto two = Launch({.deadline = Soon(), .exclude = {"a", "b"}});
  auto three = Launch({.deadline = Soon()});
  WaitForStarts(3);
  Open();
  EXPECT_TRUE(one.get().ok() && two.get().ok() && three.get().ok());
}

TEST_F(CoalescingExporterTest, OrderOfNamesDoesNotMatter) {
  auto one = Launch({.deadline = Soon(), .collect = {"a", "b"}});
  WaitForStarts(1);
  auto two = Launch({.deadline = Soon(), .collect = {"b", "a"}});
  WaitForWaiters(1);
  Open();
  EXPECT_TRUE(one.get().ok() && two.get().ok());
  EXPECT_EQ(Starts(), 1);
}

TEST_F(CoalescingExporterTest, ScrapesAfterEachOtherCollectAnew) {
  Open();
  EXPECT_EQ(exporter_.Collect({.deadline = Soon()})->front().metrics[0].value, 1);
  EXPECT_EQ(exporter_.Collect({.deadline = Soon()})->front().metrics[0].value, 2);
}

TEST_F(CoalescingExporterTest, WaitingEndsAtTheDeadline) {
  auto first = Launch({.deadline = Soon()});
  WaitForStarts(1);
  const auto late = exporter_.Collect({.deadline = In(std::chrono::milliseconds(5))});
  ASSERT_FALSE(late.ok());
  EXPECT_EQ(late.error().kind(), base::ErrorKind::kDeadlineExceeded);
  Open();
  EXPECT_TRUE(first.get().ok());
}

TEST_F(CoalescingExporterTest, ErrorsAreShared) {
  state_->fail = true;
  auto first = Launch({.deadline = Soon()});
  WaitForStarts(1);
  auto second = Launch({.deadline = Soon()});
  WaitForWaiters(1);
  Open();
  EXPECT_EQ(first.get().error().message(), "missing collector: x");
  EXPECT_EQ(second.get().error().message(), "missing collector: x");
}

}  // namespace
}  // namespace exporters
