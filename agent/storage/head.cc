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

int64_t Now(const base::Clock& clock) { return base::ToMillis(clock.Now()); }

// Samples of a snapshot, clipped to the range.
class ChunksCursor final : public SampleCursor {
 public:
  ChunksCursor(std::span<const FullChunk> chunks, TimeRange range)
      : chunks_(chunks), range_(range), reader_({}, 0) {}

  bool Next(model::Sample* sample) override {
    for (;;) {
      while (reader_.Next(sample)) {
        if (sample->timestamp_ms > range_.end_ms) {
          return false;
        }
        if (sample->timestamp_ms >= range_.start_ms) {
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

bool Touches(const MemSeries& series, TimeRange range) {
  return !series.empty() && series.min_time_ms() <= range.end_ms &&
         series.max_time_ms() >= range.start_ms;
}

}  // namespace

class Head::BatchAppender final : public Appender {
 public:
  explicit BatchAppender(Head& head) : head_(head) {}
  ~BatchAppender() override { head_.Discard(batch_); }
  BatchAppender(const BatchAppender&) = delete;
  BatchAppender& operator=(const BatchAppender&) = delete;

  base::Result<SeriesRef> Append(const model::Labels& labels, int64_t timestamp_ms,
                                 double value) override {
    const model::Sample sample{timestamp_ms, value};
    ASSIGN_OR_RETURN(MemSeries* const series, head_.Reserve(labels, sample));
    batch_.emplace_back(series, sample);
    return series->ref();
  }

  base::Result<void> Append(SeriesRef ref, int64_t timestamp_ms, double value) override {
    const model::Sample sample{timestamp_ms, value};
    ASSIGN_OR_RETURN(MemSeries* const series, head_.Reserve(ref, sample));
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
  Batch batch_;
};

// Each Select is consistent in itself.
class Head::HeadQuerier final : public Querier {
 public:
  explicit HeadQuerier(const Head& head) : head_(head) {}

  base::Result<std::vector<std::unique_ptr<Series>>> Select(
      std::span<const model::Matcher> matchers, TimeRange range) override {
    struct Found {
      LabelSet labels;
      std::vector<FullChunk> chunks;
    };
    std::vector<Found> found;
    ForEach(matchers, range, [&found, range](const MemSeries& series) {
      std::vector<FullChunk> chunks = series.Snapshot(range.start_ms, range.end_ms);
      if (!chunks.empty()) {
        found.push_back({LabelSet(series.labels().pairs()), std::move(chunks)});
      }
    });
    std::vector<std::unique_ptr<Series>> selected;
    selected.reserve(found.size());
    for (Found& one : found) {
      selected.push_back(
          std::make_unique<SnapshotSeries>(one.labels.Build(), std::move(one.chunks), range));
    }
    std::sort(selected.begin(), selected.end(),
              [](const auto& a, const auto& b) { return a->labels() < b->labels(); });
    return selected;
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
  // Calls `visit` under the lock with every series that matches and touches the range.
  template <typename Visit>
  void ForEach(std::span<const model::Matcher> matchers, TimeRange range,
               const Visit& visit) const {
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
      return;
    }
    for (const SeriesId id : selection.ids) {
      consider(head_.series_.at(id));
    }
  }

  const Head& head_;
};

Head::Head(HeadOptions options, const base::Clock& clock) : options_(options), clock_(clock) {}

std::unique_ptr<Appender> Head::NewAppender() { return std::make_unique<BatchAppender>(*this); }

std::unique_ptr<Querier> Head::NewQuerier() const { return std::make_unique<HeadQuerier>(*this); }

base::Result<MemSeries*> Head::Reserve(const model::Labels& labels, model::Sample sample) {
  const base::MutexLock lock(mutex_);
  MemSeries* series = by_labels_.Find(labels);
  if (series == nullptr) {
    RETURN_IF_ERROR(CheckTimeLocked(sample));
    ASSIGN_OR_RETURN(series, CreateLocked(labels));
  } else {
    RETURN_IF_ERROR(CheckLocked(*series, sample));
  }
  ++series->pending;
  return series;
}

base::Result<MemSeries*> Head::Reserve(SeriesRef ref, model::Sample sample) {
  const base::MutexLock lock(mutex_);
  const auto found = series_.find(static_cast<SeriesId>(ref));
  if (found == series_.end() || found->second.ref() != ref) {
    return Error(fmt::format("storage: series {} is gone", ref), ErrorKind::kNotFound);
  }
  MemSeries& series = found->second;
  RETURN_IF_ERROR(CheckLocked(series, sample));
  ++series.pending;
  return &series;
}

base::Result<MemSeries*> Head::CreateLocked(const model::Labels& labels) {
  if (series_.size() >= options_.max_series) {
    ++stats_.series_refused;
    return Error(fmt::format("storage: new series {}: the limit of {} series is reached",
                             labels.ToString(), options_.max_series),
                 ErrorKind::kResourceExhausted);
  }
  // Ids are the low half of refs. They come back after 2^32 series, refs never do.
  do {
    ++last_ref_;
  } while (series_.contains(static_cast<SeriesId>(last_ref_)));
  const auto id = static_cast<SeriesId>(last_ref_);
  const auto created = series_.try_emplace(id, last_ref_, labels.Hash(), index_.Add(id, labels));
  MemSeries* series = &created.first->second;
  by_labels_.Insert(series);
  ++stats_.series_created;
  return series;
}

base::Result<void> Head::CheckTimeLocked(model::Sample sample) {
  if (options_.retention.count() == 0) {
    return {};
  }
  const int64_t now_ms = Now(clock_);
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

base::Result<void> Head::CheckLocked(const MemSeries& series, model::Sample sample) {
  RETURN_IF_ERROR(CheckTimeLocked(sample));
  const model::Sample last = series.last();
  if (series.empty() || sample.timestamp_ms > last.timestamp_ms) {
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
  const base::MutexLock lock(mutex_);
  for (const auto& [series, sample] : batch) {
    --series->pending;
    // Again: an earlier sample of this batch or another appender may have come first.
    if (CheckLocked(*series, sample).ok()) {
      AppendLocked(*series, sample);
    }
  }
  if (options_.retention.count() == 0) {
    return;
  }
  const int64_t now_ms = Now(clock_);
  if (now_ms >= next_truncation_ms_) {
    next_truncation_ms_ = now_ms + options_.retention.count() / kTruncationsPerRetention;
    TruncateLocked(now_ms - options_.retention.count());
  }
}

void Head::AppendLocked(MemSeries& series, model::Sample sample) {
  if (!series.empty() && sample.timestamp_ms == series.last().timestamp_ms) {
    return;  // The same sample again.
  }
  const int64_t max_span_ms = options_.retention.count() == 0
                                  ? std::numeric_limits<int64_t>::max()
                                  : options_.retention.count() / kChunkSpansPerRetention;
  series.Append(sample, max_span_ms);
  ++stats_.samples_appended;
}

void Head::Discard(const Batch& batch) {
  if (batch.empty()) {
    return;
  }
  const base::MutexLock lock(mutex_);
  std::vector<MemSeries*> dead;
  for (const auto& [series, sample] : batch) {
    if (--series->pending == 0 && series->empty()) {
      dead.push_back(series);
    }
  }
  RemoveLocked(dead);
}

void Head::Truncate(int64_t before_ms) {
  const base::MutexLock lock(mutex_);
  TruncateLocked(before_ms);
}

void Head::TruncateLocked(int64_t before_ms) {
  std::vector<MemSeries*> dead;
  for (auto& [id, series] : series_) {
    series.Truncate(before_ms);
    if (series.empty() && series.pending == 0) {
      dead.push_back(&series);
    }
  }
  RemoveLocked(dead);
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
