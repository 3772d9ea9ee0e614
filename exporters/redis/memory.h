// What an exporter keeps about its server from scrape to scrape.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "exporters/redis/queues.h"
#include "lib/base/mutex.h"

namespace exporters::redis {

// Entries of the slow log by the shape of the command: its first word, and its second where that is
// a sub-command. Never an argument.
struct SlowShape {
  double count = 0;
  double seconds = 0;
  double max_seconds = 0;
};

struct SlowlogMemory {
  std::optional<int64_t> last_id;
  std::string run_id;
  std::map<std::string, SlowShape> shapes;
  double missed = 0;
};

struct DriftMemory {
  std::optional<size_t> hash;
  double changed_at = 0;  // Seconds since 1970; 0 while no change has been seen.
  double changes = 0;
};

struct Memory {
  base::Mutex mutex;
  QueueMemory queues GUARDED_BY(mutex);
  SlowlogMemory slowlog GUARDED_BY(mutex);
  DriftMemory drift GUARDED_BY(mutex);
};

}  // namespace exporters::redis
