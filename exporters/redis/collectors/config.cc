// CONFIG GET: the settings that alerts compare with, and all of them if asked.
#include "exporters/redis/config.h"

#include <array>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "exporters/redis/context.h"
#include "lib/base/strings.h"

namespace exporters::redis {
namespace {

struct SettingMetric {
  std::string_view setting;
  model::MetricDesc desc;
};

constexpr SettingMetric kMetrics[] = {
    {"maxmemory",
     {.name = "redis_config_maxmemory",
      .help = "Setting maxmemory: memory for data, in bytes; 0 means without limit."}},
    {"maxclients",
     {.name = "redis_config_maxclients",
      .help = "Setting maxclients: number of clients accepted at most."}},
    {"io-threads",
     {.name = "redis_config_io_threads", .help = "Setting io-threads: number of I/O threads."}},
    {"repl-backlog-size",
     {.name = "redis_config_repl_backlog_size",
      .help = "Setting repl-backlog-size: size of the replication backlog, in bytes."}},
};

constexpr model::MetricDesc kBufferBytes{
    .name = "redis_config_client_output_buffer_limit_bytes",
    .help = "Setting client-output-buffer-limit: bytes a client of the class may have pending.",
    .labels = {"class", "limit"}};
constexpr model::MetricDesc kBufferSeconds{
    .name = "redis_config_client_output_buffer_limit_overcome_seconds",
    .help =
        "Setting client-output-buffer-limit: how long a client of the class may be over its "
        "soft limit, in seconds.",
    .labels = {"class", "limit"}};

constexpr model::MetricDesc kKeyValue{.name = "redis_config_key_value",
                                      .help = "A setting and its text.",
                                      .labels = {"key", "value"}};
constexpr model::MetricDesc kValue{
    .name = "redis_config_value", .help = "A setting that is a number.", .labels = {"key"}};

// "normal 0 0 0 slave 268435456 67108864 60 pubsub …": class, hard limit, soft limit, seconds.
void EmitBufferLimits(std::string_view text, Scrape& scrape) {
  const std::vector<std::string_view> words = base::Split(text, ' ');
  for (size_t i = 0; i + 3 < words.size(); i += 4) {
    const auto hard = base::ParseDouble(words[i + 1]);
    const auto soft = base::ParseDouble(words[i + 2]);
    const auto seconds = base::ParseDouble(words[i + 3]);
    if (!hard.has_value() || !soft.has_value() || !seconds.has_value()) {
      continue;
    }
    const std::string_view name = words[i];
    scrape.Emit(kBufferBytes, *hard, {name, "hard"});
    scrape.Emit(kBufferBytes, *soft, {name, "soft"});
    scrape.Emit(kBufferSeconds, *seconds, {name, "soft"});
  }
}

// redis_exporter hides four settings by name; this goes by what the name says.
bool IsSecret(std::string_view setting) {
  return setting.find("pass") != std::string_view::npos ||
         setting.find("auth") != std::string_view::npos;
}

void EmitAll(const std::map<std::string, std::string>& settings, Scrape& scrape) {
  for (const auto& [setting, text] : settings) {
    if (IsSecret(setting)) {
      continue;
    }
    scrape.Emit(kKeyValue, 1, {setting, text});
    if (const auto value = base::ParseDouble(text); value.has_value()) {
      scrape.Emit(kValue, *value, {setting});
    }
  }
}

base::Result<void> CollectConfig(const Snapshot& snapshot, Scrape& scrape) {
  const std::map<std::string, std::string> settings = ReadSettings(snapshot.answers);
  for (const SettingMetric& metric : kMetrics) {
    const auto at = settings.find(std::string(metric.setting));
    const auto value = at == settings.end() ? std::nullopt : base::ParseDouble(at->second);
    if (value.has_value()) {
      scrape.Emit(metric.desc, *value);
    }
  }
  if (const auto at = settings.find("client-output-buffer-limit"); at != settings.end()) {
    EmitBufferLimits(at->second, scrape);
  }
  if (snapshot.options->include_config_metrics) {
    EmitAll(settings, scrape);
  }
  return SettingsError(snapshot.answers);
}

}  // namespace

extern constexpr RedisCollector kConfig{
    .name = "config", .help = "Settings (CONFIG GET).", .collect = CollectConfig};

}  // namespace exporters::redis
