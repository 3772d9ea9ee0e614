#include "agent/storage/chunk.h"

#include <bit>
#include <cstdint>
#include <limits>
#include <random>
#include <vector>

#include <gtest/gtest.h>

namespace storage {
namespace {

using model::Sample;

std::vector<Sample> Decode(std::span<const uint8_t> bytes, uint16_t count) {
  std::vector<Sample> samples;
  ChunkReader reader(bytes, count);
  for (Sample sample; reader.Next(&sample);) {
    samples.push_back(sample);
  }
  return samples;
}

void CheckRoundTrip(const std::vector<Sample>& samples) {
  ChunkWriter writer;
  for (const Sample& sample : samples) {
    writer.Append(sample);
  }
  const std::vector<Sample> read = Decode(writer.bytes(), writer.count());
  ASSERT_EQ(read.size(), samples.size());
  for (size_t i = 0; i < samples.size(); ++i) {
    ASSERT_EQ(read[i].timestamp_ms, samples[i].timestamp_ms) << "sample " << i;
    ASSERT_EQ(std::bit_cast<uint64_t>(read[i].value), std::bit_cast<uint64_t>(samples[i].value))
        << "sample " << i;
  }
}

TEST(Chunk, OfNoSamplesIsEmpty) { CheckRoundTrip({}); }

TEST(Chunk, KeepsStaleMarkersAndNaNPayloadsBitForBit) {
  std::vector<Sample> samples;
  int64_t time = 1'700'000'000'000;
  for (const uint64_t bits :
       {model::kStaleNaNBits, model::kNormalNaNBits, uint64_t{0x7ff0000000000001},
        uint64_t{0xffffffffffffffff}, model::kStaleNaNBits, uint64_t{0}, uint64_t{1} << 63}) {
    samples.push_back({time += 15'000, std::bit_cast<double>(bits)});
  }
  CheckRoundTrip(samples);
}

TEST(Chunk, KeepsTimestampsAtTheLimitsOfTheirType) {
  constexpr int64_t kMin = std::numeric_limits<int64_t>::min();
  constexpr int64_t kMax = std::numeric_limits<int64_t>::max();
  CheckRoundTrip({{kMin, 1}, {kMin + 1, 2}, {-1, 3}, {0, 4}, {kMax - 1, 5}, {kMax, 6}});
}

TEST(Chunk, KeepsDeltasAtEveryFormsLimit) {
  for (const int bits : {14, 17, 20, 33}) {
    const int64_t limit = int64_t{1} << (bits - 1);
    for (const int64_t change : {limit - 1, limit, limit + 1}) {
      CheckRoundTrip({{0, 1}, {10'000'000'000, 1}, {20'000'000'000 + change, 1}});
      CheckRoundTrip({{0, 1}, {10'000'000'000, 1}, {20'000'000'000 - change, 1}});
    }
  }
}

TEST(Chunk, DecodesToWhatWasEncodedForRandomSamples) {
  std::mt19937_64 random(7);
  for (int round = 0; round < 2000; ++round) {
    std::vector<Sample> samples;
    int64_t time = static_cast<int64_t>(random() % 2'000'000'000'000);
    double value = 0;
    const uint64_t kind = random() % 5;
    for (int i = 0; i < kMaxChunkSamples; ++i) {
      time += static_cast<int64_t>(1 + random() % (uint64_t{1} << (random() % 40)));
      switch (kind) {
        case 0:
          value += static_cast<double>(random() % 1000);
          break;
        case 1:
          value = std::bit_cast<double>(random());  // Any bits, NaNs of all kinds included.
          break;
        case 2:
          value = random() % 3 == 0 ? value : value + 0.001 * static_cast<double>(random() % 100);
          break;
        case 3:
          value = random() % 4 == 0 ? model::kStaleNaN : static_cast<double>(i);
          break;
        default:
          break;  // Constant.
      }
      samples.push_back({time, value});
    }
    CheckRoundTrip(samples);
  }
}

TEST(Chunk, StopsEarlyWhenItsBytesAreCutShort) {
  ChunkWriter writer;
  for (int i = 0; i < 50; ++i) {
    writer.Append({i * 15'000, 1.5 * i});
  }
  const auto bytes = writer.bytes();
  for (size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_LT(Decode(bytes.first(size), writer.count()).size(), 50U);
  }
}

TEST(Chunk, SurvivesAnyBytes) {
  std::mt19937_64 random(11);
  for (int round = 0; round < 2000; ++round) {
    std::vector<uint8_t> bytes(random() % 200);
    for (uint8_t& byte : bytes) {
      byte = static_cast<uint8_t>(random());
    }
    EXPECT_LE(Decode(bytes, kMaxChunkSamples).size(), size_t{kMaxChunkSamples});
  }
}

TEST(Chunk, StoresAConstantInUnderHalfAByteASample) {
  ChunkWriter writer;
  for (int i = 0; i < kMaxChunkSamples; ++i) {
    writer.Append({1'700'000'000'000 + i * 15'000, 42});
  }
  EXPECT_LE(writer.bytes().size(), size_t{kMaxChunkSamples} / 2);
  EXPECT_TRUE(writer.full());
}

}  // namespace
}  // namespace storage
