// Job queues kept in Redis by Laravel, Horizon, Sidekiq, BullMQ, RQ and Celery. Everything is asked
// with commands whose cost does not depend on how long a queue is, in three rounds however many
// queues there are.
#pragma once

#include <chrono>
#include <cstddef>
#include <deque>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "exporters/redis/asker.h"
#include "exporters/redis/queue_names.h"
#include "lib/base/clock.h"
#include "lib/base/result.h"

namespace exporters::redis {

// A queue that its registry no longer names is asked about for this long.
inline constexpr std::chrono::hours kForgetQueueAfter{24};
// A delayed job is overdue when nobody has taken it this long after it was due.
inline constexpr std::chrono::seconds kOverdueGrace{60};
// What Celery and Redis agree on unless told otherwise (visibility_timeout).
inline constexpr std::chrono::seconds kCeleryVisibility{3600};
// Worker processes asked about one by one.
inline constexpr size_t kMaxWorkerProcesses = 200;

struct QueueFact {
  QueueSelector queue;
  std::string label;  // "default"; empty for what a system keeps for all of its queues.
  std::optional<double> depth = std::nullopt;
  std::optional<double> delayed = std::nullopt;
  std::optional<double> running = std::nullopt;
  std::optional<double> failed = std::nullopt;
  std::optional<double> retrying = std::nullopt;
  std::optional<double> overdue = std::nullopt;
  std::optional<double> expired = std::nullopt;
  std::optional<double> oldest_age = std::nullopt;
  std::optional<double> oldest_running_age = std::nullopt;
  std::optional<double> added = std::nullopt;
  std::optional<double> processed = std::nullopt;
  std::optional<double> failures = std::nullopt;
  std::optional<double> workers = std::nullopt;
  std::optional<double> busy_workers = std::nullopt;
  std::optional<double> paused = std::nullopt;
};

// `wanted` with what the registries among them name, and the facts of all. `now` in seconds since
// 1970. What cannot be read stays without a value; all of it refused is an error.
base::Result<std::vector<QueueFact>> FetchQueues(Asker& asker, const QueueSet& wanted, double now,
                                                 base::MonotonicTime deadline);

// What lasts from scrape to scrape. Thread-compatible.
class QueueMemory {
 public:
  // Adds what was found and forgets what has not been found for long; returns what is known.
  QueueSet Remember(const QueueSet& found, base::MonotonicTime now);
  // How long until the queue is empty if it goes on as in the last minutes: 0 when it is, +Inf when
  // it does not shrink; nothing before there is a history.
  std::optional<double> DrainSeconds(const QueueSelector& queue, double depth,
                                     base::MonotonicTime now);

 private:
  struct Point {
    base::MonotonicTime time;
    double depth = 0;
  };
  std::map<QueueSelector, base::MonotonicTime, QueueLess> known_;
  std::map<QueueSelector, std::deque<Point>, QueueLess> history_;
};

// A number or the number in a string, of a top-level member of a JSON object: `name` of
// {"id":1,"data":{"name":2},"name":3} is 3. Anything malformed is nothing. No recursion.
std::optional<double> JsonNumber(std::string_view json, std::string_view name);

// "2024-05-01T10:00:00.123456Z", with "+00:00", or without either: seconds since 1970, UTC.
std::optional<double> ParseIsoTime(std::string_view text);

}  // namespace exporters::redis
