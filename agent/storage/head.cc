#include "agent/storage/head.h"

#include <algorithm>
#include <bit>
#include <limits>
#include <set>
#include <utility>

#include <fmt/format.h>

namespace storage {
namespace {

using base::Error;
using base::ErrorKind;

// Truncation walks every series, so it runs this many times in one retention.
constexpr int64_t kTruncationsPerRetention = 24;
// A chunk is dropped as a whole; shorter chunks keep the window near its nominal length.
constexpr int64_t kChunkSpansPerRetention = 2;
// With a state file: a chunk is in memory until it is full.
constexpr int64_t kMaxStoredSpanMs = 2 * 60 * 60 * 1000;

int64_t Now(const base::Clock& clock) { return base::ToMillis(clock.Now()); }

// Samples of a snapshot, clipped to the range.
class ChunksCursor final : public SampleCursor {
 public:
  ChunksCursor(std::span<const FullChunk> chunks, TimeRange range)
      : chunks_(chunks), range_(range), reader_({}, 0), from_ms_(range.start_ms) {}

  // Chunks may overlap after the clock was set back; no time is served twice.
  bool Next(model::Sample* sample) override {
    for (;;) {
      while (reader_.Next(sample)) {
        if (sample->timestamp_ms > range_.end_ms) {
          break;
        }
        if (sample->timestamp_ms >= from_ms_) {
          if (sample->timestamp_ms == range_.end_ms) {
            next_chunk_ = chunks_.size();
            reader_ = ChunkReader({}, 0);
          } else {
            from_ms_ = sample->timestamp_ms + 1;
          }
          return true;
        }
      }
      if (next_chunk_ == chunks_.size()) {
        return false;
      }
      const FullChunk& chunk = chunks_[next_chunk_++];
      reader_ = ChunkReader(chunk.data(), chunk.count);
    }
  }

 private:
  std::span<const FullChunk> chunks_;
  TimeRange range_;
  ChunkReader reader_;
  int64_t from_ms_;
  size_t next_chunk_ = 0;
};

class SnapshotSeries final : public Series {
 public:
  SnapshotSeries(model::Labels labels, std::vector<FullChunk> chunks, TimeRange range)
      : labels_(std::move(labels)), chunks_(std::move(chunks)), range_(range) {}

  const model::Labels& labels() const override { return labels_; }
  std::unique_ptr<SampleCursor> Samples() const override {
    return std::make_unique<ChunksCursor>(chunks_, range_);
  }

 private:
  model::Labels labels_;
  std::vector<FullChunk> chunks_;
  TimeRange range_;
};

bool MatchesAll(const LabelSet& labels, std::span<const model::Matcher* const> matchers) {
  return std::all_of(matchers.begin(), matchers.end(), [&labels](const model::Matcher* matcher) {
    return matcher->Matches(labels.Get(matcher->name()));
  });
}

// Null when the series is gone.
template <typename Map>
auto* FindIn(Map& series, SeriesRef ref) {
  const auto found = series.find(static_cast<SeriesId>(ref));
  return found == series.end() || found->second.ref() != ref ? nullptr : &found->second;
}

bool Touches(const MemSeries& series, TimeRange range) {
  return series.has_last() && series.first_time_ms() <= range.end_ms &&
         series.max_time_ms() >= range.start_ms;
}

}  // namespace

class Head::BatchAppender final : public Appender {
 public:
  explicit BatchAppender(Head& head) : head_(head), now_ms_(Now(head.clock_)) {}
  ~BatchAppender() override { head_.Discard(batch_); }
  BatchAppender(const BatchAppender&) = delete;
  BatchAppender& operator=(const BatchAppender&) = delete;

  base::Result<SeriesRef> Append(const model::Labels& labels, int64_t timestamp_ms,
                                 double value) override {
    const model::Sample sample{timestamp_ms, value};
    ASSIGN_OR_RETURN(MemSeries* const series, head_.Reserve(labels, sample, now_ms_));
    batch_.emplace_back(series, sample);
    return series->ref();
  }

  base::Result<void> Append(SeriesRef ref, int64_t timestamp_ms, double value) override {
    const model::Sample sample{timestamp_ms, value};
    ASSIGN_OR_RETURN(MemSeries* const series, head_.Reserve(ref, sample, now_ms_));
    batch_.emplace_back(series, sample);
    return {};
  }

  base::Result<void> Commit() override {
    head_.Apply(batch_);
    batch_.clear();
    return {};
  }

 private:
  Head& head_;
  const int64_t now_ms_;
  Batch batch_;
};

// Each Select is consistent in itself.
class Head::HeadQuerier final : public Querier {
 public:
  explicit HeadQuerier(const Head& head) : head_(head) {}

  base::Result<std::vector<std::unique_ptr<Series>>> Select(
      std::span<const model::Matcher> matchers, TimeRange range) override {
    std::vector<Found> found;
    const std::shared_ptr<const BlockList> blocks =
        ForEach(matchers, range, [&found, range](const MemSeries& series) {
          found.push_back({series.ref(), LabelSet(series.labels().pairs()),
                           series.Snapshot(range.start_ms, range.end_ms)});
        });
    if (blocks != nullptr) {
      RETURN_IF_ERROR(AddStored(*blocks, range, &found));
    }
    std::vector<std::unique_ptr<Series>> selected;
    selected.reserve(found.size());
    for (Found& one : found) {
      if (!one.chunks.empty()) {
        selected.push_back(
            std::make_unique<SnapshotSeries>(one.labels.Build(), std::move(one.chunks), range));
      }
    }
    std::sort(selected.begin(), selected.end(),
              [](const auto& a, const auto& b) { return a->labels() < b->labels(); });
    return selected;
  }

  base::Result<std::vector<model::Labels>> SelectLabels(std::span<const model::Matcher> matchers,
                                                        TimeRange range) override {
    std::vector<LabelSet> found;
    ForEach(matchers, range,
            [&found](const MemSeries& series) { found.emplace_back(series.labels().pairs()); });
    std::vector<model::Labels> labels;
    labels.reserve(found.size());
    for (const LabelSet& one : found) {
      labels.push_back(one.Build());
    }
    return labels;
  }

  base::Result<std::vector<std::string>> LabelNames(std::span<const model::Matcher> matchers,
                                                    TimeRange range) override {
    std::set<std::string, std::less<>> names;
    ForEach(matchers, range, [&names](const MemSeries& series) {
      for (const LabelPair* pair : series.labels().pairs()) {
        if (names.find(*pair->name) == names.end()) {
          names.insert(*pair->name);
        }
      }
    });
    return std::vector<std::string>(names.begin(), names.end());
  }

  base::Result<std::vector<std::string>> LabelValues(std::string_view name,
                                                     std::span<const model::Matcher> matchers,
                                                     TimeRange range) override {
    std::set<std::string, std::less<>> values;
    ForEach(matchers, range, [&values, name](const MemSeries& series) {
      const std::string_view value = series.labels().Get(name);
      if (!value.empty() && values.find(value) == values.end()) {
        values.emplace(value);
      }
    });
    return std::vector<std::string>(values.begin(), values.end());
  }

 private:
  struct Found {
    SeriesRef ref;
    LabelSet labels;
    std::vector<FullChunk> chunks;
  };

  // The chunks of the state file before those of memory.
  base::Result<void> AddStored(const BlockList& blocks, TimeRange range,
                               std::vector<Found>* found) const {
    std::vector<std::pair<SeriesRef, Found*>> by_ref;
    by_ref.reserve(found->size());
    for (Found& one : *found) {
      by_ref.emplace_back(one.ref, &one);
    }
    std::sort(by_ref.begin(), by_ref.end());
    std::vector<SeriesRef> refs;
    refs.reserve(by_ref.size());
    for (const auto& [ref, one] : by_ref) {
      refs.push_back(ref);
    }
    ASSIGN_OR_RETURN(auto stored, ReadChunks(*head_.options_.blocks, blocks, refs, range,
                                             head_.options_.max_select_bytes));
    for (size_t i = 0; i < stored.size(); ++i) {
      if (stored[i].empty()) {
        continue;
      }
      std::vector<FullChunk>& chunks = by_ref[i].second->chunks;
      chunks.insert(chunks.end(), stored[i].begin(), stored[i].end());
      std::stable_sort(chunks.begin(), chunks.end(), [](const FullChunk& a, const FullChunk& b) {
        return a.min_time_ms < b.min_time_ms;
      });
    }
    return {};
  }

  // Calls `visit` under the lock with every series that matches and touches the range; returns
  // where the chunks are that are not in memory at that moment.
  template <typename Visit>
  std::shared_ptr<const BlockList> ForEach(std::span<const model::Matcher> matchers,
                                           TimeRange range, const Visit& visit) const {
    const base::MutexLock lock(head_.mutex_);
    const LabelIndex::Selection selection = head_.index_.Select(matchers);
    const auto consider = [&](const MemSeries& series) {
      if (Touches(series, range) && MatchesAll(series.labels(), selection.rest)) {
        visit(series);
      }
    };
    if (selection.all) {
      for (const auto& [id, series] : head_.series_) {
        consider(series);
      }
      return head_.blocks_;
    }
    for (const SeriesId id : selection.ids) {
      consider(head_.series_.at(id));
    }
    return head_.blocks_;
  }

  const Head& head_;
};

Head::Head(HeadOptions options, const base::Clock& clock) : options_(options), clock_(clock) {}

std::unique_ptr<Appender> Head::NewAppender() { return std::make_unique<BatchAppender>(*this); }

std::unique_ptr<Querier> Head::NewQuerier() const { return std::make_unique<HeadQuerier>(*this); }

base::Result<MemSeries*> Head::Reserve(const model::Labels& labels, model::Sample sample,
                                       int64_t now_ms) {
  const base::MutexLock lock(mutex_);
  MemSeries* series = by_labels_.Find(labels);
  if (series == nullptr) {
    RETURN_IF_ERROR(CheckTimeLocked(sample, now_ms));
    ASSIGN_OR_RETURN(series, CreateLocked(labels));
  } else {
    RETURN_IF_ERROR(CheckLocked(*series, sample, now_ms));
  }
  ++series->pending;
  return series;
}

base::Result<MemSeries*> Head::Reserve(SeriesRef ref, model::Sample sample, int64_t now_ms) {
  const base::MutexLock lock(mutex_);
  MemSeries* series = FindLocked(ref);
  if (series == nullptr) {
    return Error(fmt::format("storage: series {} is gone", ref), ErrorKind::kNotFound);
  }
  RETURN_IF_ERROR(CheckLocked(*series, sample, now_ms));
  ++series->pending;
  return series;
}

const MemSeries* Head::FindLocked(SeriesRef ref) const { return FindIn(series_, ref); }

MemSeries* Head::FindLocked(SeriesRef ref) { return FindIn(series_, ref); }

base::Result<MemSeries*> Head::CreateLocked(const model::Labels& labels) {
  if (series_.size() >= options_.max_series) {
    ++stats_.series_refused;
    return Error(fmt::format("storage: new series {}: the limit of {} series is reached",
                             labels.ToString(), options_.max_series),
                 ErrorKind::kResourceExhausted);
  }
  if (refuse_series_) {
    ++stats_.series_refused;
    return Error(
        fmt::format("storage: new series {}: the memory limit is reached", labels.ToString()),
        ErrorKind::kResourceExhausted);
  }
  // Ids are the low half of refs. They come back after 2^32 series, refs never do.
  do {
    ++last_ref_;
  } while (series_.contains(static_cast<SeriesId>(last_ref_)));
  ++stats_.series_created;
  return &InsertLocked(last_ref_, labels);
}

MemSeries& Head::InsertLocked(SeriesRef ref, const model::Labels& labels) {
  const auto id = static_cast<SeriesId>(ref);
  MemSeries& series =
      series_.try_emplace(id, ref, labels.Hash(), index_.Add(id, labels)).first->second;
  by_labels_.Insert(&series);
  return series;
}

base::Result<void> Head::CheckTimeLocked(model::Sample sample, int64_t now_ms) {
  if (options_.retention.count() == 0) {
    return {};
  }
  if (sample.timestamp_ms < now_ms - options_.retention.count()) {
    ++stats_.samples_too_old;
    return Error("storage: sample is older than the retention", ErrorKind::kInvalidArgument);
  }
  if (sample.timestamp_ms > now_ms + options_.max_future.count()) {
    ++stats_.samples_too_new;
    return Error("storage: sample is too far in the future", ErrorKind::kInvalidArgument);
  }
  return {};
}

// The series has samples that would be refused now: the clock was ahead when they came.
bool Head::IsAhead(const MemSeries& series, int64_t now_ms) const {
  return options_.retention.count() != 0 && series.has_last() &&
         series.max_time_ms() > now_ms + options_.max_future.count();
}

base::Result<void> Head::CheckLocked(const MemSeries& series, model::Sample sample,
                                     int64_t now_ms) {
  RETURN_IF_ERROR(CheckTimeLocked(sample, now_ms));
  const model::Sample last = series.last();
  if (!series.has_last() || sample.timestamp_ms > last.timestamp_ms || IsAhead(series, now_ms)) {
    return {};
  }
  if (sample.timestamp_ms < last.timestamp_ms) {
    ++stats_.samples_out_of_order;
    return Error("storage: out of order sample", ErrorKind::kInvalidArgument);
  }
  if (std::bit_cast<uint64_t>(sample.value) != std::bit_cast<uint64_t>(last.value)) {
    ++stats_.samples_duplicate;
    return Error("storage: duplicate sample for timestamp with another value",
                 ErrorKind::kInvalidArgument);
  }
  return {};
}

void Head::Apply(const Batch& batch) {
  const int64_t now_ms = Now(clock_);
  JournalBatch written;
  if (options_.journal != nullptr) {
    written.samples.reserve(batch.size());
  }
  const base::MutexLock lock(mutex_);
  for (const auto& [series, sample] : batch) {
    --series->pending;
    // Again: an earlier sample of this batch or another appender may have come first.
    if (!CheckLocked(*series, sample, now_ms).ok()) {
      continue;
    }
    if (IsAhead(*series, now_ms)) {
      series->DropFrom(sample.timestamp_ms);
    }
    if (!AppendLocked(*series, sample) || options_.journal == nullptr) {
      continue;
    }
    written.samples.push_back({series->ref(), sample});
    if (!series->stored) {
      written.series.push_back(
          {series->ref(), series->first_time_ms(), LabelSet(series->labels().pairs())});
    }
  }
  if (options_.journal != nullptr) {
    if (!written.samples.empty()) {
      options_.journal->Push(std::move(written));
    }
    return;
  }
  if (options_.retention.count() != 0 && now_ms >= next_truncation_ms_) {
    next_truncation_ms_ = now_ms + options_.retention.count() / kTruncationsPerRetention;
    TruncateLocked(now_ms - options_.retention.count());
  }
}

// False for the same sample again.
bool Head::AppendLocked(MemSeries& series, model::Sample sample) {
  if (series.has_last() && sample.timestamp_ms == series.last().timestamp_ms) {
    return false;
  }
  int64_t max_span_ms = std::numeric_limits<int64_t>::max();
  if (options_.retention.count() != 0) {
    max_span_ms = options_.retention.count() / kChunkSpansPerRetention;
  }
  if (options_.journal == nullptr) {
    series.Append(sample, max_span_ms);
  } else {
    const size_t full = series.full().size();
    series.Append(sample, std::min(max_span_ms, kMaxStoredSpanMs));
    full_bytes_ += series.full().size() > full ? series.full().back().size : 0U;
  }
  ++stats_.samples_appended;
  return true;
}

void Head::Discard(const Batch& batch) {
  if (batch.empty()) {
    return;
  }
  const base::MutexLock lock(mutex_);
  std::vector<MemSeries*> dead;
  for (const auto& [series, sample] : batch) {
    if (--series->pending == 0 && !series->has_last()) {
      dead.push_back(series);
    }
  }
  RemoveLocked(dead);
}

std::vector<SeriesRef> Head::Truncate(int64_t before_ms) {
  const base::MutexLock lock(mutex_);
  return TruncateLocked(before_ms);
}

std::vector<SeriesRef> Head::TruncateLocked(int64_t before_ms) {
  std::vector<MemSeries*> dead;
  std::vector<SeriesRef> refs;
  for (auto& [id, series] : series_) {
    series.Truncate(before_ms);
    if (series.empty() && series.pending == 0 &&
        (!series.has_last() || series.max_time_ms() < before_ms)) {
      dead.push_back(&series);
      refs.push_back(series.ref());
    }
  }
  RemoveLocked(dead);
  return refs;
}

void Head::RemoveLocked(const std::vector<MemSeries*>& dead) {
  if (dead.empty()) {
    return;
  }
  std::vector<LabelIndex::Member> members;
  members.reserve(dead.size());
  for (const MemSeries* series : dead) {
    by_labels_.Erase(series);
    members.push_back({static_cast<SeriesId>(series->ref()), &series->labels()});
  }
  const std::vector<LabelIndex::Member> ids = members;
  index_.Remove(std::move(members));
  for (const LabelIndex::Member& member : ids) {
    series_.erase(member.id);
  }
  stats_.series_removed += dead.size();
}

void Head::RestoreRefs(size_t series, SeriesRef last_ref) {
  const base::MutexLock lock(mutex_);
  series_.reserve(series);
  last_ref_ = std::max(last_ref_, last_ref);
}

void Head::Restore(SeriesRef ref, const model::Labels& labels, int64_t first_ms,
                   std::optional<int64_t> last_ms) {
  const base::MutexLock lock(mutex_);
  if (by_labels_.Find(labels) == nullptr && !series_.contains(static_cast<SeriesId>(ref))) {
    InsertLocked(ref, labels).Restore(first_ms, last_ms);
    last_ref_ = std::max(last_ref_, ref);
  }
}

void Head::FinishRestore(int64_t last_ms) {
  const base::MutexLock lock(mutex_);
  for (auto& [id, series] : series_) {
    if (!series.has_last()) {
      series.Restore(series.first_time_ms(), std::max(series.first_time_ms(), last_ms));
    }
  }
}

bool Head::RestoreOpen(SeriesRef ref, const FullChunk& chunk) {
  const base::MutexLock lock(mutex_);
  MemSeries* series = FindLocked(ref);
  return series != nullptr && series->RestoreOpen(chunk);
}

size_t Head::Replay(std::span<const JournalSample> samples) {
  const base::MutexLock lock(mutex_);
  size_t unknown = 0;
  for (const JournalSample& one : samples) {
    MemSeries* series = FindLocked(one.ref);
    if (series == nullptr) {
      ++unknown;
      continue;
    }
    // The clock had been ahead and was set back.
    const int64_t time_ms = one.sample.timestamp_ms;
    if (series->has_last() && time_ms < series->max_time_ms() - options_.max_future.count()) {
      series->DropFrom(time_ms);
    }
    if (!series->has_last() || time_ms > series->max_time_ms()) {
      AppendLocked(*series, one.sample);
      --stats_.samples_appended;  // An earlier run did that.
    }
  }
  return unknown;
}

void Head::SetBlocks(std::shared_ptr<const BlockList> blocks) {
  const base::MutexLock lock(mutex_);
  blocks_ = std::move(blocks);
}

std::shared_ptr<const BlockList> Head::blocks() const {
  const base::MutexLock lock(mutex_);
  return blocks_;
}

std::vector<SeriesRef> Head::Refs() const {
  std::vector<SeriesRef> refs;
  {
    const base::MutexLock lock(mutex_);
    refs.reserve(series_.size());
    for (const auto& [id, series] : series_) {
      refs.push_back(series.ref());
    }
  }
  std::sort(refs.begin(), refs.end());
  return refs;
}

std::vector<CapturedSeries> Head::Capture(std::span<const SeriesRef> refs,
                                          int64_t idle_before_ms) const {
  std::vector<CapturedSeries> captured;
  const base::MutexLock lock(mutex_);
  for (const SeriesRef ref : refs) {
    const MemSeries* series = FindLocked(ref);
    if (series == nullptr || series->empty()) {
      continue;
    }
    CapturedSeries one{.ref = ref,
                       .first_time_ms = series->first_time_ms(),
                       .last_time_ms = series->max_time_ms(),
                       .labels = std::nullopt,
                       .full = series->full(),
                       .open = series->CopyOpen(),
                       .idle = series->max_time_ms() < idle_before_ms};
    if (!series->stored) {
      one.labels.emplace(series->labels().pairs());
    }
    captured.push_back(std::move(one));
  }
  return captured;
}

void Head::Publish(std::span<const StoredSeries> stored, std::shared_ptr<const BlockList> blocks) {
  const base::MutexLock lock(mutex_);
  blocks_ = std::move(blocks);
  for (const StoredSeries& one : stored) {
    MemSeries* series = FindLocked(one.ref);
    if (series == nullptr) {
      continue;
    }
    for (const FullChunk& chunk : series->full()) {
      full_bytes_ -=
          chunk.max_time_ms <= one.up_to_ms ? std::min<size_t>(full_bytes_, chunk.size) : 0U;
    }
    series->DropStored(one.up_to_ms);
  }
}

void Head::MarkStored(std::span<const SeriesRef> refs) {
  const base::MutexLock lock(mutex_);
  for (const SeriesRef ref : refs) {
    if (MemSeries* series = FindLocked(ref); series != nullptr) {
      series->stored = true;
    }
  }
}

size_t Head::full_bytes() const {
  const base::MutexLock lock(mutex_);
  return full_bytes_;
}

void Head::RefuseSeries(bool refuse) {
  const base::MutexLock lock(mutex_);
  refuse_series_ = refuse;
}

void Head::Shed(size_t max_bytes) {
  const base::MutexLock lock(mutex_);
  std::vector<std::pair<int64_t, uint32_t>> ends;  // Of all full chunks: last time, size.
  size_t bytes = 0;
  for (const auto& [id, series] : series_) {
    for (const FullChunk& chunk : series.full()) {
      ends.emplace_back(chunk.max_time_ms, chunk.size);
      bytes += chunk.size;
    }
  }
  std::sort(ends.begin(), ends.end());
  int64_t up_to_ms = std::numeric_limits<int64_t>::min();
  for (auto end = ends.begin(); end != ends.end() && bytes > max_bytes; ++end) {
    bytes -= end->second;
    up_to_ms = end->first;
  }
  full_bytes_ = 0;
  for (auto& [id, series] : series_) {
    const size_t before = series.samples();
    series.DropFull(up_to_ms);
    stats_.samples_shed += before - series.samples();
    for (const FullChunk& chunk : series.full()) {
      full_bytes_ += chunk.size;
    }
  }
}

HeadStats Head::Stats() const {
  const base::MutexLock lock(mutex_);
  HeadStats stats = stats_;
  stats.series = series_.size();
  stats.index_bytes = index_.MemoryBytes() + by_labels_.MemoryBytes();
  bool first = true;
  for (const auto& [id, series] : series_) {
    stats.chunks += series.chunks();
    stats.samples += series.samples();
    stats.sample_bytes += series.SampleBytes();
    for (const FullChunk& chunk : series.full()) {
      stats.full_bytes += chunk.size;
    }
    stats.index_bytes += series.IndexBytes();
    if (series.empty()) {
      continue;
    }
    stats.min_time_ms =
        first ? series.min_time_ms() : std::min(stats.min_time_ms, series.min_time_ms());
    stats.max_time_ms =
        first ? series.max_time_ms() : std::max(stats.max_time_ms, series.max_time_ms());
    first = false;
  }
  return stats;
}

}  // namespace storage
