// Chunks of many series in one record: a block of the state file, or the open chunks at one moment.
//
//   version, number of chunks, base time
//   per chunk, in order of series: series (difference), first time (after base), span, samples,
//   bytes
//   the bytes of the chunks, one after the other
//   checksum
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "agent/storage/appender.h"
#include "lib/base/result.h"

namespace storage {

struct PackedChunk {
  SeriesRef ref = 0;
  int64_t min_time_ms = 0;
  int64_t max_time_ms = 0;
  uint16_t count = 0;
  std::span<const uint8_t> bytes;  // Of whoever owns them.
};

// `chunks` in order of `ref`.
std::vector<uint8_t> WriteChunkPack(std::span<const PackedChunk> chunks);

// Views into `pack`. Errors: kInvalidArgument, the record is damaged.
base::Result<std::vector<PackedChunk>> ParseChunkPack(std::span<const uint8_t> pack);

}  // namespace storage
