#include "agent/storage/chunk_pack.h"

#include <algorithm>
#include <limits>

#include "agent/storage/record.h"

namespace storage {
namespace {

constexpr uint64_t kVersion = 1;
// The directory of a chunk has five numbers.
constexpr size_t kMinEntryBytes = 5;

base::Error Damaged() {
  return base::Error("storage: a block of chunks is damaged", base::ErrorKind::kInvalidArgument);
}

// Times are subtracted and added modulo 2^64, so that none overflows.
uint64_t Difference(int64_t later, int64_t earlier) {
  return static_cast<uint64_t>(later) - static_cast<uint64_t>(earlier);
}
int64_t Sum(int64_t time, uint64_t difference) {
  return static_cast<int64_t>(static_cast<uint64_t>(time) + difference);
}

}  // namespace

std::vector<uint8_t> WriteChunkPack(std::span<const PackedChunk> chunks) {
  int64_t base_ms = chunks.empty() ? 0 : std::numeric_limits<int64_t>::max();
  for (const PackedChunk& chunk : chunks) {
    base_ms = std::min(base_ms, chunk.min_time_ms);
  }
  RecordWriter writer;
  writer.Varint(kVersion);
  writer.Varint(chunks.size());
  writer.Signed(base_ms);
  SeriesRef previous = 0;
  for (const PackedChunk& chunk : chunks) {
    writer.Varint(chunk.ref - previous);
    writer.Varint(Difference(chunk.min_time_ms, base_ms));
    writer.Varint(Difference(chunk.max_time_ms, chunk.min_time_ms));
    writer.Varint(chunk.count);
    writer.Varint(chunk.bytes.size());
    previous = chunk.ref;
  }
  for (const PackedChunk& chunk : chunks) {
    writer.Bytes(chunk.bytes);
  }
  return writer.Seal();
}

base::Result<std::vector<PackedChunk>> ParseChunkPack(std::span<const uint8_t> pack) {
  RecordReader reader = RecordReader::Unseal(pack);
  const uint64_t version = reader.Varint();
  const uint64_t count = reader.Varint();
  const int64_t base_ms = reader.Signed();
  if (!reader.ok() || version != kVersion || count > reader.left() / kMinEntryBytes) {
    return Damaged();
  }
  std::vector<PackedChunk> chunks(count);
  std::vector<uint64_t> sizes(count);
  SeriesRef ref = 0;
  for (size_t i = 0; i < count; ++i) {
    ref += reader.Varint();
    chunks[i].ref = ref;
    chunks[i].min_time_ms = Sum(base_ms, reader.Varint());
    chunks[i].max_time_ms = Sum(chunks[i].min_time_ms, reader.Varint());
    const uint64_t samples = reader.Varint();
    if (samples > std::numeric_limits<uint16_t>::max()) {
      return Damaged();
    }
    chunks[i].count = static_cast<uint16_t>(samples);
    sizes[i] = reader.Varint();
  }
  for (size_t i = 0; i < count; ++i) {
    chunks[i].bytes = reader.Bytes(sizes[i]);
  }
  if (!reader.ok() || reader.left() != 0) {
    return Damaged();
  }
  return chunks;
}

}  // namespace storage
