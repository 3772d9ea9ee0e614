#include "agent/storage/chunk.h"

#include <algorithm>
#include <bit>

namespace storage {
namespace {

constexpr int kWordBits = 64;
constexpr int kLeadingBits = 5;
constexpr int kMaxLeading = (1 << kLeadingBits) - 1;
constexpr int kWidthBits = 6;

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

bool ChunkReader::Next(model::Sample* sample) {
  if (left_ == 0) {
    return false;
  }
  --left_;
  if (first_) {
    uint64_t timestamp = 0;
    if (!Read(kWordBits, &timestamp) || !Read(kWordBits, &value_)) {
      left_ = 0;
      return false;
    }
    timestamp_ms_ = static_cast<int64_t>(timestamp);
    first_ = false;
  } else if (!ReadTimestamp() || !ReadValue()) {
    left_ = 0;
    return false;
  }
  *sample = {timestamp_ms_, std::bit_cast<double>(value_)};
  return true;
}

bool ChunkReader::Read(int width, uint64_t* bits) {
  if (position_ + static_cast<size_t>(width) > bytes_.size() * 8) {
    return false;
  }
  uint64_t value = 0;
  while (width > 0) {
    const int used = static_cast<int>(position_ % 8);
    const int take = std::min(width, 8 - used);
    const uint64_t part = LowBits(uint64_t{bytes_[position_ / 8]} >> (8 - used - take), take);
    value = (value << take) | part;
    position_ += static_cast<size_t>(take);
    width -= take;
  }
  *bits = value;
  return true;
}

bool ChunkReader::ReadBit(bool* bit) {
  uint64_t bits = 0;
  const bool ok = Read(1, &bits);
  *bit = bits != 0;
  return ok;
}

bool ChunkReader::ReadTimestamp() {
  constexpr int kMaxOnes = 4;
  int ones = 0;
  for (bool bit = true; ones < kMaxOnes; ++ones) {
    if (!ReadBit(&bit)) {
      return false;
    }
    if (!bit) {
      break;
    }
  }
  if (ones > 0) {
    const int width = kDeltaForms[ones - 1].value_bits;
    uint64_t change = 0;
    if (!Read(width, &change)) {
      return false;
    }
    delta_ += static_cast<uint64_t>(SignExtend(change, width));
  }
  timestamp_ms_ = static_cast<int64_t>(static_cast<uint64_t>(timestamp_ms_) + delta_);
  return true;
}

bool ChunkReader::ReadValue() {
  bool changed = false;
  bool new_window = false;
  if (!ReadBit(&changed)) {
    return false;
  }
  if (!changed) {
    return true;
  }
  if (!ReadBit(&new_window)) {
    return false;
  }
  if (new_window) {
    uint64_t leading = 0;
    uint64_t width = 0;
    if (!Read(kLeadingBits, &leading) || !Read(kWidthBits, &width)) {
      return false;
    }
    leading_ = static_cast<uint8_t>(leading);
    width_ = static_cast<uint8_t>(width == 0 ? kWordBits : width);
  }
  const int trailing = kWordBits - leading_ - width_;
  uint64_t difference = 0;
  if (trailing < 0 || width_ == 0 || !Read(width_, &difference)) {
    return false;
  }
  value_ ^= difference << trailing;
  return true;
}

}  // namespace storage
