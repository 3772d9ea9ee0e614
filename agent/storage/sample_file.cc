#include "agent/storage/sample_file.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "agent/storage/chunk_pack.h"

namespace storage {
namespace {

using base::Error;
using base::ErrorKind;
using state::Database;
using state::Statement;
using state::Transaction;

constexpr std::string_view kMigrations[] = {
    "CREATE TABLE storage_series (id INTEGER PRIMARY KEY AUTOINCREMENT, labels BLOB NOT NULL,"
    "  first_time INTEGER NOT NULL, last_time INTEGER);"
    "CREATE TABLE storage_blocks (id INTEGER PRIMARY KEY AUTOINCREMENT, min_time INTEGER NOT NULL,"
    "  max_time INTEGER NOT NULL, first_series INTEGER NOT NULL, last_series INTEGER NOT NULL,"
    "  samples INTEGER NOT NULL, chunks INTEGER NOT NULL, bytes INTEGER NOT NULL);"
    "CREATE TABLE storage_block_data (id INTEGER PRIMARY KEY, data BLOB NOT NULL);"
    "CREATE TABLE storage_tails (id INTEGER PRIMARY KEY, data BLOB NOT NULL);"
    "CREATE TABLE storage_journal (id INTEGER PRIMARY KEY, data BLOB NOT NULL);"};

// Connections kept for queries; more are opened when more run at once, and closed after.
constexpr size_t kIdleReaders = 4;
// Free pages are given back when they are more than a quarter of the file.
constexpr int64_t kFreeShare = 4;
constexpr int64_t kMinFreePages = 1'024;

// Calls `visit` with every row.
template <typename Visit>
base::Result<void> ForEachRow(Database& database, std::string_view sql, const Visit& visit) {
  ASSIGN_OR_RETURN(Statement rows, database.Prepare(sql));
  for (;;) {
    ASSIGN_OR_RETURN(const bool row, rows.Step());
    if (!row) {
      return {};
    }
    visit(rows);
  }
}

FullChunk Borrow(const PackedChunk& chunk) {
  return {.min_time_ms = chunk.min_time_ms,
          .max_time_ms = chunk.max_time_ms,
          .bytes = std::shared_ptr<const uint8_t[]>(std::shared_ptr<void>(), chunk.bytes.data()),
          .size = static_cast<uint32_t>(chunk.bytes.size()),
          .count = chunk.count};
}

SeriesRef Ref(const Statement& row, int column) { return static_cast<SeriesRef>(row.Int(column)); }

constexpr std::string_view kInsertSeries =
    "INSERT OR IGNORE INTO storage_series (id, labels, first_time) VALUES (?, ?, ?)";

}  // namespace

base::Result<std::unique_ptr<SampleFile>> SampleFile::Open(const state::StateFile& file) {
  ASSIGN_OR_RETURN(Database writer, file.Connect());
  RETURN_IF_ERROR(writer.Migrate("storage", kMigrations));
  return std::unique_ptr<SampleFile>(new SampleFile(file, std::move(writer)));
}

base::Result<LoadCounts> SampleFile::Load(Head* head) {
  LoadCounts counts;
  RETURN_IF_ERROR(LoadSeries(head, &counts));
  RETURN_IF_ERROR(LoadBlocks(head, &counts));
  RETURN_IF_ERROR(LoadTails(head, &counts));
  RETURN_IF_ERROR(LoadJournal(head, &counts));
  int64_t last_ms = 0;
  for (const Block& block : *head->blocks()) {
    last_ms = std::max(last_ms, block.max_time_ms);
  }
  head->FinishRestore(last_ms);
  return counts;
}

base::Result<void> SampleFile::LoadSeries(Head* head, LoadCounts* counts) {
  ASSIGN_OR_RETURN(const int64_t size, writer_.QueryInt("SELECT count(*) FROM storage_series"));
  ASSIGN_OR_RETURN(const int64_t last, writer_.QueryInt("SELECT ifnull(max(seq), 0) FROM "
                                                        "sqlite_sequence WHERE name = "
                                                        "'storage_series'"));
  head->RestoreRefs(static_cast<size_t>(size), static_cast<SeriesRef>(last));
  return ForEachRow(writer_,
                    "SELECT id, labels, first_time, last_time FROM storage_series "
                    "ORDER BY id",
                    [head, counts](const Statement& row) {
                      const auto labels = ParseLabels(row.Blob(1));
                      if (!labels.ok()) {
                        ++counts->damaged;
                        return;
                      }
                      head->Restore(Ref(row, 0), *labels, row.Int(2),
                                    row.IsNull(3) ? std::nullopt : std::optional(row.Int(3)));
                      ++counts->series;
                    });
}

base::Result<void> SampleFile::LoadBlocks(Head* head, LoadCounts* counts) {
  BlockList blocks;
  RETURN_IF_ERROR(
      ForEachRow(writer_,
                 "SELECT id, min_time, max_time, first_series, last_series, samples, chunks, bytes "
                 "FROM storage_blocks ORDER BY id",
                 [&blocks](const Statement& row) {
                   blocks.push_back({.id = row.Int(0),
                                     .min_time_ms = row.Int(1),
                                     .max_time_ms = row.Int(2),
                                     .first = Ref(row, 3),
                                     .last = Ref(row, 4),
                                     .samples = static_cast<uint64_t>(row.Int(5)),
                                     .chunks = static_cast<uint64_t>(row.Int(6)),
                                     .bytes = static_cast<uint64_t>(row.Int(7))});
                 }));
  counts->blocks = blocks.size();
  head->SetBlocks(std::make_shared<const BlockList>(std::move(blocks)));
  return {};
}

base::Result<void> SampleFile::LoadTails(Head* head, LoadCounts* counts) {
  return ForEachRow(writer_, "SELECT data FROM storage_tails ORDER BY id",
                    [head, counts](const Statement& row) {
                      const auto chunks = ParseChunkPack(row.Blob(0));
                      if (!chunks.ok()) {
                        ++counts->damaged;
                        return;
                      }
                      for (const PackedChunk& chunk : *chunks) {
                        const bool restored = head->RestoreOpen(chunk.ref, Borrow(chunk));
                        ++(restored ? counts->open_chunks : counts->damaged);
                      }
                    });
}

base::Result<void> SampleFile::LoadJournal(Head* head, LoadCounts* counts) {
  return ForEachRow(writer_, "SELECT data FROM storage_journal ORDER BY id",
                    [head, counts](const Statement& row) {
                      const auto samples = ParseJournalRecord(row.Blob(0));
                      if (!samples.ok()) {
                        ++counts->damaged;
                        return;
                      }
                      counts->damaged += head->Replay(*samples);
                      counts->journal_samples += samples->size();
                    });
}

base::Result<void> SampleFile::AppendJournal(std::span<const JournalBatch> batches) {
  ASSIGN_OR_RETURN(Transaction transaction, Transaction::Begin(writer_));
  std::vector<JournalSample> samples;
  for (const JournalBatch& batch : batches) {
    for (const JournalSeries& series : batch.series) {
      RETURN_IF_ERROR(AddSeries(series.ref, series.first_time_ms, series.labels));
    }
    samples.insert(samples.end(), batch.samples.begin(), batch.samples.end());
  }
  ASSIGN_OR_RETURN(Statement insert,
                   writer_.Prepare("INSERT INTO storage_journal (data) VALUES (?)"));
  RETURN_IF_ERROR(insert.Run(std::span<const uint8_t>(WriteJournalRecord(samples))));
  return transaction.Commit();
}

base::Result<void> SampleFile::DeleteBlocks(std::span<const Block> blocks) {
  ASSIGN_OR_RETURN(Transaction transaction, Transaction::Begin(writer_));
  ASSIGN_OR_RETURN(Statement place, writer_.Prepare("DELETE FROM storage_blocks WHERE id = ?"));
  ASSIGN_OR_RETURN(Statement data, writer_.Prepare("DELETE FROM storage_block_data WHERE id = ?"));
  for (const Block& block : blocks) {
    RETURN_IF_ERROR(place.Run(block.id));
    RETURN_IF_ERROR(data.Run(block.id));
  }
  return transaction.Commit();
}

base::Result<void> SampleFile::DeleteSeries(std::span<const SeriesRef> refs) {
  ASSIGN_OR_RETURN(Transaction transaction, Transaction::Begin(writer_));
  ASSIGN_OR_RETURN(Statement remove, writer_.Prepare("DELETE FROM storage_series WHERE id = ?"));
  for (const SeriesRef ref : refs) {
    RETURN_IF_ERROR(remove.Run(ref));
  }
  return transaction.Commit();
}

base::Result<Transaction> SampleFile::BeginCheckpoint() {
  ASSIGN_OR_RETURN(Transaction transaction, Transaction::Begin(writer_));
  RETURN_IF_ERROR(writer_.Execute("DELETE FROM storage_tails; DELETE FROM storage_journal"));
  return transaction;
}

base::Result<void> SampleFile::AddSeries(SeriesRef ref, int64_t first_time_ms,
                                         const LabelSet& labels) {
  if (!insert_series_) {
    ASSIGN_OR_RETURN(Statement insert, writer_.Prepare(kInsertSeries));
    insert_series_.emplace(std::move(insert));
  }
  return insert_series_->Run(ref, std::span<const uint8_t>(WriteLabels(labels)), first_time_ms);
}

base::Result<void> SampleFile::SetLastTime(SeriesRef ref, int64_t last_time_ms) {
  ASSIGN_OR_RETURN(Statement update,
                   writer_.Prepare("UPDATE storage_series SET last_time = ? WHERE id = ?"));
  return update.Run(last_time_ms, ref);
}

base::Result<Block> SampleFile::AddBlock(std::span<const PackedChunk> chunks) {
  Block block{.min_time_ms = chunks.front().min_time_ms,
              .max_time_ms = chunks.front().max_time_ms,
              .first = chunks.front().ref,
              .last = chunks.back().ref,
              .chunks = chunks.size()};
  for (const PackedChunk& chunk : chunks) {
    block.min_time_ms = std::min(block.min_time_ms, chunk.min_time_ms);
    block.max_time_ms = std::max(block.max_time_ms, chunk.max_time_ms);
    block.samples += chunk.count;
  }
  const std::vector<uint8_t> pack = WriteChunkPack(chunks);
  block.bytes = pack.size();
  ASSIGN_OR_RETURN(Statement place, writer_.Prepare("INSERT INTO storage_blocks (min_time, "
                                                    "max_time, first_series, last_series, samples, "
                                                    "chunks, bytes) VALUES (?, ?, ?, ?, ?, ?, ?)"));
  RETURN_IF_ERROR(place.Run(block.min_time_ms, block.max_time_ms, block.first, block.last,
                            block.samples, block.chunks, block.bytes));
  block.id = writer_.last_insert_id();
  ASSIGN_OR_RETURN(Statement data,
                   writer_.Prepare("INSERT INTO storage_block_data (id, data) VALUES (?, ?)"));
  RETURN_IF_ERROR(data.Run(block.id, std::span<const uint8_t>(pack)));
  return block;
}

base::Result<void> SampleFile::AddTails(std::span<const PackedChunk> chunks) {
  ASSIGN_OR_RETURN(Statement insert,
                   writer_.Prepare("INSERT INTO storage_tails (data) VALUES (?)"));
  return insert.Run(std::span<const uint8_t>(WriteChunkPack(chunks)));
}

base::Result<void> SampleFile::SyncToDisk() {
  return writer_.Execute("PRAGMA wal_checkpoint(PASSIVE)");
}

base::Result<uint64_t> SampleFile::UsedBytes() {
  ASSIGN_OR_RETURN(const int64_t pages, writer_.QueryInt("PRAGMA page_count"));
  ASSIGN_OR_RETURN(const int64_t free, writer_.QueryInt("PRAGMA freelist_count"));
  ASSIGN_OR_RETURN(const int64_t page_bytes, writer_.QueryInt("PRAGMA page_size"));
  return static_cast<uint64_t>((pages - free) * page_bytes);
}

base::Result<void> SampleFile::Shrink() {
  ASSIGN_OR_RETURN(const int64_t pages, writer_.QueryInt("PRAGMA page_count"));
  ASSIGN_OR_RETURN(const int64_t free, writer_.QueryInt("PRAGMA freelist_count"));
  if (free < kMinFreePages || free < pages / kFreeShare) {
    return {};
  }
  return writer_.Execute("PRAGMA incremental_vacuum(1024)");
}

base::Result<std::vector<uint8_t>> SampleFile::ReadBlock(int64_t id) const {
  std::optional<Database> reader;
  {
    const base::MutexLock lock(readers_mutex_);
    if (!readers_.empty()) {
      reader.emplace(std::move(readers_.back()));
      readers_.pop_back();
    }
  }
  if (!reader) {
    ASSIGN_OR_RETURN(Database opened, file_.Connect({.read_only = true}));
    reader.emplace(std::move(opened));
  }
  std::vector<uint8_t> data;
  {
    ASSIGN_OR_RETURN(Statement query,
                     reader->Prepare("SELECT data FROM storage_block_data WHERE id = ?"));
    query.Bind(1, id);
    ASSIGN_OR_RETURN(const bool row, query.Step());
    if (!row) {
      return Error("storage: the block is gone", ErrorKind::kNotFound);
    }
    data.assign(query.Blob(0).begin(), query.Blob(0).end());
  }
  const base::MutexLock lock(readers_mutex_);
  if (readers_.size() < kIdleReaders) {
    readers_.push_back(std::move(*reader));
  }
  return data;
}

}  // namespace storage
