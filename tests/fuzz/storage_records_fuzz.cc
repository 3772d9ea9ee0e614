// What the store reads from its file: the first byte chooses the reader. Records are tried as they
// are and with a checksum that fits, so that what is behind it is reached.
#include <cstdint>
#include <cstdlib>
#include <span>
#include <vector>

#include "agent/storage/chunk.h"
#include "agent/storage/chunk_pack.h"
#include "agent/storage/journal_record.h"
#include "agent/storage/record.h"

namespace {

void Require(bool condition) {
  if (!condition) {
    std::abort();
  }
}

void CheckJournal(std::span<const uint8_t> record) {
  const auto samples = storage::ParseJournalRecord(record);
  if (!samples.ok()) {
    return;
  }
  const auto again = storage::ParseJournalRecord(storage::WriteJournalRecord(*samples));
  Require(again.ok() && again->size() == samples->size());
  for (size_t i = 0; i < samples->size(); ++i) {
    Require((*again)[i].ref == (*samples)[i].ref);
    Require((*again)[i].sample.timestamp_ms == (*samples)[i].sample.timestamp_ms);
  }
}

void CheckPack(std::span<const uint8_t> pack) {
  const auto chunks = storage::ParseChunkPack(pack);
  if (!chunks.ok()) {
    return;
  }
  size_t bytes = 0;
  for (const storage::PackedChunk& chunk : *chunks) {
    bytes += chunk.bytes.size();
    storage::ChunkReader reader(chunk.bytes, chunk.count);
    for (model::Sample sample; reader.Next(&sample);) {
    }
  }
  Require(bytes <= pack.size());
}

void CheckChunk(std::span<const uint8_t> bytes) {
  const auto count = static_cast<uint16_t>(bytes.empty() ? 0 : bytes[0]);
  const auto data = bytes.subspan(bytes.empty() ? 0 : 1);
  std::vector<model::Sample> samples;
  storage::ChunkReader reader(data, count);
  for (model::Sample sample; reader.Next(&sample);) {
    samples.push_back(sample);
  }
  Require(samples.size() <= count);
  auto writer = storage::ChunkWriter::Resume(data, count);
  if (!writer || count == 0) {
    return;
  }
  writer->Append({samples.back().timestamp_ms, 1.5});
  storage::ChunkReader longer(writer->bytes(), writer->count());
  size_t read = 0;
  for (model::Sample sample; longer.Next(&sample); ++read) {
    Require(read >= samples.size() || sample.timestamp_ms == samples[read].timestamp_ms);
  }
  Require(read == samples.size() + 1U);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) {
    return 0;
  }
  const std::span<const uint8_t> input(data + 1, size - 1);
  storage::RecordWriter writer;
  writer.Bytes(input);
  const std::vector<uint8_t> sealed = writer.Seal();
  switch (data[0] % 4) {
    case 0:
      CheckJournal(input);
      CheckJournal(sealed);
      break;
    case 1:
      CheckPack(input);
      CheckPack(sealed);
      break;
    case 2:
      CheckChunk(input);
      break;
    default:
      static_cast<void>(storage::ParseLabels(sealed).ok());
      break;
  }
  return 0;
}
