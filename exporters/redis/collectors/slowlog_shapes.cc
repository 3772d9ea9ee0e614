// Slow commands by what they are, from the entries of the slow log: [id, time, microseconds,
// [words…], …]. Only the command's name leaves this file, never an argument: those hold data.
#include <algorithm>
#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "exporters/redis/context.h"
#include "exporters/redis/memory.h"
#include "lib/base/strings.h"

namespace exporters::redis {
namespace {

// Shapes beyond are counted as "other".
constexpr size_t kMaxShapes = 100;
constexpr size_t kMaxWordBytes = 24;

constexpr model::MetricDesc kCount{
    .name = "redis_slow_commands_total",
    .help =
        "Entries of the slow log since the exporter was started, by command; entries that came "
        "and went between two scrapes are missing.",
    .type = model::MetricType::kCounter,
    .labels = {"cmd"}};
constexpr model::MetricDesc kSeconds{.name = "redis_slow_commands_seconds_total",
                                     .help = "How long those commands took, in seconds.",
                                     .type = model::MetricType::kCounter,
                                     .labels = {"cmd"}};
constexpr model::MetricDesc kMax{
    .name = "redis_slow_commands_max_seconds",
    .help = "The longest of them since the exporter was started, in seconds.",
    .labels = {"cmd"}};
constexpr model::MetricDesc kMissed{
    .name = "redis_slow_commands_missed_total",
    .help =
        "Entries that were gone from the slow log, or beyond what is read of it, before they "
        "were seen.",
    .type = model::MetricType::kCounter};

// Commands whose second word is a sub-command, not data.
constexpr std::array<std::string_view, 16> kContainers = {
    "acl",    "client", "cluster", "command", "config", "debug",  "function", "latency",
    "memory", "module", "object",  "pubsub",  "script", "xgroup", "xinfo",    "slowlog"};

bool IsWord(std::string_view text) {
  return !text.empty() && text.size() <= kMaxWordBytes &&
         std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '_' ||
                  c == '-';
         });
}

// "config|get", as Commandstats writes it.
std::string ShapeOf(const Reply& words) {
  if (words.elements.empty()) {
    return "other";
  }
  std::string first = base::ToLower(words.elements[0].text);
  if (!IsWord(first)) {
    return "other";
  }
  if (words.elements.size() > 1 &&
      std::find(kContainers.begin(), kContainers.end(), first) != kContainers.end()) {
    const std::string second = base::ToLower(words.elements[1].text);
    return IsWord(second) ? first + "|" + second : first;
  }
  return first;
}

struct Entry {
  int64_t id = 0;
  double seconds = 0;
  std::string shape;
};

std::vector<Entry> ParseEntries(const Reply& reply) {
  std::vector<Entry> entries;
  for (const Reply& each : reply.elements) {
    if (each.elements.size() >= 4) {
      entries.push_back({.id = each.elements[0].integer,
                         .seconds = static_cast<double>(each.elements[2].integer) / 1e6,
                         .shape = ShapeOf(each.elements[3])});
    }
  }
  return entries;
}

// What is older than the first look is not counted: counters start at 0 with the exporter.
void Learn(const std::vector<Entry>& entries, std::string_view run_id, SlowlogMemory* memory) {
  if (memory->run_id != run_id) {
    const bool restarted = !memory->run_id.empty();
    memory->run_id = run_id;
    memory->last_id = restarted ? std::optional<int64_t>(-1) : std::nullopt;
  }
  const int64_t newest = entries.empty() ? memory->last_id.value_or(-1) : entries.front().id;
  if (!memory->last_id.has_value()) {
    memory->last_id = newest;
    return;
  }
  int64_t seen = 0;
  for (const Entry& entry : entries) {
    if (entry.id <= *memory->last_id) {
      break;
    }
    ++seen;
    const bool room = memory->shapes.size() < kMaxShapes || memory->shapes.contains(entry.shape);
    SlowShape& shape = memory->shapes[room ? entry.shape : "other"];
    shape.count += 1;
    shape.seconds += entry.seconds;
    shape.max_seconds = std::max(shape.max_seconds, entry.seconds);
  }
  memory->missed += static_cast<double>(std::max<int64_t>(0, newest - *memory->last_id - seen));
  memory->last_id = std::max(*memory->last_id, newest);
}

base::Result<void> CollectSlowlogShapes(const Snapshot& snapshot, Scrape& scrape) {
  ASSIGN_OR_RETURN(const Reply* reply, snapshot.answers.Get(Request::kSlowlogGet));
  if (snapshot.memory == nullptr || !reply->IsArray()) {
    return {};
  }
  const std::vector<Entry> entries = ParseEntries(*reply);
  const base::MutexLock lock(snapshot.memory->mutex);
  SlowlogMemory& memory = snapshot.memory->slowlog;
  Learn(entries, snapshot.info.Get("run_id"), &memory);
  scrape.Emit(kMissed, memory.missed);
  for (const auto& [name, shape] : memory.shapes) {
    scrape.Emit(kCount, shape.count, {name});
    scrape.Emit(kSeconds, shape.seconds, {name});
    scrape.Emit(kMax, shape.max_seconds, {name});
  }
  return {};
}

}  // namespace

extern constexpr RedisCollector kSlowlogShapes{.name = "slowlog_shapes",
                                               .help = "Slow commands by name, without arguments.",
                                               .collect = CollectSlowlogShapes};

}  // namespace exporters::redis
