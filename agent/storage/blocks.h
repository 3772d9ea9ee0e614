// Chunks that are in the state file: where they are, and how a query gets those it needs.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "agent/storage/appender.h"
#include "agent/storage/mem_series.h"
#include "agent/storage/querier.h"
#include "lib/base/result.h"

namespace storage {

// One record of chunks: of a range of series, closed at about the same time.
struct Block {
  int64_t id = 0;
  int64_t min_time_ms = 0;
  int64_t max_time_ms = 0;
  SeriesRef first = 0;
  SeriesRef last = 0;
  uint64_t samples = 0;
  uint64_t chunks = 0;
  uint64_t bytes = 0;
};

// Immutable; shared by the head and the queries that began with it.
using BlockList = std::vector<Block>;

// Compressed bytes that one Select may hold.
inline constexpr size_t kMaxSelectBytes = 256 << 20;

// Thread-safe.
class BlockSource {
 public:
  virtual ~BlockSource() = default;
  // kNotFound: retention removed the block meanwhile.
  virtual base::Result<std::vector<uint8_t>> ReadBlock(int64_t id) const = 0;
  // A block that could not be used, to be counted.
  virtual void CountDamaged() const = 0;
};

// The chunks of the series (ascending) that touch the range: result[i] are those of refs[i], in no
// order. Errors: kResourceExhausted (max_bytes), what reading failed with.
base::Result<std::vector<std::vector<FullChunk>>> ReadChunks(const BlockSource& source,
                                                             const BlockList& blocks,
                                                             std::span<const SeriesRef> refs,
                                                             TimeRange range, size_t max_bytes);

}  // namespace storage
