// What a crash would lose now, and whether the next fork may fail.
#include <algorithm>
#include <chrono>
#include <optional>

#include "exporters/redis/context.h"
#include "lib/base/duration.h"

namespace exporters::redis {
namespace {

constexpr model::MetricDesc kRiskSeconds{
    .name = "redis_data_at_risk_seconds",
    .help =
        "How far back a crash would set the data, in seconds: since the last snapshot while "
        "anything has changed, 0 with a sound append-only file."};
constexpr model::MetricDesc kRiskChanges{
    .name = "redis_data_at_risk_changes",
    .help = "Number of changes that a crash would lose; 0 with a sound append-only file."};
constexpr model::MetricDesc kPersistent{
    .name = "redis_persistence_enabled",
    .help = "Whether anything is written to disk: an append-only file or a snapshot since start."};
constexpr model::MetricDesc kForkNeed{
    .name = "redis_fork_memory_needed_bytes",
    .help = "Copy-on-write memory that the last snapshot or rewrite took, the larger of both."};
constexpr model::MetricDesc kForkWorst{
    .name = "redis_fork_memory_worst_case_ratio",
    .help =
        "Memory of the server doubled, as a fork under full write load may, against that of "
        "its machine; above 1 the kernel may kill it."};

std::optional<double> Field(const Info& info, std::string_view name) {
  const auto text = info.Find(name);
  return text.has_value() ? ParseInfoValue(*text) : std::nullopt;
}

void EmitRisk(const Info& info, Scrape& scrape) {
  const auto changes = Field(info, "rdb_changes_since_last_save");
  const auto saved = Field(info, "rdb_last_save_time");
  const auto aof = Field(info, "aof_enabled");
  if (!changes.has_value() || !saved.has_value() || !aof.has_value()) {
    return;
  }
  const bool sound_aof = *aof == 1 && Field(info, "aof_last_write_status").value_or(1) == 1;
  // By the server's clock, as the time of the snapshot is.
  const auto server_us = Field(info, "server_time_usec");
  const double now = server_us.has_value()
                         ? *server_us / 1e6
                         : base::ToSeconds(std::chrono::system_clock::now().time_since_epoch());
  scrape.Emit(kRiskChanges, sound_aof ? 0 : *changes);
  scrape.Emit(kRiskSeconds, sound_aof || *changes == 0 ? 0 : std::max(0.0, now - *saved));
  if (const auto saves = Field(info, "rdb_saves")) {
    scrape.Emit(kPersistent, *aof == 1 || *saves > 0 ? 1 : 0);
  }
}

void EmitFork(const Info& info, Scrape& scrape) {
  const auto snapshot = Field(info, "rdb_last_cow_size");
  const auto rewrite = Field(info, "aof_last_cow_size");
  if (snapshot.has_value() || rewrite.has_value()) {
    scrape.Emit(kForkNeed, std::max(snapshot.value_or(0), rewrite.value_or(0)));
  }
  const auto rss = Field(info, "used_memory_rss");
  const auto total = Field(info, "total_system_memory");
  if (rss.has_value() && total.has_value() && *total > 0) {
    scrape.Emit(kForkWorst, 2 * *rss / *total);
  }
}

base::Result<void> CollectDurability(const Snapshot& snapshot, Scrape& scrape) {
  EmitRisk(snapshot.info, scrape);
  EmitFork(snapshot.info, scrape);
  return {};
}

}  // namespace

extern constexpr RedisCollector kDurability{
    .name = "durability",
    .help = "What a crash would lose, and what the next fork needs.",
    .collect = CollectDurability};

}  // namespace exporters::redis
