// Settings that bite later, as a closed set of 0 and 1, and whether the settings have changed.
#include <chrono>
#include <functional>
#include <map>
#include <string>
#include <string_view>

#include "exporters/redis/config.h"
#include "exporters/redis/context.h"
#include "exporters/redis/memory.h"
#include "lib/base/duration.h"

namespace exporters::redis {
namespace {

using Settings = std::map<std::string, std::string>;

constexpr model::MetricDesc kRisk{
    .name = "redis_risky_setting",
    .help = "Whether the server is set up in a way that is known to hurt.",
    .labels = {"risk"}};
constexpr model::MetricDesc kChanges{
    .name = "redis_config_changes_total",
    .help = "Changes of the watched settings seen since the exporter was started.",
    .type = model::MetricType::kCounter};
constexpr model::MetricDesc kChangedAt{
    .name = "redis_config_changed_timestamp_seconds",
    .help = "When a change of the watched settings was last seen, in seconds since 1970."};

std::string_view Get(const Settings& settings, std::string_view name) {
  const auto at = settings.find(std::string(name));
  return at == settings.end() ? std::string_view() : std::string_view(at->second);
}

struct Risk {
  std::string_view name;
  bool (*bites)(const Settings& settings, const Info& info);
  std::string_view setting;  // Must be known for the answer to mean anything.
};

constexpr Risk kRisks[] = {
    {"no_maxmemory",
     [](const Settings& settings, const Info&) { return Get(settings, "maxmemory") == "0"; },
     "maxmemory"},
    {"no_persistence",
     [](const Settings& settings, const Info& info) {
       return Get(settings, "save").empty() && info.Get("aof_enabled") == "0";
     },
     "save"},
    {"writable_replica",
     [](const Settings&, const Info& info) {
       return info.Get("role") == "slave" && info.Get("slave_read_only") == "0";
     },
     "maxmemory"},
    {"small_replication_backlog",
     [](const Settings& settings, const Info& info) {
       return info.Get("connected_slaves") != "0" && !info.Get("connected_slaves").empty() &&
              Get(settings, "repl-backlog-size").size() <= 7;  // Under 10 MB.
     },
     "repl-backlog-size"},
};

size_t HashOf(const Settings& settings) {
  std::string all;
  for (const auto& [name, value] : settings) {
    all.append(name).append("=").append(value).append("\n");
  }
  return std::hash<std::string>()(all);
}

base::Result<void> CollectRisks(const Snapshot& snapshot, Scrape& scrape) {
  const Settings settings = ReadSettings(snapshot.answers);
  if (settings.empty()) {
    return {};
  }
  for (const Risk& risk : kRisks) {
    if (settings.contains(std::string(risk.setting))) {
      scrape.Emit(kRisk, risk.bites(settings, snapshot.info) ? 1 : 0, {risk.name});
    }
  }
  if (snapshot.memory == nullptr) {
    return {};
  }
  const size_t hash = HashOf(settings);
  const base::MutexLock lock(snapshot.memory->mutex);
  DriftMemory& drift = snapshot.memory->drift;
  if (drift.hash.has_value() && *drift.hash != hash) {
    drift.changes += 1;
    drift.changed_at = base::ToSeconds(std::chrono::system_clock::now().time_since_epoch());
  }
  drift.hash = hash;
  scrape.Emit(kChanges, drift.changes);
  if (drift.changed_at > 0) {
    scrape.Emit(kChangedAt, drift.changed_at);
  }
  return {};
}

}  // namespace

extern constexpr RedisCollector kRiskySettings{
    .name = "risks", .help = "Settings that bite later, and changes.", .collect = CollectRisks};

}  // namespace exporters::redis
