#include "agent/storage/record.h"

#include <utility>

#include <zlib.h>

namespace storage {
namespace {

constexpr size_t kChecksumBytes = 4;

uint32_t Checksum(std::span<const uint8_t> bytes) {
  return static_cast<uint32_t>(crc32_z(0, bytes.data(), bytes.size()));
}

}  // namespace

std::vector<uint8_t> RecordWriter::Seal() {
  const uint32_t checksum = Checksum(bytes_);
  for (size_t i = 0; i < kChecksumBytes; ++i) {
    bytes_.push_back(static_cast<uint8_t>(checksum >> (8 * i)));
  }
  return std::exchange(bytes_, {});
}

RecordReader RecordReader::Unseal(std::span<const uint8_t> record) {
  RecordReader failed({});
  failed.ok_ = false;
  if (record.size() < kChecksumBytes) {
    return failed;
  }
  const auto content = record.first(record.size() - kChecksumBytes);
  uint32_t checksum = 0;
  for (size_t i = 0; i < kChecksumBytes; ++i) {
    checksum |= static_cast<uint32_t>(record[content.size() + i]) << (8 * i);
  }
  return checksum == Checksum(content) ? RecordReader(content) : failed;
}

}  // namespace storage
