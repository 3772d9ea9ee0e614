// Walks through all keys in the background, a little at a time, for what cannot be had otherwise:
// keys by pattern, counts, groups, the queues of systems without a registry. One walk serves all of
// them: SCAN without MATCH, matched here.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "exporters/redis/keys.h"
#include "exporters/redis/lua_pattern.h"
#include "exporters/redis/options.h"
#include "exporters/redis/queue_names.h"
#include "exporters/redis/session.h"
#include "exporters/toolkit/resolver.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/base/mutex.h"
#include "lib/base/result.h"

namespace exporters::redis {

// Keys (and streams) of --check-keys that are kept; and groups before the small ones are merged.
inline constexpr size_t kMaxWalkedKeys = 10'000;
inline constexpr size_t kMaxWalkedStreams = 1'000;
inline constexpr size_t kMaxTrackedGroups = 20'000;
inline constexpr size_t kMaxDatabases = 1024;
// The share of time that the server may spend on the walk, …
inline constexpr double kWalkShare = 0.05;
// … and the most keys a second.
inline constexpr double kMaxWalkKeysPerSecond = 100'000;
// A key that matched once and is gone is reported as 0 for this long.
inline constexpr std::chrono::minutes kForgetKeyAfter{60};

struct KeyGroup {
  uint64_t keys = 0;
  double memory_bytes = 0;
};

struct DatabaseGroups {
  size_t distinct = 0;
  std::map<std::string, KeyGroup> groups;  // At most KeyOptions::max_groups, and "overflow".
};

// One complete pass. Immutable once published.
struct WalkResult {
  base::MonotonicTime finished;
  double seconds = 0;
  uint64_t key_count = 0;
  bool truncated = false;
  std::map<std::pair<int64_t, std::string>, KeyFact> keys;
  std::vector<StreamFact> streams;
  std::map<std::pair<int64_t, std::string>, uint64_t> counts;  // By database and pattern.
  std::map<int64_t, DatabaseGroups> groups;
  QueueNames queues;
};

// The smallest groups by memory beyond `max_groups` become "overflow".
DatabaseGroups KeepBiggestGroups(std::map<std::string, KeyGroup> groups, size_t max_groups);

// Thread-safe. Owns a thread and a connection of its own.
class Walker {
 public:
  // Errors: kInvalidArgument (a pattern). `options`, `resolver` and `logger` must outlive it.
  static base::Result<std::unique_ptr<Walker>> Start(const Options& options, Resolver& resolver,
                                                     const base::Logger& logger);
  ~Walker();

  // The last complete pass; null before the first. Waits for that one until `deadline`.
  std::shared_ptr<const WalkResult> Latest(base::MonotonicTime deadline);

 private:
  struct Pass;

  Walker(const Options& options, std::vector<LuaPattern> groups, Resolver& resolver,
         const base::Logger& logger);

  void Run();
  // A pass through every node; an error leaves `pass` where it was, for the next attempt.
  base::Result<void> Walk(Pass* pass);
  base::Result<void> FindNodes(Pass* pass);
  base::Result<void> WalkNode(Session* session, Pass* pass);
  base::Result<void> FindDatabases(Session* session, Pass* pass);
  base::Result<void> WalkBatch(Session* session, Pass* pass);
  base::Result<void> Take(Session* session, int64_t db, const std::vector<Reply>& keys, Pass* pass);
  base::Result<void> TakeGroups(Session* session, int64_t db, const std::vector<Reply>& keys,
                                Pass* pass);
  // False when the walker is to stop.
  bool Pause(std::chrono::steady_clock::duration time);
  void Publish(Pass* pass);

  const Options options_;  // With a client name of its own.
  const std::vector<LuaPattern> groups_;
  Resolver& resolver_;
  const base::Logger& logger_;

  base::Mutex mutex_;
  base::CondVar changed_;
  bool stop_ GUARDED_BY(mutex_) = false;
  std::shared_ptr<const WalkResult> latest_ GUARDED_BY(mutex_);
  std::map<std::pair<int64_t, std::string>, base::MonotonicTime> last_seen_;  // The thread's.
  std::thread thread_;  // Last: it uses what is above.
};

}  // namespace exporters::redis
