// Gorilla compression of one run of samples: about two bytes a sample for typical counters, less
// than half a byte for constants. Bit-exact, so stale markers and NaN payloads survive.
//
// Layout, most significant bit first. First sample: timestamp and value, 64 bits each. Then per
// sample:
//   timestamp  difference of the difference to the previous timestamp:
//              0 | 10 + 14 bits | 110 + 17 bits | 1110 + 20 bits | 1111 + 64 bits, two's complement
//   value      XOR with the previous value:
//              0 (the same) | 10 + the bits inside the previous window |
//              11 + 5 bits leading zeros + 6 bits width (0 is 64) + the bits
// See "Gorilla: A Fast, Scalable, In-Memory Time Series Database", VLDB 2015.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "lib/model/sample.h"

namespace storage {

// Samples in a full chunk: enough to compress well, few enough to skip to a time quickly.
inline constexpr uint16_t kMaxChunkSamples = 120;

// Appends to one chunk. Thread-compatible. Any order of timestamps is encoded; the caller keeps
// them sorted.
class ChunkWriter {
 public:
  void Append(model::Sample sample);
  // Goes on where the writer of `bytes` stopped. Nothing when they are not exactly `count` samples.
  static std::optional<ChunkWriter> Resume(std::span<const uint8_t> bytes, uint16_t count);

  uint16_t count() const { return count_; }
  // count() must not be 0.
  model::Sample last() const { return {timestamp_ms_, std::bit_cast<double>(value_)}; }
  bool full() const { return count_ >= kMaxChunkSamples; }
  // Valid until the next Append.
  std::span<const uint8_t> bytes() const { return bytes_; }
  size_t MemoryBytes() const { return bytes_.capacity(); }

 private:
  void Write(uint64_t bits, int width);
  void WriteTimestamp(int64_t timestamp_ms);
  void WriteValue(uint64_t value);

  std::vector<uint8_t> bytes_;
  int64_t timestamp_ms_ = 0;
  uint64_t delta_ = 0;
  uint64_t value_ = 0;
  uint16_t count_ = 0;
  uint8_t free_bits_ = 0;  // In the last byte.
  uint8_t leading_ = 0;    // The window of the last XOR; width 0 is none yet.
  uint8_t width_ = 0;
};

// Reads back what a ChunkWriter wrote. The bytes must outlive it. Truncated bytes end the run
// early.
class ChunkReader {
 public:
  ChunkReader(std::span<const uint8_t> bytes, uint16_t count) : bytes_(bytes), left_(count) {}

  // False at the end.
  bool Next(model::Sample* sample);

 private:
  friend class ChunkWriter;
  // At least 57 bits from the position on, the first one highest; zeros beyond the end.
  uint64_t Peek() const;
  uint64_t Read(int width);
  void ReadTimestamp();
  void ReadValue(uint64_t bits, int known);

  std::span<const uint8_t> bytes_;
  size_t position_ = 0;  // In bits; beyond the end when the bytes are truncated.
  uint16_t left_ = 0;
  bool first_ = true;
  uint8_t leading_ = 0;
  uint8_t width_ = 0;
  int64_t timestamp_ms_ = 0;
  uint64_t delta_ = 0;
  uint64_t value_ = 0;
};

}  // namespace storage
