// One series of the head: labels and chunks.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "agent/storage/appender.h"
#include "agent/storage/chunk.h"
#include "agent/storage/label_index.h"
#include "lib/model/sample.h"

namespace storage {

// A chunk that is complete. Immutable, cheap to copy.
struct FullChunk {
  int64_t min_time_ms = 0;
  int64_t max_time_ms = 0;
  std::shared_ptr<const uint8_t[]> bytes;
  uint32_t size = 0;
  uint16_t count = 0;

  std::span<const uint8_t> data() const { return {bytes.get(), size}; }
};

// Thread-compatible.
class MemSeries {
 public:
  MemSeries(SeriesRef ref, uint64_t hash, LabelSet labels)
      : labels_(std::move(labels)), ref_(ref), hash_(hash) {}

  SeriesRef ref() const { return ref_; }
  uint64_t hash() const { return hash_; }
  const LabelSet& labels() const { return labels_; }

  // No sample in memory; others may be in the state file.
  bool empty() const { return full_.empty() && open_.count() == 0; }
  int64_t min_time_ms() const;
  int64_t max_time_ms() const { return last_.timestamp_ms; }
  // Of the first sample ever.
  int64_t first_time_ms() const { return first_time_ms_; }
  bool has_last() const { return last_.timestamp_ms != kNever; }
  model::Sample last() const { return last_; }

  // In time order. A chunk is closed when it is full or spans `max_chunk_span_ms`.
  void Append(model::Sample sample, int64_t max_chunk_span_ms);
  // Drops the chunks that end before.
  void Truncate(int64_t before_ms);
  // Drops every sample from then on, as if it had never come.
  void DropFrom(int64_t from_ms);

  // For the state file. What an earlier run knew: between first and last there were samples.
  void Restore(int64_t first_ms, std::optional<int64_t> last_ms);
  // The open chunk of an earlier run; false when its bytes are not those of one.
  bool RestoreOpen(const FullChunk& chunk);
  // Full chunks, which the state file lacks.
  const std::vector<FullChunk>& full() const { return full_; }
  FullChunk CopyOpen() const;
  // Drops the full chunks that end by then; DropStored the open one too, since the state file has
  // them.
  void DropFull(int64_t up_to_ms);
  void DropStored(int64_t up_to_ms);
  // The chunks that touch the range, the open one as a copy.
  std::vector<FullChunk> Snapshot(int64_t start_ms, int64_t end_ms) const;

  size_t chunks() const { return full_.size() + (open_.count() > 0 ? 1 : 0); }
  size_t samples() const;
  size_t SampleBytes() const;
  size_t IndexBytes() const { return sizeof(*this) + labels_.MemoryBytes(); }

  // Appenders that hold a pointer to this series.
  uint32_t pending = 0;
  // The state file knows the labels.
  bool stored = false;

 private:
  static constexpr int64_t kNever = std::numeric_limits<int64_t>::min();

  LabelSet labels_;
  std::vector<FullChunk> full_;
  ChunkWriter open_;
  int64_t open_min_time_ms_ = 0;
  int64_t first_time_ms_ = kNever;
  model::Sample last_{.timestamp_ms = kNever};
  SeriesRef ref_;
  uint64_t hash_;
};

}  // namespace storage
