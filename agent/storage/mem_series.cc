#include "agent/storage/mem_series.h"

#include <algorithm>
#include <iterator>

namespace storage {

int64_t MemSeries::min_time_ms() const {
  return full_.empty() ? open_min_time_ms_ : full_.front().min_time_ms;
}

void MemSeries::Append(model::Sample sample, int64_t max_chunk_span_ms) {
  const auto span_ms =
      static_cast<uint64_t>(sample.timestamp_ms) - static_cast<uint64_t>(open_min_time_ms_);
  if (open_.count() > 0 && (open_.full() || span_ms > static_cast<uint64_t>(max_chunk_span_ms))) {
    full_.push_back(CopyOpen());
    open_ = ChunkWriter();
  }
  if (open_.count() == 0) {
    open_min_time_ms_ = sample.timestamp_ms;
  }
  if (first_time_ms_ == kNever) {
    first_time_ms_ = sample.timestamp_ms;
  }
  open_.Append(sample);
  last_ = sample;
}

void MemSeries::DropFrom(int64_t from_ms) {
  std::vector<model::Sample> kept;
  const auto keep = [&kept, from_ms](std::span<const uint8_t> bytes, uint16_t count) {
    ChunkReader reader(bytes, count);
    for (model::Sample sample; reader.Next(&sample) && sample.timestamp_ms < from_ms;) {
      kept.push_back(sample);
    }
  };
  const auto touched = std::find_if(full_.begin(), full_.end(), [from_ms](const FullChunk& chunk) {
    return chunk.max_time_ms >= from_ms;
  });
  std::for_each(touched, full_.end(),
                [&keep](const FullChunk& chunk) { keep(chunk.data(), chunk.count); });
  full_.erase(touched, full_.end());
  keep(open_.bytes(), open_.count());
  open_ = ChunkWriter();
  last_ = {.timestamp_ms = full_.empty() ? kNever : full_.back().max_time_ms};
  for (const model::Sample sample : kept) {
    Append(sample, std::numeric_limits<int64_t>::max());
  }
}

void MemSeries::Restore(int64_t first_ms, std::optional<int64_t> last_ms) {
  first_time_ms_ = first_ms;
  last_ = {.timestamp_ms = last_ms.value_or(kNever)};
  stored = true;
}

bool MemSeries::RestoreOpen(const FullChunk& chunk) {
  std::optional<ChunkWriter> writer = ChunkWriter::Resume(chunk.data(), chunk.count);
  if (!writer || writer->last().timestamp_ms != chunk.max_time_ms) {
    return false;
  }
  open_ = std::move(*writer);
  open_min_time_ms_ = chunk.min_time_ms;
  last_ = open_.last();
  return true;
}

void MemSeries::DropFull(int64_t up_to_ms) {
  const auto keep = std::find_if(full_.begin(), full_.end(), [up_to_ms](const FullChunk& chunk) {
    return chunk.max_time_ms > up_to_ms;
  });
  full_.erase(full_.begin(), keep);
  if (full_.empty()) {
    full_.shrink_to_fit();
  }
}

void MemSeries::DropStored(int64_t up_to_ms) {
  DropFull(up_to_ms);
  if (open_.count() > 0 && last_.timestamp_ms <= up_to_ms) {
    open_ = ChunkWriter();
  }
}

void MemSeries::Truncate(int64_t before_ms) {
  const auto keep = std::find_if(full_.begin(), full_.end(), [before_ms](const FullChunk& chunk) {
    return chunk.max_time_ms >= before_ms;
  });
  full_.erase(full_.begin(), keep);
  if (open_.count() > 0 && last_.timestamp_ms < before_ms) {
    open_ = ChunkWriter();
  }
}

std::vector<FullChunk> MemSeries::Snapshot(int64_t start_ms, int64_t end_ms) const {
  std::vector<FullChunk> chunks;
  const auto touches = [start_ms, end_ms](int64_t min_ms, int64_t max_ms) {
    return min_ms <= end_ms && max_ms >= start_ms;
  };
  std::copy_if(
      full_.begin(), full_.end(), std::back_inserter(chunks),
      [&touches](const FullChunk& chunk) { return touches(chunk.min_time_ms, chunk.max_time_ms); });
  if (open_.count() > 0 && touches(open_min_time_ms_, last_.timestamp_ms)) {
    chunks.push_back(CopyOpen());
  }
  return chunks;
}

FullChunk MemSeries::CopyOpen() const {
  const std::span<const uint8_t> bytes = open_.bytes();
  const std::shared_ptr<uint8_t[]> copy = std::make_shared<uint8_t[]>(bytes.size());
  std::copy(bytes.begin(), bytes.end(), copy.get());
  return {.min_time_ms = open_min_time_ms_,
          .max_time_ms = last_.timestamp_ms,
          .bytes = copy,
          .size = static_cast<uint32_t>(bytes.size()),
          .count = open_.count()};
}

size_t MemSeries::samples() const {
  size_t samples = open_.count();
  for (const FullChunk& chunk : full_) {
    samples += chunk.count;
  }
  return samples;
}

size_t MemSeries::SampleBytes() const {
  size_t bytes = open_.MemoryBytes() + full_.capacity() * sizeof(FullChunk);
  for (const FullChunk& chunk : full_) {
    bytes += chunk.size;
  }
  return bytes;
}

}  // namespace storage
