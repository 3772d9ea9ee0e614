#include "agent/storage/store.h"

#include <algorithm>
#include <span>
#include <utility>

#include <fmt/format.h>

#include "agent/storage/chunk_pack.h"
#include "lib/base/duration.h"

namespace storage {
namespace {

using std::chrono::milliseconds;

// Series looked at under one lock of the head.
constexpr size_t kCapturedAtOnce = 1'000;

// Collects chunks until they are worth a record. Keeps their bytes alive that long.
class PackBuilder {
 public:
  void Add(SeriesRef ref, FullChunk chunk) {
    bytes_ += chunk.size;
    packed_.push_back({.ref = ref,
                       .min_time_ms = chunk.min_time_ms,
                       .max_time_ms = chunk.max_time_ms,
                       .count = chunk.count,
                       .bytes = chunk.data()});
    owners_.push_back(std::move(chunk.bytes));
  }
  bool full() const { return bytes_ >= kBlockBytes; }
  bool empty() const { return packed_.empty(); }
  std::span<const PackedChunk> chunks() const { return packed_; }
  void Clear() {
    packed_.clear();
    owners_.clear();
    bytes_ = 0;
  }

 private:
  std::vector<PackedChunk> packed_;
  std::vector<std::shared_ptr<const uint8_t[]>> owners_;
  size_t bytes_ = 0;
};

// One checkpoint, series by series.
class CheckpointWriter {
 public:
  explicit CheckpointWriter(SampleFile& file) : file_(file) {}

  base::Result<void> Add(CapturedSeries series) {
    if (series.labels) {
      RETURN_IF_ERROR(file_.AddSeries(series.ref, series.first_time_ms, *series.labels));
      named_.push_back(series.ref);
    }
    const bool has_open = series.open.count > 0;
    if (series.idle && has_open) {
      series.full.push_back(std::exchange(series.open, {}));
      RETURN_IF_ERROR(file_.SetLastTime(series.ref, series.last_time_ms));
    }
    if (!series.full.empty()) {
      stored_.push_back({series.ref, series.full.back().max_time_ms});
    }
    for (FullChunk& chunk : series.full) {
      blocks_.Add(series.ref, std::move(chunk));
      RETURN_IF_ERROR(FlushBlock(blocks_.full()));
    }
    if (series.open.count > 0) {
      tails_.Add(series.ref, std::move(series.open));
      RETURN_IF_ERROR(FlushTails(tails_.full()));
    }
    return {};
  }

  base::Result<void> Finish() {
    RETURN_IF_ERROR(FlushBlock(!blocks_.empty()));
    return FlushTails(!tails_.empty());
  }

  const std::vector<Block>& added() const { return added_; }
  const std::vector<StoredSeries>& stored() const { return stored_; }
  const std::vector<SeriesRef>& named() const { return named_; }

 private:
  base::Result<void> FlushBlock(bool due) {
    if (due) {
      ASSIGN_OR_RETURN(const Block block, file_.AddBlock(blocks_.chunks()));
      added_.push_back(block);
      blocks_.Clear();
    }
    return {};
  }

  base::Result<void> FlushTails(bool due) {
    if (due) {
      RETURN_IF_ERROR(file_.AddTails(tails_.chunks()));
      tails_.Clear();
    }
    return {};
  }

  SampleFile& file_;
  PackBuilder blocks_;
  PackBuilder tails_;
  std::vector<Block> added_;
  std::vector<StoredSeries> stored_;
  std::vector<SeriesRef> named_;
};

milliseconds WallAhead(const base::Clock& clock) {
  return std::chrono::duration_cast<milliseconds>(clock.Now().time_since_epoch() -
                                                  clock.Monotonic().time_since_epoch());
}

}  // namespace

Store::Store(StoreOptions options, const state::StateFile* file, const base::Clock& clock,
             const base::Logger& logger)
    : options_(options),
      file_(file),
      clock_(clock),
      logger_(logger),
      next_retry_(clock.Monotonic()),
      next_checkpoint_(clock.Monotonic() + kCheckpointPeriod),
      next_retention_(clock.Monotonic()),
      believed_(WallAhead(clock)),
      seen_(believed_),
      seen_since_(clock.Monotonic()) {}

base::Result<std::unique_ptr<Store>> Store::Open(StoreOptions options, const state::StateFile* file,
                                                 const base::Clock& clock,
                                                 const base::Logger& logger) {
  std::unique_ptr<Store> store(new Store(options, file, clock, logger));
  HeadOptions head{.retention = options.retention, .max_series = options.max_series};
  if (options.memory_limit != 0) {
    head.max_select_bytes =
        std::min<uint64_t>(kMaxSelectBytes, options.memory_limit / kMemoryShares);
  }
  if (file == nullptr) {
    store->head_ = std::make_unique<Head>(head, clock);
    store->StartThread();
    return store;
  }
  const base::MonotonicTime start = clock.Monotonic();
  ASSIGN_OR_RETURN(store->samples_, SampleFile::Open(*file));
  head.journal = store.get();
  head.blocks = store->samples_.get();
  store->head_ = std::make_unique<Head>(head, clock);
  ASSIGN_OR_RETURN(const LoadCounts loaded, store->samples_->Load(store->head_.get()));
  if (loaded.damaged > 0) {
    logger.Error("damaged records of the state file were passed over",
                 {{"file", file->path()}, {"records", std::to_string(loaded.damaged)}});
  }
  {
    const base::MutexLock lock(store->stats_mutex_);
    store->stats_.loaded = loaded;
    store->stats_.load_seconds = base::ToSeconds(clock.Monotonic() - start);
  }
  store->StartThread();
  return store;
}

void Store::StartThread() {
  if (options_.background && (samples_ != nullptr || options_.memory_limit != 0)) {
    writer_ = std::thread([this] { Run(); });
  }
}

Store::~Store() {
  stop_.Request();
  if (writer_.joinable()) {
    writer_.join();
  }
  if (head_ != nullptr && options_.background) {
    Sync();
    Checkpoint();
  }
}

// The queue is bounded by samples; what does not fit is in the head all the same.
void Store::Push(JournalBatch batch) {
  const base::MutexLock lock(queue_mutex_);
  if (queued_samples_ + batch.samples.size() > kMaxQueuedSamples) {
    unjournaled_samples_ += batch.samples.size();
    overflowed_ = true;
    return;
  }
  queued_samples_ += batch.samples.size();
  queue_.push_back(std::move(batch));
}

std::vector<JournalBatch> Store::TakeQueue() {
  const base::MutexLock lock(queue_mutex_);
  queued_samples_ = 0;
  return std::exchange(queue_, {});
}

void Store::Run() {
  while (!clock_.SleepUntil(clock_.Monotonic() + kJournalPeriod, stop_)) {
    const base::MonotonicTime now = clock_.Monotonic();
    const base::MutexLock lock(write_mutex_);
    SyncLocked();
    bool overflowed = false;
    {
      const base::MutexLock queue_lock(queue_mutex_);
      overflowed = overflowed_;
    }
    const bool due = now >= next_checkpoint_ || overflowed || head_->full_bytes() > kMaxFullBytes;
    if (degraded_ ? now >= next_retry_ : due) {
      CheckpointLocked();
    }
    if (now >= next_retention_) {
      RetentionLocked();
    }
    if (now >= next_memory_) {
      MemoryLocked();
    }
  }
}

void Store::Sync() {
  const base::MutexLock lock(write_mutex_);
  SyncLocked();
}

void Store::Checkpoint() {
  const base::MutexLock lock(write_mutex_);
  CheckpointLocked();
}

void Store::ApplyRetention() {
  const base::MutexLock lock(write_mutex_);
  RetentionLocked();
}

void Store::SyncLocked() {
  if (samples_ == nullptr) {
    return;
  }
  const std::vector<JournalBatch> batches = TakeQueue();
  if (batches.empty()) {
    return;
  }
  size_t queued = 0;
  std::vector<SeriesRef> named;
  for (const JournalBatch& batch : batches) {
    queued += batch.samples.size();
    for (const JournalSeries& series : batch.series) {
      named.push_back(series.ref);
    }
  }
  base::Result<void> written;
  if (!degraded_) {
    written = samples_->AppendJournal(batches);
    if (written.ok()) {
      head_->MarkStored(named);
      const base::MutexLock lock(stats_mutex_);
      ++stats_.journal_writes;
      return;
    }
    NoteFailure(written.error());
  }
  const base::MutexLock lock(queue_mutex_);
  unjournaled_samples_ += queued;
}

void Store::CheckpointLocked() {
  if (samples_ == nullptr) {
    return;
  }
  next_checkpoint_ = clock_.Monotonic() + kCheckpointPeriod;
  {
    const base::MutexLock lock(queue_mutex_);
    overflowed_ = false;
  }
  const base::Result<void> written = WriteCheckpoint();
  if (!written.ok()) {
    NoteFailure(written.error());
    return;
  }
  NoteWritten();
}

base::Result<void> Store::WriteCheckpoint() {
  const int64_t idle_before_ms =
      base::ToMillis(clock_.Now()) - std::chrono::duration_cast<milliseconds>(kIdleSeries).count();
  const std::vector<SeriesRef> refs = head_->Refs();
  ASSIGN_OR_RETURN(state::Transaction transaction, samples_->BeginCheckpoint());
  CheckpointWriter writer(*samples_);
  for (size_t at = 0; at < refs.size(); at += kCapturedAtOnce) {
    const auto slice = std::span(refs).subspan(at, std::min(kCapturedAtOnce, refs.size() - at));
    for (CapturedSeries& series : head_->Capture(slice, idle_before_ms)) {
      RETURN_IF_ERROR(writer.Add(std::move(series)));
    }
  }
  RETURN_IF_ERROR(writer.Finish());
  RETURN_IF_ERROR(transaction.Commit());
  BlockList blocks = *head_->blocks();
  blocks.insert(blocks.end(), writer.added().begin(), writer.added().end());
  head_->MarkStored(writer.named());
  head_->Publish(writer.stored(), std::make_shared<const BlockList>(std::move(blocks)));
  return samples_->SyncToDisk();
}

void Store::RetentionLocked() {
  if (samples_ == nullptr) {
    return;
  }
  next_retention_ = clock_.Monotonic() + kRetentionPeriod;
  if (const auto removed = RemoveOld(); !removed.ok()) {
    NoteFailure(removed.error());
  }
}

void Store::ApplyMemoryLimit() {
  const base::MutexLock lock(write_mutex_);
  MemoryLocked();
}

void Store::MemoryLocked() {
  next_memory_ = clock_.Monotonic() + kMemoryPeriod;
  const uint64_t limit = options_.memory_limit;
  if (limit == 0) {
    return;
  }
  StoreStats stats = Stats();
  if (stats.memory_bytes > limit - limit / kMemoryShares && stats.head.full_bytes > 0 &&
      samples_ != nullptr && !degraded_) {
    CheckpointLocked();
    stats = Stats();
  }
  if (stats.memory_bytes > limit && stats.head.full_bytes > 0) {
    const uint64_t excess = stats.memory_bytes - limit;
    head_->Shed(stats.head.full_bytes - std::min<uint64_t>(stats.head.full_bytes, excess));
    stats = Stats();
  }
  head_->RefuseSeries(stats.memory_bytes >= limit);
}

base::Result<void> Store::RemoveOld() {
  const std::shared_ptr<const BlockList> blocks = head_->blocks();
  std::vector<Block> by_age = *blocks;
  std::sort(by_age.begin(), by_age.end(),
            [](const Block& a, const Block& b) { return a.max_time_ms < b.max_time_ms; });
  const bool ages = options_.retention.count() != 0;
  const int64_t cutoff_ms = SettledNow() - options_.retention.count();
  size_t old = 0;
  while (ages && old < by_age.size() && by_age[old].max_time_ms < cutoff_ms) {
    ++old;
  }
  ASSIGN_OR_RETURN(const uint64_t used, samples_->UsedBytes());
  uint64_t excess = options_.retention_bytes != 0 && used > options_.retention_bytes
                        ? used - options_.retention_bytes
                        : 0;
  size_t removed = 0;
  for (; removed < by_age.size() && (removed < old || excess > 0); ++removed) {
    excess -= std::min(excess, by_age[removed].bytes);
  }
  if (removed > 0) {
    RETURN_IF_ERROR(samples_->DeleteBlocks(std::span(by_age).first(removed)));
    BlockList kept(by_age.begin() + static_cast<std::ptrdiff_t>(removed), by_age.end());
    std::sort(kept.begin(), kept.end(), [](const Block& a, const Block& b) { return a.id < b.id; });
    head_->SetBlocks(std::make_shared<const BlockList>(std::move(kept)));
    const base::MutexLock lock(stats_mutex_);
    ++(removed > old ? stats_.size_retentions : stats_.time_retentions);
  }
  // A series goes when no block can hold a sample of it.
  int64_t oldest_ms = cutoff_ms;
  if (removed < by_age.size()) {
    int64_t first_ms = by_age[removed].min_time_ms;
    for (size_t i = removed; i < by_age.size(); ++i) {
      first_ms = std::min(first_ms, by_age[i].min_time_ms);
    }
    oldest_ms = removed > old ? first_ms : std::min(cutoff_ms, first_ms);
  }
  if (ages || removed > old) {
    const std::vector<SeriesRef> dead = head_->Truncate(oldest_ms);
    if (!dead.empty()) {
      RETURN_IF_ERROR(samples_->DeleteSeries(dead));
    }
  }
  return samples_->Shrink();
}

// The wall clock, unless it jumped a short while ago.
int64_t Store::SettledNow() {
  constexpr milliseconds kDrift = std::chrono::minutes(10);
  const base::MonotonicTime now = clock_.Monotonic();
  const milliseconds ahead = WallAhead(clock_);
  if (std::chrono::abs(ahead - seen_) > kDrift) {
    seen_since_ = now;
  }
  seen_ = ahead;
  if (std::chrono::abs(ahead - believed_) <= kDrift || now - seen_since_ >= kClockSettling) {
    believed_ = ahead;
  }
  return std::chrono::duration_cast<milliseconds>(now.time_since_epoch() + believed_).count();
}

// One line when writing begins to fail and one when it works again, however often it is tried.
void Store::NoteFailure(const base::Error& error) {
  next_retry_ = clock_.Monotonic() + kRetryPeriod;
  {
    const base::MutexLock lock(stats_mutex_);
    ++stats_.write_failures;
    stats_.degraded = true;
  }
  if (!std::exchange(degraded_, true)) {
    logger_.Error("samples are kept in memory only until the state file can be written",
                  {{"error", error.message()}});
  }
}

void Store::NoteWritten() {
  {
    const base::MutexLock lock(stats_mutex_);
    ++stats_.checkpoints;
    stats_.degraded = false;
  }
  if (std::exchange(degraded_, false)) {
    logger_.Info("the state file can be written again", {{"file", file_->path()}});
  }
}

StoreStats Store::Stats() const {
  StoreStats stats;
  {
    const base::MutexLock lock(stats_mutex_);
    stats = stats_;
  }
  stats.head = head_->Stats();
  {
    const base::MutexLock lock(queue_mutex_);
    stats.queued_samples = queued_samples_;
    stats.unjournaled_samples = unjournaled_samples_;
  }
  stats.memory_bytes = stats.head.index_bytes + stats.head.sample_bytes +
                       stats.queued_samples * sizeof(JournalSample);
  if (samples_ == nullptr) {
    return stats;
  }
  stats.durable = true;
  stats.file_bytes = file_->Bytes();
  stats.damaged_records = stats.loaded.damaged + samples_->damaged();
  const std::shared_ptr<const BlockList> blocks = head_->blocks();
  stats.blocks = blocks->size();
  for (const Block& block : *blocks) {
    stats.block_chunks += block.chunks;
    stats.block_samples += block.samples;
    stats.block_bytes += block.bytes;
    if (stats.head.min_time_ms == 0 || block.min_time_ms < stats.head.min_time_ms) {
      stats.head.min_time_ms = block.min_time_ms;
    }
    stats.head.max_time_ms = std::max(stats.head.max_time_ms, block.max_time_ms);
  }
  return stats;
}

}  // namespace storage
