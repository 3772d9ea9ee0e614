// INFO's Keyspace section: "db0:keys=100002,expires=1,avg_ttl=999439". Databases without keys have
// no line; CONFIG GET databases tells how many there are.
#include <set>
#include <string>

#include <fmt/format.h>

#include "exporters/redis/config.h"
#include "exporters/redis/context.h"
#include "lib/base/strings.h"

namespace exporters::redis {
namespace {

// Empty databases beyond are not shown.
constexpr int64_t kMaxEmptyDatabases = 1024;

constexpr model::MetricDesc kKeys{
    .name = "redis_db_keys", .help = "Number of keys by database.", .labels = {"db"}};
constexpr model::MetricDesc kExpiring{.name = "redis_db_keys_expiring",
                                      .help = "Number of keys with an expiry by database.",
                                      .labels = {"db"}};
constexpr model::MetricDesc kAverageTtl{
    .name = "redis_db_avg_ttl_seconds",
    .help = "Average time that keys with an expiry have left by database, in seconds.",
    .labels = {"db"}};
constexpr model::MetricDesc kCached{
    .name = "redis_db_keys_cached",
    .help = "Number of keys in memory, the others being in FLASH storage, by database (KeyDB).",
    .labels = {"db"}};

bool IsDatabaseName(std::string_view name) {
  const auto number = AfterPrefix(name, "db");
  return number.has_value() && base::ParseUint(*number).has_value();
}

// By name: since Redis 7.4 and Valkey 9 the fourth value is no longer the number of cached keys,
// and Dragonfly has others in between.
void EmitDatabase(std::string_view db, const InfoPairs& pairs, Scrape& scrape) {
  if (const auto keys = pairs.Number("keys"); keys.has_value()) {
    scrape.Emit(kKeys, *keys, {db});
  }
  if (const auto expires = pairs.Number("expires"); expires.has_value()) {
    scrape.Emit(kExpiring, *expires, {db});
  }
  // 0 while no key has an expiry; -1, in Dragonfly, means that it is not known.
  if (const auto ttl = pairs.Number("avg_ttl"); ttl.has_value() && *ttl >= 0) {
    scrape.Emit(kAverageTtl, *ttl / 1e3, {db});
  }
  if (const auto cached = pairs.Number("cached_keys"); cached.has_value()) {
    scrape.Emit(kCached, *cached, {db});
  }
}

base::Result<void> CollectKeyspace(const Snapshot& snapshot, Scrape& scrape) {
  std::set<std::string_view> seen;
  for (const InfoField& field : snapshot.info.fields()) {
    if (field.section == "Keyspace" && IsDatabaseName(field.name)) {
      EmitDatabase(field.name, InfoPairs(field.value), scrape);
      seen.insert(field.name);
    }
  }
  if (!snapshot.options->include_empty_databases) {
    return {};
  }
  const std::map<std::string, std::string> settings = ReadSettings(snapshot.answers);
  const auto databases = settings.find("databases");
  const int64_t count =
      databases == settings.end() ? 0 : base::ParseInt(databases->second).value_or(0);
  for (int64_t i = 0; i < std::min(count, kMaxEmptyDatabases); ++i) {
    const std::string db = fmt::format("db{}", i);
    if (!seen.contains(db)) {
      scrape.Emit(kKeys, 0, {db});
      scrape.Emit(kExpiring, 0, {db});
    }
  }
  return {};
}

}  // namespace

extern constexpr RedisCollector kKeyspace{
    .name = "keyspace", .help = "Keys by database.", .collect = CollectKeyspace};

}  // namespace exporters::redis
