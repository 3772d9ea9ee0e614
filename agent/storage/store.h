// The store of the agent: the head in memory and, if there is a state file, what makes it last.
//
// Commits go to the head and, as records, into a queue. A thread writes what is queued into the
// journal once a second, and every few minutes makes a checkpoint: full chunks become blocks and
// leave memory, open chunks are written as they are, the journal starts anew. So after kill -9 the
// last second is lost, and a start reads the names of the series, the open chunks and a few
// minutes of journal, never the blocks.
//
// When the file cannot be written, the head goes on alone; once a checkpoint works again, it holds
// everything that memory still has.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "agent/state/state_file.h"
#include "agent/storage/appender.h"
#include "agent/storage/head.h"
#include "agent/storage/querier.h"
#include "agent/storage/sample_file.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/base/mutex.h"
#include "lib/base/result.h"

namespace storage {

// Samples on their way to the journal: 10 s of a hundred thousand series, 24 MB. More are not
// journalled; the checkpoint that follows at once holds them.
inline constexpr size_t kMaxQueuedSamples = 1'000'000;
// How much a kill may cost.
inline constexpr std::chrono::seconds kJournalPeriod{1};
inline constexpr std::chrono::minutes kCheckpointPeriod{5};
// Full chunks in memory that make a checkpoint due earlier.
inline constexpr size_t kMaxFullBytes = 16 << 20;
// A series without samples for so long gives up its open chunk.
inline constexpr std::chrono::minutes kIdleSeries{60};
// How often a file that failed is tried again, and retention is applied.
inline constexpr std::chrono::seconds kRetryPeriod{5};
inline constexpr std::chrono::minutes kRetentionPeriod{1};
// How often memory is compared with its limit.
inline constexpr std::chrono::seconds kMemoryPeriod{5};
// A limit is near when three quarters of it are used. Queries get a quarter each at most.
inline constexpr uint64_t kMemoryShares = 4;
// Bytes of a block: big enough to cost little, small enough to read one for a single series.
inline constexpr size_t kBlockBytes = 16 << 10;
// A wall clock that jumped is believed after so long; until then nothing is removed by its word.
inline constexpr std::chrono::hours kClockSettling{1};

struct StoreOptions {
  // Removed by age or by size, whichever comes first. 0 is for ever, and any size.
  std::chrono::milliseconds retention{7LL * 24 * 60 * 60 * 1000};
  uint64_t retention_bytes = 1 << 30;
  size_t max_series = 2'000'000;
  // Memory of series, samples and queue; 0 is no limit. When it is near, full chunks go to the file
  // early; when it is reached, those that no file holds are dropped, the oldest first; when that is
  // not enough, new series are refused. Known series go on whatever happens.
  uint64_t memory_limit = 0;
  // Tests call Sync, Checkpoint and ApplyRetention themselves.
  bool background = true;
};

struct StoreStats {
  HeadStats head;
  bool durable = false;
  bool degraded = false;  // The file cannot be written now.
  size_t blocks = 0;
  uint64_t block_chunks = 0;
  uint64_t block_samples = 0;
  uint64_t block_bytes = 0;
  uint64_t file_bytes = 0;
  size_t queued_samples = 0;
  uint64_t memory_bytes = 0;  // What memory_limit bounds.
  uint64_t damaged_records = 0;
  LoadCounts loaded;
  double load_seconds = 0;
  // Totals since the start.
  uint64_t unjournaled_samples = 0;  // The queue was full, or the file could not be written.
  uint64_t journal_writes = 0;
  uint64_t checkpoints = 0;
  uint64_t write_failures = 0;
  uint64_t time_retentions = 0;  // Times that blocks were removed for their age.
  uint64_t size_retentions = 0;
};

// Thread-safe.
class Store final : public Appendable, public Queryable, private Journal {
 public:
  // `file` is null for a store in memory only. All must outlive it. Errors: the file cannot be
  // read; kInvalidArgument when it is damaged.
  static base::Result<std::unique_ptr<Store>> Open(StoreOptions options,
                                                   const state::StateFile* file,
                                                   const base::Clock& clock,
                                                   const base::Logger& logger);
  ~Store() override;  // Writes everything down.
  Store(const Store&) = delete;
  Store& operator=(const Store&) = delete;

  std::unique_ptr<Appender> NewAppender() override { return head_->NewAppender(); }
  std::unique_ptr<Querier> NewQuerier() const override { return head_->NewQuerier(); }

  StoreStats Stats() const;

  // What the thread does, for tests: all return at once without a file.
  void Sync();
  void Checkpoint();
  void ApplyRetention();
  void ApplyMemoryLimit();

 private:
  Store(StoreOptions options, const state::StateFile* file, const base::Clock& clock,
        const base::Logger& logger);

  void Push(JournalBatch batch) override;
  void StartThread();
  void Run();
  std::vector<JournalBatch> TakeQueue();
  void SyncLocked() REQUIRES_LOCK(write_mutex_);
  void CheckpointLocked() REQUIRES_LOCK(write_mutex_);
  base::Result<void> WriteCheckpoint() REQUIRES_LOCK(write_mutex_);
  void RetentionLocked() REQUIRES_LOCK(write_mutex_);
  void MemoryLocked() REQUIRES_LOCK(write_mutex_);
  base::Result<void> RemoveOld() REQUIRES_LOCK(write_mutex_);
  void NoteWritten() REQUIRES_LOCK(write_mutex_);
  void NoteFailure(const base::Error& error) REQUIRES_LOCK(write_mutex_);
  int64_t SettledNow() REQUIRES_LOCK(write_mutex_);

  const StoreOptions options_;
  const state::StateFile* const file_;
  const base::Clock& clock_;
  const base::Logger& logger_;
  std::unique_ptr<SampleFile> samples_;  // Null without a file.
  std::unique_ptr<Head> head_;

  mutable base::Mutex queue_mutex_;
  std::vector<JournalBatch> queue_ GUARDED_BY(queue_mutex_);
  size_t queued_samples_ GUARDED_BY(queue_mutex_) = 0;
  uint64_t unjournaled_samples_ GUARDED_BY(queue_mutex_) = 0;
  bool overflowed_ GUARDED_BY(queue_mutex_) = false;

  mutable base::Mutex write_mutex_;
  mutable base::Mutex stats_mutex_;
  StoreStats stats_ GUARDED_BY(stats_mutex_);  // What is counted here.
  bool degraded_ GUARDED_BY(write_mutex_) = false;
  base::MonotonicTime next_retry_ GUARDED_BY(write_mutex_);
  base::MonotonicTime next_checkpoint_ GUARDED_BY(write_mutex_);
  base::MonotonicTime next_retention_ GUARDED_BY(write_mutex_);
  base::MonotonicTime next_memory_ GUARDED_BY(write_mutex_);
  // Wall minus monotonic time as believed, as seen now, and since when that is seen.
  std::chrono::milliseconds believed_ GUARDED_BY(write_mutex_){0};
  std::chrono::milliseconds seen_ GUARDED_BY(write_mutex_){0};
  base::MonotonicTime seen_since_ GUARDED_BY(write_mutex_);

  base::StopSignal stop_;
  std::thread writer_;
};

}  // namespace storage
