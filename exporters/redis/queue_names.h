// Which job queues a server holds, told from the names of its keys.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "exporters/redis/key_selector.h"

namespace exporters::redis {

// Queues of one server; those beyond are not watched.
inline constexpr size_t kMaxQueues = 500;

struct QueueLess {
  bool operator()(const QueueSelector& a, const QueueSelector& b) const {
    return std::tie(a.db, a.system, a.name) < std::tie(b.db, b.system, b.name);
  }
};
using QueueSet = std::set<QueueSelector, QueueLess>;

class QueueNames {
 public:
  // Most keys belong to no queue; then nothing happens.
  void AddKey(int64_t db, std::string_view key);

  // At most kMaxQueues.
  const QueueSet& queues() const { return queues_; }

 private:
  void Add(int64_t db, std::string_view system, std::string_view name);
  void AddBull(int64_t db, std::string_view key);

  QueueSet queues_;
  // What may be BullMQ's, by database and base: which of its two tell-tale keys were seen.
  std::map<std::pair<int64_t, std::string>, int> bull_;
};

}  // namespace exporters::redis
