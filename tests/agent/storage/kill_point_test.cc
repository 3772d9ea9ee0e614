// A process that appends is killed wherever it happens to be; what it had written down must be
// there, once and in order. TARSIER_KILL_POINTS=5000 makes it a long run.
#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <random>
#include <string>

#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent/state/state_file.h"
#include "agent/storage/store.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/base/strings.h"
#include "tests/agent/state/temp_directory.h"

namespace storage {
namespace {

constexpr int kDefaultKillPoints = 8;
constexpr int kSeries = 20;
constexpr int64_t kStepMs = 15'000;
constexpr int64_t kFirstMs = 1'700'000'000'000;
// What the child does between two commits, in steps.
constexpr int64_t kSyncEvery = 3;
constexpr int64_t kCheckpointEvery = 25;
constexpr int64_t kRetentionEvery = 90;
constexpr StoreOptions kOptions{.retention = std::chrono::hours(24), .background = false};

// Shared by the processes; steps count from 1.
struct Progress {
  std::atomic<int64_t> begun;
  std::atomic<int64_t> written;  // Sync returned.
};

int64_t TimeOf(int64_t step) { return kFirstMs + step * kStepMs; }
double ValueOf(int series, int64_t step) { return static_cast<double>(step * 10 + series); }

class KillPointTest : public testing::Test {
 protected:
  KillPointTest()
      : progress_(static_cast<Progress*>(mmap(nullptr, sizeof(Progress), PROT_READ | PROT_WRITE,
                                              MAP_SHARED | MAP_ANONYMOUS, -1, 0))) {}
  ~KillPointTest() override { munmap(progress_, sizeof(Progress)); }
  KillPointTest(const KillPointTest&) = delete;
  KillPointTest& operator=(const KillPointTest&) = delete;

  // In the child, for ever.
  [[noreturn]] void AppendFrom(int64_t step) {
    base::FakeClock clock(base::FromMillis(TimeOf(step)));
    const auto file = state::StateFile::Open(directory_.path(), clock, logger_);
    const auto store = file.ok() ? Store::Open(kOptions, &*file, clock, logger_)
                                 : base::Result<std::unique_ptr<Store>>(file.error());
    if (!store.ok()) {
      _exit(1);
    }
    for (;; ++step) {
      progress_->begun = step;
      const auto appender = (*store)->NewAppender();
      for (int i = 0; i < kSeries; ++i) {
        const model::Labels labels{{"__name__", "m"}, {"i", std::to_string(i)}};
        if (!appender->Append(labels, TimeOf(step), ValueOf(i, step)).ok()) {
          _exit(2);
        }
      }
      static_cast<void>(appender->Commit().ok());
      if (step % kSyncEvery == 0) {
        (*store)->Sync();
        progress_->written = step;
      }
      if (step % kCheckpointEvery == 0) {
        (*store)->Checkpoint();
      }
      if (step % kRetentionEvery == 0) {
        (*store)->ApplyRetention();
      }
      clock.Advance(std::chrono::milliseconds(kStepMs));
    }
  }

  // Kills the child once it has begun `step`; true when it lived that long.
  bool RunUntil(int64_t first, int64_t step) {
    progress_->begun = 0;
    const pid_t child = fork();
    if (child == 0) {
      AppendFrom(first);
    }
    int status = 0;
    bool ended = false;
    while (!ended && progress_->begun < step) {
      poll(nullptr, 0, 1);
      ended = waitpid(child, &status, WNOHANG) == child;
    }
    if (!ended) {
      kill(child, SIGKILL);
      waitpid(child, &status, 0);
    }
    return !ended && WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
  }

  // The last step in the file, after a check of every sample.
  int64_t CheckFile() {
    const base::FakeClock clock(base::FromMillis(TimeOf(progress_->begun)));
    const auto file = state::StateFile::Open(directory_.path(), clock, logger_);
    EXPECT_TRUE(file.ok()) << file.error().message();
    const auto store = Store::Open(kOptions, &*file, clock, logger_);
    EXPECT_TRUE(store.ok()) << store.error().message();
    EXPECT_EQ((*store)->Stats().damaged_records, 0U);
    const auto querier = (*store)->NewQuerier();
    const auto selected = querier->Select({}, {0, INT64_MAX});
    EXPECT_TRUE(selected.ok());
    int64_t last = 0;
    for (const auto& series : *selected) {
      const int i = std::stoi(std::string(series->labels().Get("i")));
      const auto cursor = series->Samples();
      int64_t step = 0;
      for (model::Sample sample; cursor->Next(&sample);) {
        const int64_t found = (sample.timestamp_ms - kFirstMs) / kStepMs;
        EXPECT_TRUE(step == 0 || found == step + 1)
            << "series " << i << ": step " << found << " after " << step;
        EXPECT_EQ(sample.value, ValueOf(i, found));
        step = found;
      }
      EXPECT_TRUE(last == 0 || step == last) << "series " << i << " ends at another step";
      last = step;
    }
    EXPECT_GE(last, progress_->written);
    EXPECT_LE(last, progress_->begun);
    return last;
  }

  state::TempDirectory directory_;
  base::Logger logger_{base::LogLevel::kError};
  Progress* const progress_;
};

TEST_F(KillPointTest, LosesNothingThatWasWrittenDown) {
  const int points = std::atoi(
      base::GetEnv("TARSIER_KILL_POINTS").value_or(std::to_string(kDefaultKillPoints)).c_str());
  std::mt19937_64 random(17);
  int64_t last = 0;
  for (int point = 0; point < points && !HasFailure(); ++point) {
    const auto steps = static_cast<int64_t>(random() % 120);
    ASSERT_TRUE(RunUntil(last + 1, last + 1 + steps)) << "the child ended by itself";
    last = CheckFile();
  }
  RecordProperty("steps", std::to_string(last));
}

}  // namespace
}  // namespace storage
