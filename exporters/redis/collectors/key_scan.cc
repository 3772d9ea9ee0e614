// What the walk through all keys counted: keys by pattern (--count-keys) and by group
// (--check-key-groups), and how old that is.
#include <string>

#include <fmt/format.h>

#include "exporters/redis/context.h"
#include "exporters/redis/walker.h"
#include "lib/base/duration.h"
#include "lib/base/strings.h"

namespace exporters::redis {
namespace {

constexpr model::MetricDesc kCount{.name = "redis_keys_count",
                                   .help = "Number of keys that match the pattern.",
                                   .labels = {"db", "key"}};
constexpr model::MetricDesc kGroupCount{.name = "redis_key_group_count",
                                        .help = "Number of keys of the group.",
                                        .labels = {"db", "key_group"}};
constexpr model::MetricDesc kGroupMemory{.name = "redis_key_group_memory_usage_bytes",
                                         .help = "Memory of the keys of the group, in bytes.",
                                         .labels = {"db", "key_group"}};
constexpr model::MetricDesc kDistinctGroups{.name = "redis_number_of_distinct_key_groups",
                                            .help = "Number of groups of keys.",
                                            .labels = {"db"}};
constexpr model::MetricDesc kAge{
    .name = "redis_key_scan_age_seconds",
    .help = "How long ago the walk ended whose figures are shown, in seconds."};
constexpr model::MetricDesc kDuration{
    .name = "redis_key_scan_duration_seconds",
    .help = "How long the last complete walk through all keys took, in seconds."};
constexpr model::MetricDesc kKeys{.name = "redis_key_scan_keys",
                                  .help = "Number of keys the last complete walk saw."};
constexpr model::MetricDesc kTruncated{
    .name = "redis_key_scan_truncated",
    .help = "1 when more keys matched --check-keys or --check-streams than are kept."};
// The official name. Nothing of a walk happens in a scrape.
constexpr model::MetricDesc kGroupsDuration{
    .name = "redis_last_key_groups_scrape_duration_milliseconds",
    .help = "How long the last complete walk took, in milliseconds; 0 without key groups."};

base::Result<void> CollectKeyScan(const Snapshot& snapshot, Scrape& scrape) {
  const WalkResult* walk = snapshot.walk;
  const bool groups = walk != nullptr && !snapshot.options->keys.groups.empty();
  scrape.Emit(kGroupsDuration, groups ? walk->seconds * 1e3 : 0);
  if (walk == nullptr) {
    if (snapshot.options->keys.NeedsWalk() && snapshot.key_checks) {
      return base::Error("no walk through the keys is complete yet", base::ErrorKind::kUnavailable);
    }
    return {};
  }
  scrape.Emit(kAge, base::ToSeconds(std::chrono::steady_clock::now() - walk->finished));
  scrape.Emit(kDuration, walk->seconds);
  scrape.Emit(kKeys, static_cast<double>(walk->key_count));
  scrape.Emit(kTruncated, walk->truncated ? 1 : 0);
  for (const auto& [selector, count] : walk->counts) {
    scrape.Emit(kCount, static_cast<double>(count),
                {fmt::format("db{}", selector.first), selector.second});
  }
  for (const auto& [db, by_name] : walk->groups) {
    const std::string database = fmt::format("db{}", db);
    scrape.Emit(kDistinctGroups, static_cast<double>(by_name.distinct), {database});
    for (const auto& [name, group] : by_name.groups) {
      const std::string valid = base::ToValidUtf8(name);
      scrape.Emit(kGroupCount, static_cast<double>(group.keys), {database, valid});
      scrape.Emit(kGroupMemory, group.memory_bytes, {database, valid});
    }
  }
  return {};
}

}  // namespace

extern constexpr RedisCollector kKeyScan{
    .name = "key_scan",
    .help = "Keys by pattern and by group (with --count-keys and --check-key-groups).",
    .collect = CollectKeyScan};

}  // namespace exporters::redis
