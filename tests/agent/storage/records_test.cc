// The records of the state file: what is written is read, what is damaged is refused.
#include <cstdint>
#include <random>
#include <vector>

#include <gtest/gtest.h>

#include "agent/storage/chunk.h"
#include "agent/storage/chunk_pack.h"
#include "agent/storage/journal_record.h"
#include "agent/storage/record.h"

namespace storage {
namespace {

bool operator==(const JournalSample& a, const JournalSample& b) {
  return a.ref == b.ref && a.sample.timestamp_ms == b.sample.timestamp_ms &&
         std::bit_cast<uint64_t>(a.sample.value) == std::bit_cast<uint64_t>(b.sample.value);
}

TEST(Record, ReadsTheNumbersThatWereWritten) {
  const std::vector<int64_t> numbers{0, 1, -1, 63, 64, -64, -65, INT64_MAX, INT64_MIN, 1'700'000};
  RecordWriter writer;
  for (const int64_t number : numbers) {
    writer.Signed(number);
    writer.Varint(static_cast<uint64_t>(number));
  }
  const std::vector<uint8_t> record = writer.Seal();
  RecordReader reader = RecordReader::Unseal(record);
  for (const int64_t number : numbers) {
    EXPECT_EQ(reader.Signed(), number);
    EXPECT_EQ(reader.Varint(), static_cast<uint64_t>(number));
  }
  EXPECT_TRUE(reader.ok());
  EXPECT_EQ(reader.left(), 0U);
}

TEST(Record, FailsWhenItIsCutShortOrTooLong) {
  const std::vector<uint8_t> endless(11, 0xff);
  RecordReader reader(endless);
  EXPECT_EQ(reader.Varint(), 0U);
  EXPECT_FALSE(reader.ok());
  const std::vector<uint8_t> short_text{5, 'a'};
  RecordReader text(short_text);
  EXPECT_EQ(text.Text(), "");
  EXPECT_FALSE(text.ok());
}

TEST(JournalRecord, HoldsAnySamples) {
  std::mt19937_64 random(3);
  std::vector<JournalSample> samples;
  for (int i = 0; i < 1000; ++i) {
    samples.push_back({random() >> (random() % 64),
                       {static_cast<int64_t>(random()), std::bit_cast<double>(random())}});
  }
  samples.push_back({1, {0, model::kStaleNaN}});
  const auto parsed = ParseJournalRecord(WriteJournalRecord(samples));
  ASSERT_TRUE(parsed.ok());
  EXPECT_TRUE(std::equal(parsed->begin(), parsed->end(), samples.begin(), samples.end(),
                         [](const auto& a, const auto& b) { return a == b; }));
}

TEST(JournalRecord, IsShortForWhatScrapesBring) {
  std::vector<JournalSample> samples;
  for (uint64_t i = 0; i < 1000; ++i) {
    samples.push_back({i, {1'700'000'000'000, static_cast<double>(i * 1000)}});
  }
  EXPECT_LT(WriteJournalRecord(samples).size(), 7000U);
}

TEST(JournalRecord, IsRefusedWhenOneByteIsWrong) {
  std::vector<uint8_t> record = WriteJournalRecord(std::vector<JournalSample>{{1, {2, 3}}});
  for (uint8_t& byte : record) {
    byte ^= 0x10;
    EXPECT_FALSE(ParseJournalRecord(record).ok());
    byte ^= 0x10;
  }
  EXPECT_TRUE(ParseJournalRecord(record).ok());
  record.pop_back();
  EXPECT_FALSE(ParseJournalRecord(record).ok());
  EXPECT_FALSE(ParseJournalRecord({}).ok());
}

TEST(JournalRecord, BelievesNoCountBeyondItsBytes) {
  RecordWriter writer;
  writer.Varint(1);
  writer.Varint(UINT64_MAX / 2);
  writer.Signed(0);
  EXPECT_FALSE(ParseJournalRecord(writer.Seal()).ok());
}

TEST(ChunkPack, HoldsTheChunksOfManySeries) {
  const std::vector<uint8_t> first{1, 2, 3};
  const std::vector<uint8_t> second{4};
  const std::vector<PackedChunk> chunks{{7, -5, 10, 3, first},
                                        {7, 11, INT64_MAX, 120, second},
                                        {UINT64_MAX, INT64_MIN, INT64_MAX, 65535, {}}};
  const std::vector<uint8_t> pack = WriteChunkPack(chunks);
  const auto parsed = ParseChunkPack(pack);
  ASSERT_TRUE(parsed.ok());
  ASSERT_EQ(parsed->size(), chunks.size());
  for (size_t i = 0; i < chunks.size(); ++i) {
    EXPECT_EQ((*parsed)[i].ref, chunks[i].ref);
    EXPECT_EQ((*parsed)[i].min_time_ms, chunks[i].min_time_ms);
    EXPECT_EQ((*parsed)[i].max_time_ms, chunks[i].max_time_ms);
    EXPECT_EQ((*parsed)[i].count, chunks[i].count);
    EXPECT_TRUE(std::equal((*parsed)[i].bytes.begin(), (*parsed)[i].bytes.end(),
                           chunks[i].bytes.begin(), chunks[i].bytes.end()));
  }
}

TEST(ChunkPack, IsRefusedWhenItsPartsDoNotFit) {
  const auto refused = [](uint64_t version, uint64_t count, std::vector<uint64_t> entry,
                          std::vector<uint8_t> bytes) {
    RecordWriter writer;
    writer.Varint(version);
    writer.Varint(count);
    writer.Signed(0);
    for (const uint64_t number : entry) {
      writer.Varint(number);
    }
    writer.Bytes(bytes);
    return !ParseChunkPack(writer.Seal()).ok();
  };
  EXPECT_FALSE(refused(1, 1, {1, 0, 0, 1, 2}, {8, 9}));
  EXPECT_TRUE(refused(2, 1, {1, 0, 0, 1, 2}, {8, 9}));           // Another version.
  EXPECT_TRUE(refused(1, 1, {1, 0, 0, 1, 3}, {8, 9}));           // Bytes are missing.
  EXPECT_TRUE(refused(1, 1, {1, 0, 0, 1, 1}, {8, 9}));           // Bytes are left over.
  EXPECT_TRUE(refused(1, 1, {1, 0, 0, 65'536, 2}, {8, 9}));      // More samples than fit.
  EXPECT_TRUE(refused(1, UINT64_MAX, {1, 0, 0, 1, 2}, {8, 9}));  // More chunks than bytes.
  EXPECT_TRUE(refused(1, 2, {1, 0, 0, 1, 2}, {8, 9}));           // Half a directory.
}

TEST(Chunk, GoesOnWhereItsBytesEnd) {
  std::mt19937_64 random(5);
  for (int round = 0; round < 300; ++round) {
    ChunkWriter whole;
    ChunkWriter resumed;
    int64_t time = 1'700'000'000'000;
    const auto cut = 1 + random() % 100;
    for (uint64_t i = 0; i < kMaxChunkSamples; ++i) {
      time += 15'000 + static_cast<int64_t>(random() % 3);
      const double value =
          round % 2 == 0 ? static_cast<double>(random() % 1000) : std::bit_cast<double>(random());
      whole.Append({time, value});
      resumed.Append({time, value});
      if (i == cut) {
        auto next = ChunkWriter::Resume(whole.bytes(), whole.count());
        ASSERT_TRUE(next);
        resumed = std::move(*next);
      }
    }
    EXPECT_TRUE(std::equal(whole.bytes().begin(), whole.bytes().end(), resumed.bytes().begin(),
                           resumed.bytes().end()));
  }
}

TEST(Chunk, DoesNotGoOnFromBytesThatAreNotItsOwn) {
  ChunkWriter writer;
  for (int i = 0; i < 50; ++i) {
    writer.Append({i * 15'000, 1.5 * i});
  }
  std::vector<uint8_t> bytes(writer.bytes().begin(), writer.bytes().end());
  EXPECT_TRUE(ChunkWriter::Resume(bytes, 50));
  EXPECT_FALSE(ChunkWriter::Resume(bytes, 40));
  EXPECT_FALSE(ChunkWriter::Resume(bytes, 60));
  bytes.push_back(0);
  EXPECT_FALSE(ChunkWriter::Resume(bytes, 50));
}

}  // namespace
}  // namespace storage
