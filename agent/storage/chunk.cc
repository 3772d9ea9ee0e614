#include "agent/storage/chunk.h"

#include <algorithm>
#include <bit>
#include <cstring>

namespace storage {
namespace {

constexpr int kWordBits = 64;
constexpr int kLeadingBits = 5;
constexpr int kMaxLeading = (1 << kLeadingBits) - 1;
constexpr int kWidthBits = 6;
// What a load of eight bytes holds for certain when it begins inside a byte.
constexpr int kPeekBits = 57;
constexpr size_t kGrowthBytes = 32;

// How a delta of deltas is written: `prefix_bits` ones and a zero (the last form has no zero), then
// `value_bits`.
struct DeltaForm {
  uint8_t prefix;
  uint8_t prefix_bits;
  uint8_t value_bits;
};
constexpr DeltaForm kDeltaForms[] = {
    {0b10, 2, 14}, {0b110, 3, 17}, {0b1110, 4, 20}, {0b1111, 4, kWordBits}};

bool FitsSigned(int64_t value, int bits) {
  if (bits == kWordBits) {
    return true;
  }
  const int64_t limit = int64_t{1} << (bits - 1);
  return value >= -limit && value < limit;
}

uint64_t LowBits(uint64_t value, int bits) {
  return bits == kWordBits ? value : value & ((uint64_t{1} << bits) - 1);
}

int64_t SignExtend(uint64_t value, int bits) {
  const int shift = kWordBits - bits;
  return static_cast<int64_t>(value << shift) >> shift;
}

}  // namespace

void ChunkWriter::Append(model::Sample sample) {
  const auto value = std::bit_cast<uint64_t>(sample.value);
  if (count_ == 0) {
    Write(static_cast<uint64_t>(sample.timestamp_ms), kWordBits);
    Write(value, kWordBits);
    timestamp_ms_ = sample.timestamp_ms;
  } else {
    WriteTimestamp(sample.timestamp_ms);
    WriteValue(value);
  }
  value_ = value;
  ++count_;
}

void ChunkWriter::Write(uint64_t bits, int width) {
  while (width > 0) {
    if (free_bits_ == 0) {
      // Doubling would waste a quarter of the memory of the open chunks.
      if (bytes_.size() == bytes_.capacity()) {
        bytes_.reserve(bytes_.size() + kGrowthBytes);
      }
      bytes_.push_back(0);
      free_bits_ = 8;
    }
    const int take = std::min<int>(width, free_bits_);
    const uint64_t part = LowBits(bits >> (width - take), take);
    bytes_.back() = static_cast<uint8_t>(bytes_.back() | (part << (free_bits_ - take)));
    free_bits_ = static_cast<uint8_t>(free_bits_ - take);
    width -= take;
  }
}

// Differences are taken modulo 2^64, so that no pair of timestamps overflows.
void ChunkWriter::WriteTimestamp(int64_t timestamp_ms) {
  const uint64_t delta = static_cast<uint64_t>(timestamp_ms) - static_cast<uint64_t>(timestamp_ms_);
  const auto change = static_cast<int64_t>(delta - delta_);
  timestamp_ms_ = timestamp_ms;
  delta_ = delta;
  if (change == 0) {
    Write(0, 1);
    return;
  }
  for (const DeltaForm& form : kDeltaForms) {
    if (FitsSigned(change, form.value_bits)) {
      Write(form.prefix, form.prefix_bits);
      Write(LowBits(static_cast<uint64_t>(change), form.value_bits), form.value_bits);
      return;
    }
  }
}

void ChunkWriter::WriteValue(uint64_t value) {
  const uint64_t difference = value ^ value_;
  if (difference == 0) {
    Write(0, 1);
    return;
  }
  const int leading = std::min(std::countl_zero(difference), kMaxLeading);
  const int trailing = std::countr_zero(difference);
  const int window_trailing = kWordBits - leading_ - width_;
  if (width_ != 0 && leading >= leading_ && trailing >= window_trailing) {
    Write(0b10, 2);
    Write(difference >> window_trailing, width_);
    return;
  }
  const int width = kWordBits - leading - trailing;
  Write(0b11, 2);
  Write(static_cast<uint64_t>(leading), kLeadingBits);
  Write(LowBits(static_cast<uint64_t>(width), kWidthBits), kWidthBits);
  Write(difference >> trailing, width);
  leading_ = static_cast<uint8_t>(leading);
  width_ = static_cast<uint8_t>(width);
}

std::optional<ChunkWriter> ChunkWriter::Resume(std::span<const uint8_t> bytes, uint16_t count) {
  ChunkReader reader(bytes, count);
  uint16_t read = 0;
  for (model::Sample sample; reader.Next(&sample);) {
    ++read;
  }
  const size_t bits = bytes.size() * 8;
  if (read != count || bits - reader.position_ >= 8) {
    return std::nullopt;
  }
  ChunkWriter writer;
  writer.bytes_.assign(bytes.begin(), bytes.end());
  writer.timestamp_ms_ = reader.timestamp_ms_;
  writer.delta_ = reader.delta_;
  writer.value_ = reader.value_;
  writer.count_ = count;
  writer.free_bits_ = static_cast<uint8_t>(bits - reader.position_);
  writer.leading_ = reader.leading_;
  writer.width_ = reader.width_;
  return writer;
}

bool ChunkReader::Next(model::Sample* sample) {
  if (left_ == 0) {
    return false;
  }
  --left_;
  if (first_) {
    timestamp_ms_ = static_cast<int64_t>(Read(kWordBits));
    value_ = Read(kWordBits);
    first_ = false;
  } else {
    uint64_t bits = Peek();
    int known = kPeekBits;
    if (static_cast<int64_t>(bits) >= 0) {
      // The same interval again, as nearly always: the value is in the same word.
      ++position_;
      timestamp_ms_ = static_cast<int64_t>(static_cast<uint64_t>(timestamp_ms_) + delta_);
      bits <<= 1;
      --known;
    } else {
      ReadTimestamp();
      bits = Peek();
    }
    ReadValue(bits, known);
  }
  if (position_ > bytes_.size() * 8) {
    left_ = 0;
    return false;
  }
  *sample = {timestamp_ms_, std::bit_cast<double>(value_)};
  return true;
}

uint64_t ChunkReader::Peek() const {
  const size_t byte = position_ / 8;
  uint64_t word = 0;
  if (byte + sizeof(word) <= bytes_.size()) {
    std::memcpy(&word, bytes_.data() + byte, sizeof(word));
    word = __builtin_bswap64(word);
  } else {
    for (size_t i = 0; i < sizeof(word); ++i) {
      word = (word << 8) | (byte + i < bytes_.size() ? bytes_[byte + i] : 0U);
    }
  }
  return word << (position_ % 8);
}

uint64_t ChunkReader::Read(int width) {
  uint64_t value = 0;
  if (width > kPeekBits) {
    constexpr int kHalf = kWordBits / 2;
    value = Peek() >> (kWordBits - (width - kHalf)) << kHalf;
    position_ += static_cast<size_t>(width - kHalf);
    width = kHalf;
  }
  value |= Peek() >> (kWordBits - width);
  position_ += static_cast<size_t>(width);
  return value;
}

void ChunkReader::ReadTimestamp() {
  constexpr int kMaxOnes = 4;
  const uint64_t bits = Peek();
  const int ones = std::min(std::countl_one(bits), kMaxOnes);
  position_ += static_cast<size_t>(std::min(ones + 1, kMaxOnes));
  if (ones > 0) {
    const int width = kDeltaForms[ones - 1].value_bits;
    delta_ += static_cast<uint64_t>(SignExtend(Read(width), width));
  }
  timestamp_ms_ = static_cast<int64_t>(static_cast<uint64_t>(timestamp_ms_) + delta_);
}

// `bits` begin at the position; `known` of them are there.
void ChunkReader::ReadValue(uint64_t bits, int known) {
  constexpr int kNewWindowBits = 2 + kLeadingBits + kWidthBits;
  if (static_cast<int64_t>(bits) >= 0) {
    ++position_;  // The same value.
    return;
  }
  int header = 2;
  if ((bits >> (kWordBits - 2)) == 0b11) {
    leading_ = static_cast<uint8_t>(LowBits(bits >> (kWordBits - 2 - kLeadingBits), kLeadingBits));
    const uint64_t width = LowBits(bits >> (kWordBits - kNewWindowBits), kWidthBits);
    width_ = static_cast<uint8_t>(width == 0 ? kWordBits : width);
    header = kNewWindowBits;
  }
  position_ += static_cast<size_t>(header);
  const int trailing = kWordBits - leading_ - width_;
  if (trailing < 0 || width_ == 0) {
    position_ = bytes_.size() * 8 + 1;  // No writer wrote that.
    return;
  }
  if (header + width_ > known) {
    value_ ^= Read(width_) << trailing;
    return;
  }
  value_ ^= bits << header >> (kWordBits - width_) << trailing;
  position_ += width_;
}

}  // namespace storage
