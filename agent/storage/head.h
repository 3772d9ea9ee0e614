// The recent samples of every series, in memory, compressed.
//
// A series holds full chunks, which never change, and one open chunk. Select copies the references
// to the full chunks and the bytes of the open one under the lock, and decodes without it; so a
// query sees all of a batch or nothing of it, and writers wait for the copying only.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <unordered_map>
#include <utility>
#include <vector>

#include "agent/storage/appender.h"
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
};

// For /metrics.
struct HeadStats {
  size_t series = 0;
  size_t chunks = 0;
  size_t samples = 0;       // Held now.
  size_t sample_bytes = 0;  // Compressed, as allocated.
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
  uint64_t series_refused = 0;  // By max_series.
};

// Thread-safe. Must outlive its appenders; queriers may outlive it.
class Head final : public Appendable, public Queryable {
 public:
  Head(HeadOptions options, const base::Clock& clock);

  std::unique_ptr<Appender> NewAppender() override;
  std::unique_ptr<Querier> NewQuerier() const override;

  // Drops the chunks that end before `before_ms` and the series left without any. Commit calls it
  // as time goes by; tests call it directly.
  void Truncate(int64_t before_ms);

  HeadStats Stats() const;

 private:
  class BatchAppender;
  class HeadQuerier;

  using Batch = std::vector<std::pair<MemSeries*, model::Sample>>;
  // The series of a sample, held until the batch is applied or discarded.
  base::Result<MemSeries*> Reserve(const model::Labels& labels, model::Sample sample);
  base::Result<MemSeries*> Reserve(SeriesRef ref, model::Sample sample);
  void Apply(const Batch& batch);
  void Discard(const Batch& batch);

  base::Result<MemSeries*> CreateLocked(const model::Labels& labels) REQUIRES_LOCK(mutex_);
  base::Result<void> CheckTimeLocked(model::Sample sample) REQUIRES_LOCK(mutex_);
  base::Result<void> CheckLocked(const MemSeries& series, model::Sample sample)
      REQUIRES_LOCK(mutex_);
  void AppendLocked(MemSeries& series, model::Sample sample) REQUIRES_LOCK(mutex_);
  void TruncateLocked(int64_t before_ms) REQUIRES_LOCK(mutex_);
  void RemoveLocked(const std::vector<MemSeries*>& dead) REQUIRES_LOCK(mutex_);

  const HeadOptions options_;
  const base::Clock& clock_;

  mutable base::Mutex mutex_;
  std::unordered_map<SeriesId, MemSeries> series_ GUARDED_BY(mutex_);
  SeriesTable by_labels_ GUARDED_BY(mutex_);
  LabelIndex index_ GUARDED_BY(mutex_);
  HeadStats stats_ GUARDED_BY(mutex_);  // The totals.
  SeriesRef last_ref_ GUARDED_BY(mutex_) = 0;
  int64_t next_truncation_ms_ GUARDED_BY(mutex_) = 0;
};

}  // namespace storage
