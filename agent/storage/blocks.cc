#include "agent/storage/blocks.h"

#include <algorithm>
#include <string>

#include <fmt/format.h>

#include "agent/storage/chunk_pack.h"

namespace storage {
namespace {

using base::Error;
using base::ErrorKind;

struct Wanted {
  size_t series;  // Index into refs.
  PackedChunk chunk;
};

std::vector<Wanted> FindWanted(std::span<const PackedChunk> chunks, std::span<const SeriesRef> refs,
                               TimeRange range) {
  std::vector<Wanted> wanted;
  auto ref = refs.begin();
  for (const PackedChunk& chunk : chunks) {
    ref = std::lower_bound(ref, refs.end(), chunk.ref);
    if (ref == refs.end()) {
      break;
    }
    if (*ref == chunk.ref && chunk.min_time_ms <= range.end_ms &&
        chunk.max_time_ms >= range.start_ms) {
      wanted.push_back({static_cast<size_t>(ref - refs.begin()), chunk});
    }
  }
  return wanted;
}

// One allocation for what is wanted of a block; the rest of it is let go.
size_t Take(std::span<const Wanted> wanted, std::vector<std::vector<FullChunk>>* found) {
  size_t bytes = 0;
  for (const Wanted& one : wanted) {
    bytes += one.chunk.bytes.size();
  }
  const auto buffer = std::make_shared<uint8_t[]>(bytes);
  size_t at = 0;
  for (const Wanted& one : wanted) {
    const PackedChunk& chunk = one.chunk;
    std::copy(chunk.bytes.begin(), chunk.bytes.end(), buffer.get() + at);
    (*found)[one.series].push_back(
        {.min_time_ms = chunk.min_time_ms,
         .max_time_ms = chunk.max_time_ms,
         .bytes = std::shared_ptr<const uint8_t[]>(buffer, buffer.get() + at),
         .size = static_cast<uint32_t>(chunk.bytes.size()),
         .count = chunk.count});
    at += chunk.bytes.size();
  }
  return bytes;
}

bool Holds(const Block& block, std::span<const SeriesRef> refs, TimeRange range) {
  if (block.min_time_ms > range.end_ms || block.max_time_ms < range.start_ms) {
    return false;
  }
  const auto ref = std::lower_bound(refs.begin(), refs.end(), block.first);
  return ref != refs.end() && *ref <= block.last;
}

}  // namespace

base::Result<std::vector<std::vector<FullChunk>>> ReadChunks(const BlockSource& source,
                                                             const BlockList& blocks,
                                                             std::span<const SeriesRef> refs,
                                                             TimeRange range, size_t max_bytes) {
  std::vector<std::vector<FullChunk>> found(refs.size());
  size_t bytes = 0;
  for (const Block& block : blocks) {
    if (!Holds(block, refs, range)) {
      continue;
    }
    const auto pack = source.ReadBlock(block.id);
    if (!pack.ok()) {
      if (pack.error().kind() == ErrorKind::kNotFound) {
        continue;
      }
      return pack.error();
    }
    const auto chunks = ParseChunkPack(*pack);
    if (!chunks.ok()) {
      source.CountDamaged();
      continue;
    }
    const std::vector<Wanted> wanted = FindWanted(*chunks, refs, range);
    if (wanted.empty()) {
      continue;
    }
    bytes += Take(wanted, &found);
    if (bytes > max_bytes) {
      return Error(fmt::format("storage: the query needs more than {} MiB of compressed samples; "
                               "ask for fewer series or a shorter time",
                               max_bytes >> 20),
                   ErrorKind::kResourceExhausted);
    }
  }
  return found;
}

}  // namespace storage
