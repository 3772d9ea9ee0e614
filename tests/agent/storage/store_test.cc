// The store with a state file: what outlives it, what retention removes, what a full disk costs.
#include "agent/storage/store.h"

#include <chrono>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>

#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "tests/agent/state/temp_directory.h"

namespace storage {
namespace {

using model::Labels;
using std::chrono::hours;
using std::chrono::minutes;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

constexpr std::chrono::seconds kInterval{15};

class StoreTest : public testing::Test {
 protected:
  void SetUp() override { Open(); }

  // What happens at a start.
  void Open() {
    auto file = state::StateFile::Open(directory_.path(), clock_, logger_);
    ASSERT_TRUE(file.ok()) << file.error().message();
    file_.emplace(std::move(*file));
    auto store = Store::Open(options_, &*file_, clock_, logger_);
    ASSERT_TRUE(store.ok()) << store.error().message();
    store_ = std::move(*store);
  }
  // A kill: whatever was not written is lost.
  void Kill() {
    store_.reset();
    file_.reset();
  }
  void Restart() {
    Kill();
    Open();
  }

  // `steps` scrapes of `series` series, each value telling its series and its time.
  void Scrape(int series, int steps) {
    for (int step = 0; step < steps; ++step) {
      clock_.Advance(kInterval);
      const auto appender = store_->NewAppender();
      for (int i = 0; i < series; ++i) {
        ASSERT_TRUE(appender->Append(SeriesLabels(i), Now(), ValueOf(i, Now())).ok());
      }
      ASSERT_TRUE(appender->Commit().ok());
      committed_.push_back(Now());
    }
  }
  static Labels SeriesLabels(int i) {
    return {{"__name__", "m"}, {"i", std::to_string(i)}, {"job", "test"}};
  }
  static double ValueOf(int i, int64_t time_ms) {
    return static_cast<double>(time_ms / 1000 % 100'000) + 1000.0 * i;
  }
  int64_t Now() const { return base::ToMillis(clock_.Now()); }

  // The times of every series, after a check of values and order.
  std::vector<std::vector<int64_t>> Read(TimeRange range = {0, INT64_MAX}) const {
    std::vector<std::vector<int64_t>> times;
    const auto querier = store_->NewQuerier();
    const std::vector<model::Matcher> matchers{model::Matcher::Equal("job", "test")};
    const auto selected = querier->Select(matchers, range);
    EXPECT_TRUE(selected.ok());
    if (!selected.ok()) {
      return times;
    }
    for (const auto& series : *selected) {
      const int i = std::stoi(std::string(series->labels().Get("i")));
      times.emplace_back();
      const auto cursor = series->Samples();
      for (model::Sample sample; cursor->Next(&sample);) {
        EXPECT_EQ(sample.value, ValueOf(i, sample.timestamp_ms));
        EXPECT_TRUE(times.back().empty() || times.back().back() < sample.timestamp_ms);
        times.back().push_back(sample.timestamp_ms);
      }
    }
    return times;
  }
  void ExpectAll(size_t series) const {
    const auto times = Read();
    ASSERT_THAT(times, SizeIs(series));
    for (const auto& one : times) {
      EXPECT_EQ(one, committed_);
    }
  }

  state::TempDirectory directory_;
  base::FakeClock clock_;
  std::vector<std::string> lines_;
  base::Logger logger_{base::LogLevel::kInfo, base::LogFormat::kLogfmt,
                       [this](std::string_view line) { lines_.emplace_back(line); }};
  StoreOptions options_{.background = false};
  std::vector<int64_t> committed_;
  std::optional<state::StateFile> file_;
  std::unique_ptr<Store> store_;
};

TEST_F(StoreTest, ForgetsWhatWasNotWrittenDown) {
  Scrape(3, 2);
  Restart();
  EXPECT_THAT(Read(), IsEmpty());
}

TEST_F(StoreTest, KeepsWhatIsInTheJournal) {
  Scrape(3, 2);
  store_->Sync();
  Scrape(3, 2);
  store_->Sync();
  Restart();
  ExpectAll(3);
  EXPECT_EQ(store_->Stats().loaded.journal_samples, 12U);
}

TEST_F(StoreTest, KeepsOpenChunksThroughACheckpoint) {
  Scrape(3, 50);
  store_->Sync();
  store_->Checkpoint();
  Restart();
  ExpectAll(3);
  EXPECT_EQ(store_->Stats().loaded.journal_samples, 0U);
  EXPECT_EQ(store_->Stats().loaded.open_chunks, 3U);
  EXPECT_EQ(store_->Stats().blocks, 0U);
}

TEST_F(StoreTest, MovesFullChunksFromMemoryToTheFile) {
  Scrape(3, 500);
  store_->Checkpoint();
  EXPECT_EQ(store_->Stats().block_chunks, 12U);
  EXPECT_EQ(store_->Stats().head.samples, 3U * 20);
  ExpectAll(3);
  Restart();
  ExpectAll(3);
  EXPECT_EQ(store_->Stats().head.samples, 3U * 20);
}

TEST_F(StoreTest, GoesOnWithTheSameSeriesAfterARestart) {
  for (int round = 0; round < 6; ++round) {
    Scrape(4, 70);
    store_->Sync();
    if (round % 2 == 0) {
      store_->Checkpoint();
    }
    Restart();
    ExpectAll(4);
  }
  EXPECT_EQ(store_->Stats().head.series, 4U);
  EXPECT_EQ(store_->Stats().damaged_records, 0U);
}

TEST_F(StoreTest, ServesNothingTwiceWhenTheJournalRepeatsACheckpoint) {
  Scrape(3, 130);
  store_->Checkpoint();  // What the queue holds is in the checkpoint too.
  store_->Sync();
  ExpectAll(3);
  Restart();
  ExpectAll(3);
}

TEST_F(StoreTest, ReadsOnlyTheRangeThatIsAskedFor) {
  Scrape(2, 300);
  store_->Checkpoint();
  const TimeRange range{committed_[100], committed_[260]};
  const std::vector<int64_t> wanted(committed_.begin() + 100, committed_.begin() + 261);
  EXPECT_THAT(Read(range), ElementsAre(wanted, wanted));
}

TEST_F(StoreTest, NeverReusesTheReferenceOfASeriesThatIsGone) {
  auto appender = store_->NewAppender();
  const SeriesRef first = *appender->Append(SeriesLabels(0), Now(), 1);
  ASSERT_TRUE(appender->Commit().ok());
  store_->Sync();
  clock_.Advance(hours(24 * 9));
  store_->Checkpoint();
  store_->ApplyRetention();
  EXPECT_EQ(store_->Stats().head.series, 0U);
  appender.reset();
  Restart();
  appender = store_->NewAppender();
  EXPECT_GT(*appender->Append(SeriesLabels(1), Now(), 1), first);
}

TEST_F(StoreTest, ClosesTheChunkOfASeriesThatCeased) {
  Scrape(2, 10);
  clock_.Advance(minutes(61));
  store_->Checkpoint();
  EXPECT_EQ(store_->Stats().head.samples, 0U);
  EXPECT_EQ(store_->Stats().block_samples, 20U);
  ExpectAll(2);
  Restart();
  ExpectAll(2);
  Scrape(2, 10);
  store_->Sync();
  Restart();
  ExpectAll(2);
}

TEST_F(StoreTest, RemovesWhatIsOlderThanTheRetention) {
  for (int round = 0; round < 4; ++round) {
    Scrape(2, 120);
    store_->Checkpoint();
  }
  clock_.Advance(hours(24 * 7) - hours(1));
  Scrape(2, 1);
  store_->Checkpoint();
  store_->ApplyRetention();
  const auto times = Read();
  ASSERT_THAT(times, SizeIs(2));
  EXPECT_LT(times[0].size(), 362U);
  EXPECT_GT(times[0].size(), 200U);
  EXPECT_EQ(times[0].back(), Now());
  EXPECT_EQ(store_->Stats().time_retentions, 1U);
}

TEST_F(StoreTest, RemovesTheOldestWhenTheFileIsTooLarge) {
  options_.retention_bytes = 500'000;
  Restart();
  for (int round = 0; round < 30; ++round) {
    Scrape(100, 120);
    store_->Checkpoint();
    store_->ApplyRetention();
  }
  EXPECT_GT(store_->Stats().size_retentions, 0U);
  EXPECT_LT(store_->Stats().block_bytes, 500'000U);
  EXPECT_GT(store_->Stats().block_bytes, 200'000U);
  EXPECT_LT(file_->Bytes(), 1'500'000U + (4U << 20));
  const auto times = Read();
  ASSERT_THAT(times, SizeIs(100));
  for (const auto& one : times) {
    EXPECT_EQ(one.back(), committed_.back());
    EXPECT_TRUE(std::equal(one.rbegin(), one.rend(), committed_.rbegin()));  // No gap.
  }
}

TEST_F(StoreTest, RemovesNothingWhenTheClockJumpsAheadForAWhile) {
  Scrape(2, 200);
  store_->Checkpoint();
  clock_.JumpWall(hours(24 * 365));
  store_->ApplyRetention();
  clock_.Advance(minutes(30));
  store_->ApplyRetention();
  clock_.JumpWall(-hours(24 * 365));
  store_->ApplyRetention();
  ExpectAll(2);
}

TEST_F(StoreTest, BelievesAClockThatStays) {
  Scrape(2, 200);
  store_->Checkpoint();
  clock_.JumpWall(hours(24 * 365));
  store_->ApplyRetention();
  clock_.Advance(kClockSettling);
  store_->ApplyRetention();
  EXPECT_THAT(Read(), IsEmpty());
}

TEST_F(StoreTest, TakesSamplesAgainWhenAClockThatWasAheadIsSetBack) {
  Scrape(2, 10);
  clock_.JumpWall(hours(24 * 365));
  Scrape(2, 10);
  clock_.JumpWall(-hours(24 * 365));
  committed_.resize(10);
  Scrape(2, 10);
  ExpectAll(2);
  store_->Sync();
  Restart();
  for (const auto& one : Read({0, Now()})) {
    EXPECT_EQ(std::vector<int64_t>(one.begin(), one.begin() + 10),
              std::vector<int64_t>(committed_.begin(), committed_.begin() + 10));
  }
}

TEST_F(StoreTest, QueuesABoundedNumberOfSamples) {
  constexpr int kSeries = 1000;
  const int steps = static_cast<int>(kMaxQueuedSamples / kSeries) + 5;
  std::vector<SeriesRef> refs;
  for (int step = 0; step < steps; ++step) {
    clock_.Advance(kInterval);
    const auto appender = store_->NewAppender();
    for (int i = 0; i < kSeries; ++i) {
      if (step == 0) {
        refs.push_back(*appender->Append(SeriesLabels(i), Now(), ValueOf(i, Now())));
      } else {
        ASSERT_TRUE(appender->Append(refs[static_cast<size_t>(i)], Now(), ValueOf(i, Now())).ok());
      }
    }
    ASSERT_TRUE(appender->Commit().ok());
    committed_.push_back(Now());
  }
  EXPECT_EQ(store_->Stats().queued_samples, kMaxQueuedSamples);
  EXPECT_EQ(store_->Stats().unjournaled_samples, 5U * kSeries);
  store_->Checkpoint();  // Holds what the queue could not take.
  Restart();
  ExpectAll(kSeries);
}

// Writes beyond the limit fail as they do on a full disk; SQLite reports an I/O error.
class FileSizeLimit {
 public:
  explicit FileSizeLimit(uint64_t bytes) {
    signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &before_);
    const rlimit limit{bytes, before_.rlim_max};
    setrlimit(RLIMIT_FSIZE, &limit);
  }
  ~FileSizeLimit() { setrlimit(RLIMIT_FSIZE, &before_); }
  FileSizeLimit(const FileSizeLimit&) = delete;
  FileSizeLimit& operator=(const FileSizeLimit&) = delete;

 private:
  rlimit before_{};
};

TEST_F(StoreTest, GoesOnInMemoryWhileTheDiskIsFull) {
  Scrape(50, 10);
  store_->Sync();
  store_->Checkpoint();
  {
    const FileSizeLimit limit(4096);
    for (int round = 0; round < 10; ++round) {
      Scrape(50, 50);
      store_->Sync();
      store_->Checkpoint();
      store_->ApplyRetention();
    }
    EXPECT_TRUE(store_->Stats().degraded);
    ExpectAll(50);
    EXPECT_THAT(lines_, ElementsAre(HasSubstr("kept in memory only")));
  }
  store_->Checkpoint();
  EXPECT_FALSE(store_->Stats().degraded);
  EXPECT_THAT(lines_, ElementsAre(HasSubstr("kept in memory only"), HasSubstr("written again")));
  ExpectAll(50);
  Scrape(50, 3);
  store_->Sync();
  Restart();
  ExpectAll(50);
}

TEST_F(StoreTest, MovesFullChunksEarlyWhenMemoryIsNearItsLimit) {
  Scrape(50, 250);
  store_->Sync();
  options_.memory_limit = store_->Stats().memory_bytes + 1000;
  Restart();
  const size_t full = store_->Stats().head.full_bytes;
  store_->ApplyMemoryLimit();
  EXPECT_GT(full, 0U);
  EXPECT_EQ(store_->Stats().head.full_bytes, 0U);
  EXPECT_EQ(store_->Stats().head.samples_shed, 0U);
  EXPECT_EQ(store_->Stats().head.samples + store_->Stats().block_samples, 50U * 250);
}

TEST_F(StoreTest, RefusesNewSeriesWhenMemoryIsUsedUpAndKeepsKnownOnes) {
  options_.memory_limit = 1000;
  Restart();
  Scrape(50, 1);
  store_->ApplyMemoryLimit();
  const auto appender = store_->NewAppender();
  const auto refused = appender->Append(SeriesLabels(50), Now() + 1, 1);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().kind(), base::ErrorKind::kResourceExhausted);
  EXPECT_THAT(refused.error().message(), HasSubstr("memory limit"));
  Scrape(50, 3);
  ExpectAll(50);
  EXPECT_EQ(store_->Stats().head.series_refused, 1U);
}

TEST_F(StoreTest, BoundsWhatAQueryReadsFromTheFile) {
  Scrape(50, 250);
  store_->Checkpoint();
  options_.memory_limit = 4000;
  Restart();
  const auto querier = store_->NewQuerier();
  const auto refused = querier->Select({}, {0, INT64_MAX});
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().kind(), base::ErrorKind::kResourceExhausted);
  EXPECT_THAT(querier->SelectLabels({}, {0, INT64_MAX}).value(), SizeIs(50));
}

TEST(MemoryStore, ShedsTheOldestSamplesWhenMemoryIsUsedUp) {
  base::FakeClock clock;
  const base::Logger logger;
  const auto fill = [&clock](Store& store) {
    for (int step = 0; step < 500; ++step) {
      clock.Advance(kInterval);
      const auto appender = store.NewAppender();
      ASSERT_TRUE(appender->Append(Labels{{"a", "b"}}, base::ToMillis(clock.Now()), step).ok());
      ASSERT_TRUE(appender->Commit().ok());
    }
  };
  const auto roomy = Store::Open({.background = false}, nullptr, clock, logger);
  fill(**roomy);
  const StoreStats before = (*roomy)->Stats();
  const auto tight = Store::Open(
      {.memory_limit = before.memory_bytes - before.head.full_bytes / 2, .background = false},
      nullptr, clock, logger);
  fill(**tight);
  (*tight)->ApplyMemoryLimit();
  const StoreStats after = (*tight)->Stats();
  EXPECT_GT(after.head.samples_shed, 0U);
  EXPECT_LT(after.head.samples_shed, 480U);
  EXPECT_GE(after.head.samples, 20U);
  EXPECT_LE(after.memory_bytes, before.memory_bytes - before.head.full_bytes / 2);
  EXPECT_EQ(after.head.max_time_ms, base::ToMillis(clock.Now()));
}

TEST_F(StoreTest, PassesOverADamagedRecord) {
  Scrape(2, 5);
  store_->Sync();
  Scrape(2, 5);
  store_->Sync();
  {
    auto db = file_->Connect();
    ASSERT_TRUE(db->Execute("UPDATE storage_journal SET data = zeroblob(length(data)) "
                            "WHERE id = (SELECT min(id) FROM storage_journal)")
                    .ok());
  }
  Restart();
  EXPECT_EQ(store_->Stats().damaged_records, 1U);
  EXPECT_THAT(lines_, ElementsAre(HasSubstr("passed over")));
  EXPECT_THAT(Read(), ElementsAre(SizeIs(5), SizeIs(5)));
}

TEST_F(StoreTest, PassesOverADamagedBlock) {
  Scrape(2, 130);
  store_->Checkpoint();
  {
    auto db = file_->Connect();
    ASSERT_TRUE(db->Execute("UPDATE storage_block_data SET data = x'00'").ok());
  }
  EXPECT_THAT(Read(), ElementsAre(SizeIs(10), SizeIs(10)));
  EXPECT_EQ(store_->Stats().damaged_records, 1U);
}

TEST_F(StoreTest, WritesEverythingDownWhenItIsClosed) {
  options_.background = true;
  Restart();
  Scrape(3, 200);
  Restart();
  ExpectAll(3);
}

TEST(MemoryStore, KeepsNothing) {
  const base::FakeClock clock;
  const base::Logger logger;
  const auto store = Store::Open({}, nullptr, clock, logger);
  ASSERT_TRUE(store.ok());
  const auto appender = (*store)->NewAppender();
  ASSERT_TRUE(appender->Append(Labels{{"a", "b"}}, base::ToMillis(clock.Now()), 1).ok());
  ASSERT_TRUE(appender->Commit().ok());
  (*store)->Checkpoint();
  EXPECT_FALSE((*store)->Stats().durable);
  EXPECT_EQ((*store)->Stats().head.samples, 1U);
}

}  // namespace
}  // namespace storage
