// The recent samples of every series, in memory, compressed; and a view of the older ones in the
// state file, if there is one (store.h).
//
// A series holds full chunks, which never change, and one open chunk. Select copies the references
// to the full chunks and the bytes of the open one under the lock, and decodes without it; so a
// query sees all of a batch or nothing of it, and writers wait for the copying only.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <unordered_map>
#include <utility>
#include <vector>

#include "agent/storage/appender.h"
#include "agent/storage/blocks.h"
#include "agent/storage/journal.h"
#include "agent/storage/label_index.h"
#include "agent/storage/mem_series.h"
#include "agent/storage/querier.h"
#include "agent/storage/series_table.h"
#include "lib/base/clock.h"
#include "lib/base/mutex.h"

namespace storage {

struct HeadOptions {
  // Older samples are dropped, chunk by chunk, and refused on arrival. 0 keeps everything and
  // accepts any time.
  std::chrono::milliseconds retention{2 * 60 * 60 * 1000};
  // Later samples are refused, so that one wrong clock cannot block a series until then.
  std::chrono::milliseconds max_future{10 * 60 * 1000};
  size_t max_series = 2'000'000;
  // Compressed bytes that one Select may read from the state file.
  size_t max_select_bytes = kMaxSelectBytes;
  // With a state file: where commits are written down, and where older chunks are. They must
  // outlive the head. Its owner then moves full chunks to the file and calls Truncate.
  Journal* journal = nullptr;
  const BlockSource* blocks = nullptr;
};

// What the state file lacks of one series, as of one moment.
struct CapturedSeries {
  SeriesRef ref = 0;
  int64_t first_time_ms = 0;
  int64_t last_time_ms = 0;
  std::optional<LabelSet> labels;  // When the file may not know them.
  std::vector<FullChunk> full;
  FullChunk open;     // count 0 when there is none.
  bool idle = false;  // The open chunk will not grow: it counts as full.
};

// Samples of a series that are in the state file now.
struct StoredSeries {
  SeriesRef ref = 0;
  int64_t up_to_ms = 0;
};

// For /metrics.
struct HeadStats {
  size_t series = 0;
  size_t chunks = 0;
  size_t samples = 0;       // Held now.
  size_t sample_bytes = 0;  // Compressed, as allocated.
  size_t full_bytes = 0;    // Of these, in full chunks.
  size_t index_bytes = 0;   // Labels, postings and the series themselves.
  int64_t min_time_ms = 0;  // Of the samples held; 0 when there are none.
  int64_t max_time_ms = 0;
  // Totals since the start.
  uint64_t samples_appended = 0;
  uint64_t samples_out_of_order = 0;
  uint64_t samples_duplicate = 0;  // Another value at a time that has one.
  uint64_t samples_too_old = 0;
  uint64_t samples_too_new = 0;
  uint64_t series_created = 0;
  uint64_t series_removed = 0;
  uint64_t series_refused = 0;  // By max_series or RefuseSeries.
  uint64_t samples_shed = 0;    // By Shed.
};

// Thread-safe. Must outlive its appenders; queriers may outlive it.
class Head final : public Appendable, public Queryable {
 public:
  Head(HeadOptions options, const base::Clock& clock);

  std::unique_ptr<Appender> NewAppender() override;
  std::unique_ptr<Querier> NewQuerier() const override;

  // Drops the chunks that end before `before_ms` and the series left without any, and returns
  // those. Without a state file Commit calls it as time goes by.
  std::vector<SeriesRef> Truncate(int64_t before_ms);

  HeadStats Stats() const;

  // For the state file, in this order at start: what an earlier run knew.
  void RestoreRefs(size_t series, SeriesRef last_ref);
  void Restore(SeriesRef ref, const model::Labels& labels, int64_t first_ms,
               std::optional<int64_t> last_ms);
  // False when the series is unknown or the chunk damaged.
  bool RestoreOpen(SeriesRef ref, const FullChunk& chunk);
  // Samples that the head has already are passed over; returns how many were of unknown series.
  size_t Replay(std::span<const JournalSample> samples);
  // Series of which neither an open chunk nor the last time was found may have samples until then.
  void FinishRestore(int64_t last_ms);
  void SetBlocks(std::shared_ptr<const BlockList> blocks);

  // Then, now and again. Ascending.
  std::vector<SeriesRef> Refs() const;
  // Open chunks whose last sample is older than `idle_before_ms` are taken for full.
  std::vector<CapturedSeries> Capture(std::span<const SeriesRef> refs,
                                      int64_t idle_before_ms) const;
  // Takes out of memory what `blocks` holds now, in one step for queries.
  void Publish(std::span<const StoredSeries> stored, std::shared_ptr<const BlockList> blocks);
  void MarkStored(std::span<const SeriesRef> refs);
  std::shared_ptr<const BlockList> blocks() const;
  // Of full chunks that are not in the state file.
  size_t full_bytes() const;
  // Sheds full chunks that are in no file, the oldest first, until at most `max_bytes` are left.
  void Shed(size_t max_bytes);
  // Whether new series are refused; known ones go on.
  void RefuseSeries(bool refuse);

 private:
  class BatchAppender;
  class HeadQuerier;

  using Batch = std::vector<std::pair<MemSeries*, model::Sample>>;
  // The series of a sample, held until the batch is applied or discarded.
  base::Result<MemSeries*> Reserve(const model::Labels& labels, model::Sample sample,
                                   int64_t now_ms);
  base::Result<MemSeries*> Reserve(SeriesRef ref, model::Sample sample, int64_t now_ms);
  void Apply(const Batch& batch);
  void Discard(const Batch& batch);

  base::Result<MemSeries*> CreateLocked(const model::Labels& labels) REQUIRES_LOCK(mutex_);
  MemSeries& InsertLocked(SeriesRef ref, const model::Labels& labels) REQUIRES_LOCK(mutex_);
  MemSeries* FindLocked(SeriesRef ref) REQUIRES_LOCK(mutex_);
  const MemSeries* FindLocked(SeriesRef ref) const REQUIRES_LOCK(mutex_);
  base::Result<void> CheckTimeLocked(model::Sample sample, int64_t now_ms) REQUIRES_LOCK(mutex_);
  base::Result<void> CheckLocked(const MemSeries& series, model::Sample sample, int64_t now_ms)
      REQUIRES_LOCK(mutex_);
  bool AppendLocked(MemSeries& series, model::Sample sample) REQUIRES_LOCK(mutex_);
  bool IsAhead(const MemSeries& series, int64_t now_ms) const;
  std::vector<SeriesRef> TruncateLocked(int64_t before_ms) REQUIRES_LOCK(mutex_);
  void RemoveLocked(const std::vector<MemSeries*>& dead) REQUIRES_LOCK(mutex_);

  const HeadOptions options_;
  const base::Clock& clock_;

  mutable base::Mutex mutex_;
  std::unordered_map<SeriesId, MemSeries> series_ GUARDED_BY(mutex_);
  SeriesTable by_labels_ GUARDED_BY(mutex_);
  LabelIndex index_ GUARDED_BY(mutex_);
  HeadStats stats_ GUARDED_BY(mutex_);  // The totals.
  std::shared_ptr<const BlockList> blocks_ GUARDED_BY(mutex_);
  size_t full_bytes_ GUARDED_BY(mutex_) = 0;  // Kept with a journal only.
  bool refuse_series_ GUARDED_BY(mutex_) = false;
  SeriesRef last_ref_ GUARDED_BY(mutex_) = 0;
  int64_t next_truncation_ms_ GUARDED_BY(mutex_) = 0;
};

}  // namespace storage
