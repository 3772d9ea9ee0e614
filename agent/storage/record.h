// Variable-length integers, seven bits a byte, low bits first, and a checksum at the end: what the
// records in the state file are made of.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace storage {

// Small differences of either sign become small numbers.
inline uint64_t ZigZag(int64_t value) {
  return (static_cast<uint64_t>(value) << 1) ^ static_cast<uint64_t>(value >> 63);
}
inline int64_t UnZigZag(uint64_t value) {
  return static_cast<int64_t>((value >> 1) ^ (0 - (value & 1)));
}

class RecordWriter {
 public:
  void Varint(uint64_t value) {
    while (value >= 0x80) {
      bytes_.push_back(static_cast<uint8_t>(value | 0x80));
      value >>= 7;
    }
    bytes_.push_back(static_cast<uint8_t>(value));
  }
  void Signed(int64_t value) { Varint(ZigZag(value)); }
  void Bytes(std::span<const uint8_t> bytes) {
    bytes_.insert(bytes_.end(), bytes.begin(), bytes.end());
  }
  void Text(std::string_view text) {
    Varint(text.size());
    bytes_.insert(bytes_.end(), text.begin(), text.end());
  }
  size_t size() const { return bytes_.size(); }

  // The record with its checksum; the writer is empty afterwards.
  std::vector<uint8_t> Seal();

 private:
  std::vector<uint8_t> bytes_;
};

// Reads on after a failure yield zeros; ok() tells in the end. The bytes must outlive it.
class RecordReader {
 public:
  // Of a sealed record: not ok() when the checksum is wrong.
  static RecordReader Unseal(std::span<const uint8_t> record);
  explicit RecordReader(std::span<const uint8_t> bytes) : bytes_(bytes) {}

  uint64_t Varint() {
    uint64_t value = 0;
    for (int shift = 0; shift < 64; shift += 7) {
      if (position_ == bytes_.size()) {
        break;
      }
      const uint8_t byte = bytes_[position_++];
      value |= static_cast<uint64_t>(byte & 0x7f) << shift;
      if (byte < 0x80) {
        return value;
      }
    }
    Fail();
    return 0;
  }
  int64_t Signed() { return UnZigZag(Varint()); }
  std::span<const uint8_t> Bytes(uint64_t size) {
    if (size > left()) {
      Fail();
      return {};
    }
    const auto bytes = bytes_.subspan(position_, size);
    position_ += size;
    return bytes;
  }
  std::string_view Text() {
    const auto bytes = Bytes(Varint());
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
  }

  size_t left() const { return bytes_.size() - position_; }
  bool ok() const { return ok_; }

 private:
  void Fail() {
    ok_ = false;
    position_ = bytes_.size();
  }

  std::span<const uint8_t> bytes_;
  size_t position_ = 0;
  bool ok_ = true;
};

}  // namespace storage
