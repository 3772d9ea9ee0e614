// Size, memory and value of the keys that --check-single-keys names, read now, and of those that
// match --check-keys, as the last walk found them.
#include "exporters/redis/keys.h"

#include <set>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "exporters/redis/context.h"
#include "exporters/redis/walker.h"
#include "lib/base/strings.h"

namespace exporters::redis {
namespace {

constexpr model::MetricDesc kSize{
    .name = "redis_key_size",
    .help = "Elements of the key, or bytes of a string; 0 when it does not exist.",
    .labels = {"db", "key"}};
constexpr model::MetricDesc kMemory{.name = "redis_key_memory_usage_bytes",
                                    .help = "Memory of the key, in bytes.",
                                    .labels = {"db", "key"}};
constexpr model::MetricDesc kValue{.name = "redis_key_value",
                                   .help = "The key's string, read as a number.",
                                   .labels = {"db", "key"}};
constexpr model::MetricDesc kText{.name = "redis_key_value_as_string",
                                  .help = "The key's string, in the label; always 1.",
                                  .labels = {"db", "key", "val"}};

void EmitKey(const KeyFact& fact, Scrape& scrape) {
  const std::string db = fmt::format("db{}", fact.key.db);
  const std::string key = base::ToValidUtf8(fact.key.text);
  if (fact.size.has_value()) {
    scrape.Emit(kSize, *fact.size, {db, key});
  }
  if (fact.memory_bytes.has_value()) {
    scrape.Emit(kMemory, *fact.memory_bytes, {db, key});
  }
  if (!fact.value.has_value()) {
    return;
  }
  if (const auto number = base::ParseDouble(*fact.value)) {
    scrape.Emit(kValue, *number, {db, key});
  } else {
    scrape.Emit(kText, 1, {db, key, base::ToValidUtf8(*fact.value)});
  }
}

base::Result<void> CollectKeys(const Snapshot& snapshot, Scrape& scrape) {
  std::set<std::pair<int64_t, std::string>> emitted;
  const KeyOptions& options = snapshot.options->keys;
  base::Result<void> outcome;
  if (!options.single_keys.empty() && snapshot.asker != nullptr && snapshot.key_checks) {
    const auto facts =
        FetchKeys(*snapshot.asker, "keys", options.single_keys, options.values, snapshot.deadline);
    if (!facts.ok()) {
      outcome = facts.error();
    } else {
      for (const KeyFact& fact : *facts) {
        if (emitted.emplace(fact.key.db, fact.key.text).second) {
          EmitKey(fact, scrape);
        }
      }
    }
  }
  if (snapshot.walk != nullptr && snapshot.key_checks) {
    for (const auto& [key, fact] : snapshot.walk->keys) {
      if (emitted.emplace(fact.key.db, fact.key.text).second) {
        EmitKey(fact, scrape);
      }
    }
  }
  return outcome;
}

}  // namespace

extern constexpr RedisCollector kKeys{
    .name = "keys",
    .help = "Size and memory of keys (with --check-keys and --check-single-keys).",
    .collect = CollectKeys};

}  // namespace exporters::redis
