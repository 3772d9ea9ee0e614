// The tables of samples in the state file.
//
//   series   what each reference means, the time of its first sample, and of its last one once it
//            has no open chunk
//   blocks   where and when the chunks of a block are (Block); their bytes are in block_data, so
//            that a start reads none of them
//   tails    the open chunks, as of the last checkpoint
//   journal  samples since then
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "agent/state/state_file.h"
#include "agent/storage/blocks.h"
#include "agent/storage/chunk_pack.h"
#include "agent/storage/head.h"
#include "agent/storage/journal.h"
#include "lib/base/mutex.h"
#include "lib/base/result.h"

namespace storage {

struct LoadCounts {
  size_t series = 0;
  size_t blocks = 0;
  size_t open_chunks = 0;
  size_t journal_samples = 0;
  size_t damaged = 0;  // Records that were passed over.
};

// Writing and loading: one thread at a time. Reading blocks: thread-safe.
class SampleFile final : public BlockSource {
 public:
  // `file` must outlive it.
  static base::Result<std::unique_ptr<SampleFile>> Open(const state::StateFile& file);

  base::Result<LoadCounts> Load(Head* head);

  // Each is one transaction.
  base::Result<void> AppendJournal(std::span<const JournalBatch> batches);
  base::Result<void> DeleteBlocks(std::span<const Block> blocks);
  base::Result<void> DeleteSeries(std::span<const SeriesRef> refs);

  // A checkpoint replaces journal and tails, and adds series and blocks, in one transaction.
  base::Result<state::Transaction> BeginCheckpoint();
  base::Result<void> AddSeries(SeriesRef ref, int64_t first_time_ms, const LabelSet& labels);
  base::Result<void> SetLastTime(SeriesRef ref, int64_t last_time_ms);
  base::Result<Block> AddBlock(std::span<const PackedChunk> chunks);
  base::Result<void> AddTails(std::span<const PackedChunk> chunks);
  // After the commit: what it wrote survives a power cut.
  base::Result<void> SyncToDisk();

  // Without free pages.
  base::Result<uint64_t> UsedBytes();
  // Gives free pages back to the file system when there are many.
  base::Result<void> Shrink();

  base::Result<std::vector<uint8_t>> ReadBlock(int64_t id) const override;
  void CountDamaged() const override { ++damaged_; }
  uint64_t damaged() const { return damaged_; }

 private:
  SampleFile(const state::StateFile& file, state::Database writer)
      : file_(file), writer_(std::move(writer)) {}
  base::Result<void> LoadSeries(Head* head, LoadCounts* counts);
  base::Result<void> LoadBlocks(Head* head, LoadCounts* counts);
  base::Result<void> LoadTails(Head* head, LoadCounts* counts);
  base::Result<void> LoadJournal(Head* head, LoadCounts* counts);

  const state::StateFile& file_;
  state::Database writer_;
  std::optional<state::Statement> insert_series_;
  mutable std::atomic<uint64_t> damaged_{0};

  mutable base::Mutex readers_mutex_;
  mutable std::vector<state::Database> readers_ GUARDED_BY(readers_mutex_);
};

}  // namespace storage
