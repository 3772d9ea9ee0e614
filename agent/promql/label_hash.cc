#include "agent/promql/label_hash.h"

#include <bit>
#include <cstddef>
#include <cstring>
#include <string>

namespace promql {
namespace {

constexpr uint64_t kPrime1 = 0x9E3779B185EBCA87ULL;
constexpr uint64_t kPrime2 = 0xC2B2AE3D27D4EB4FULL;
constexpr uint64_t kPrime3 = 0x165667B19E3779F9ULL;
constexpr uint64_t kPrime4 = 0x85EBCA77C2B2AE63ULL;
constexpr uint64_t kPrime5 = 0x27D4EB2F165667C5ULL;
constexpr size_t kStripe = 32;

static_assert(std::endian::native == std::endian::little, "XXH64 reads little-endian words");

template <typename Word>
Word Take(std::string_view* bytes) {
  Word word = 0;
  std::memcpy(&word, bytes->data(), sizeof(word));
  bytes->remove_prefix(sizeof(word));
  return word;
}

uint64_t Round(uint64_t lane, uint64_t input) {
  return std::rotl(lane + input * kPrime2, 31) * kPrime1;
}

uint64_t Merge(uint64_t hash, uint64_t lane) { return (hash ^ Round(0, lane)) * kPrime1 + kPrime4; }

// Four lanes over the whole stripes.
uint64_t Stripes(std::string_view* bytes) {
  uint64_t lanes[] = {kPrime1 + kPrime2, kPrime2, 0, 0 - kPrime1};
  while (bytes->size() >= kStripe) {
    for (uint64_t& lane : lanes) {
      lane = Round(lane, Take<uint64_t>(bytes));
    }
  }
  uint64_t hash = std::rotl(lanes[0], 1) + std::rotl(lanes[1], 7) + std::rotl(lanes[2], 12) +
                  std::rotl(lanes[3], 18);
  for (const uint64_t lane : lanes) {
    hash = Merge(hash, lane);
  }
  return hash;
}

void AppendLength(size_t length, std::string* out) {
  constexpr size_t kLong = 0xff;
  if (length < kLong) {
    *out += static_cast<char>(length);
    return;
  }
  *out += static_cast<char>(kLong);
  for (const int shift : {0, 8, 16}) {
    *out += static_cast<char>((length >> shift) & 0xff);
  }
}

}  // namespace

uint64_t XxHash64(std::string_view bytes) {
  const uint64_t size = bytes.size();
  uint64_t hash = size >= kStripe ? Stripes(&bytes) : kPrime5;
  hash += size;
  while (bytes.size() >= sizeof(uint64_t)) {
    hash = std::rotl(hash ^ Round(0, Take<uint64_t>(&bytes)), 27) * kPrime1 + kPrime4;
  }
  if (bytes.size() >= sizeof(uint32_t)) {
    hash = std::rotl(hash ^ (Take<uint32_t>(&bytes) * kPrime1), 23) * kPrime2 + kPrime3;
  }
  while (!bytes.empty()) {
    hash = std::rotl(hash ^ (Take<uint8_t>(&bytes) * kPrime5), 11) * kPrime1;
  }
  hash = (hash ^ (hash >> 33)) * kPrime2;
  hash = (hash ^ (hash >> 29)) * kPrime3;
  return hash ^ (hash >> 32);
}

uint64_t PrometheusHash(const model::Labels& labels) {
  std::string bytes;
  for (const model::Label label : labels) {
    AppendLength(label.name.size(), &bytes);
    bytes += label.name;
    AppendLength(label.value.size(), &bytes);
    bytes += label.value;
  }
  return XxHash64(bytes);
}

}  // namespace promql
