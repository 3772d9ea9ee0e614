// How near the server is to throwing data away or refusing writes.
#include <optional>
#include <string_view>

#include "exporters/redis/context.h"

namespace exporters::redis {
namespace {

constexpr model::MetricDesc kPressure{
    .name = "redis_memory_limit_used_ratio",
    .help = "Memory that counts against maxmemory, as a share of it; none without a limit."};
constexpr model::MetricDesc kRefuses{
    .name = "redis_memory_full_refuses_writes",
    .help =
        "Whether a full memory means refused writes (policy noeviction, or a volatile one "
        "without keys that expire) rather than lost keys."};
constexpr model::MetricDesc kEvictable{.name = "redis_memory_evictable_keys_ratio",
                                       .help = "Share of the keys that the policy may evict."};

std::optional<double> Field(const Info& info, std::string_view name) {
  const auto text = info.Find(name);
  return text.has_value() ? ParseInfoValue(*text) : std::nullopt;
}

struct KeyCounts {
  double keys = 0;
  double expiring = 0;
};

KeyCounts CountKeys(const Info& info) {
  KeyCounts counts;
  for (const InfoField& field : info.fields()) {
    if (field.section == "Keyspace") {
      const InfoPairs pairs(field.value);
      counts.keys += pairs.Number("keys").value_or(0);
      counts.expiring += pairs.Number("expires").value_or(0);
    }
  }
  return counts;
}

base::Result<void> CollectEviction(const Snapshot& snapshot, Scrape& scrape) {
  const Info& info = snapshot.info;
  const auto limit = Field(info, "maxmemory");
  const auto used = Field(info, "used_memory");
  if (!limit.has_value() || !used.has_value() || *limit <= 0) {
    return {};
  }
  const double uncounted = Field(info, "mem_not_counted_for_evict").value_or(0);
  scrape.Emit(kPressure, (*used - uncounted) / *limit);
  const std::string_view policy = info.Get("maxmemory_policy");
  const KeyCounts counts = CountKeys(info);
  if (policy.empty()) {
    return {};
  }
  const bool is_volatile = policy.substr(0, 9) == "volatile-";
  const double evictable =
      policy == "noeviction" ? 0 : (is_volatile ? counts.expiring : counts.keys);
  scrape.Emit(kRefuses, policy == "noeviction" || (is_volatile && counts.expiring == 0) ? 1 : 0);
  if (counts.keys > 0) {
    scrape.Emit(kEvictable, evictable / counts.keys);
  }
  return {};
}

}  // namespace

extern constexpr RedisCollector kEviction{.name = "eviction",
                                          .help = "How near maxmemory is, and what happens there.",
                                          .collect = CollectEviction};

}  // namespace exporters::redis
