// Facts about single keys and streams, fetched in two or three rounds whatever their number.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "exporters/redis/asker.h"
#include "exporters/redis/key_selector.h"
#include "lib/base/result.h"

namespace exporters::redis {

// Longer strings are not shown as values.
inline constexpr int64_t kMaxShownValueBytes = 256;
// Of one stream, and consumers of one group; those beyond are left out.
inline constexpr size_t kMaxStreamGroups = 200;
inline constexpr size_t kMaxStreamConsumers = 200;

struct KeyFact {
  KeySelector key;
  std::optional<double> size;          // Elements, or bytes of a string; 0 when there is no key.
  std::optional<double> memory_bytes;  // MEMORY USAGE; none before Redis 4.0.
  std::optional<std::string> value;    // Of a short string.
};

struct StreamConsumer {
  std::string name;
  int64_t pending = 0;
  int64_t idle_ms = 0;
};

struct StreamGroup {
  std::string name;
  int64_t consumers = 0;
  int64_t pending = 0;
  std::string last_delivered_id;
  std::optional<int64_t> entries_read;  // Redis 7.0; nil when not known.
  std::optional<int64_t> lag;
  std::vector<StreamConsumer> members;
};

struct StreamFact {
  KeySelector key;
  int64_t length = 0;
  int64_t radix_tree_keys = 0;
  int64_t radix_tree_nodes = 0;
  int64_t group_count = 0;
  std::string last_generated_id;
  std::string first_entry_id;
  std::string last_entry_id;
  std::string max_deleted_entry_id;      // Redis 7.0.
  std::optional<int64_t> entries_added;  // Redis 7.0.
  std::vector<StreamGroup> groups;
};

// Facts in the order of `keys`; one that cannot be had (no permission, on another node) has nothing
// but its key.
base::Result<std::vector<KeyFact>> FetchKeys(Asker& asker, std::string_view part,
                                             std::span<const KeySelector> keys, bool values,
                                             base::MonotonicTime deadline);

// What is no stream, or not there, is left out.
base::Result<std::vector<StreamFact>> FetchStreams(Asker& asker, std::string_view part,
                                                   std::span<const KeySelector> streams,
                                                   bool consumers, base::MonotonicTime deadline);

// The milliseconds of an ID: 1526985054069 of "1526985054069-0".
std::optional<double> StreamIdMilliseconds(std::string_view id);

}  // namespace exporters::redis
