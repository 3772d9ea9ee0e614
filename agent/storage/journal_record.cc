#include "agent/storage/journal_record.h"

#include <bit>

#include "agent/storage/record.h"

namespace storage {
namespace {

constexpr uint64_t kVersion = 1;
// A sample has three numbers.
constexpr size_t kMinSampleBytes = 3;

base::Error Damaged(const char* what) {
  return base::Error(std::string("storage: ") + what, base::ErrorKind::kInvalidArgument);
}

}  // namespace

std::vector<uint8_t> WriteJournalRecord(std::span<const JournalSample> samples) {
  const int64_t base_ms = samples.empty() ? 0 : samples.front().sample.timestamp_ms;
  RecordWriter writer;
  writer.Varint(kVersion);
  writer.Varint(samples.size());
  writer.Signed(base_ms);
  SeriesRef previous = 0;
  for (const JournalSample& one : samples) {
    writer.Signed(static_cast<int64_t>(one.ref - previous));
    writer.Signed(static_cast<int64_t>(static_cast<uint64_t>(one.sample.timestamp_ms) -
                                       static_cast<uint64_t>(base_ms)));
    writer.Varint(__builtin_bswap64(std::bit_cast<uint64_t>(one.sample.value)));
    previous = one.ref;
  }
  return writer.Seal();
}

base::Result<std::vector<JournalSample>> ParseJournalRecord(std::span<const uint8_t> record) {
  RecordReader reader = RecordReader::Unseal(record);
  const uint64_t version = reader.Varint();
  const uint64_t count = reader.Varint();
  const auto base_ms = static_cast<uint64_t>(reader.Signed());
  if (!reader.ok() || version != kVersion || count > reader.left() / kMinSampleBytes) {
    return Damaged("a record of the journal is damaged");
  }
  std::vector<JournalSample> samples(count);
  SeriesRef ref = 0;
  for (JournalSample& one : samples) {
    ref += static_cast<uint64_t>(reader.Signed());
    one.ref = ref;
    one.sample.timestamp_ms =
        static_cast<int64_t>(base_ms + static_cast<uint64_t>(reader.Signed()));
    one.sample.value = std::bit_cast<double>(__builtin_bswap64(reader.Varint()));
  }
  if (!reader.ok() || reader.left() != 0) {
    return Damaged("a record of the journal is damaged");
  }
  return samples;
}

std::vector<uint8_t> WriteLabels(const LabelSet& labels) {
  RecordWriter writer;
  for (const LabelPair* pair : labels.pairs()) {
    writer.Text(*pair->name);
    writer.Text(pair->value);
  }
  return writer.Seal();
}

base::Result<model::Labels> ParseLabels(std::span<const uint8_t> bytes) {
  RecordReader reader = RecordReader::Unseal(bytes);
  model::LabelsBuilder builder;
  while (reader.ok() && reader.left() > 0) {
    const std::string_view name = reader.Text();
    const std::string_view value = reader.Text();
    if (name.empty() || value.empty()) {
      return Damaged("the labels of a series are damaged");
    }
    builder.Set(name, value);
  }
  if (!reader.ok()) {
    return Damaged("the labels of a series are damaged");
  }
  return builder.Build();
}

}  // namespace storage
