// Which keys or queues a flag names: "db3=sessions:*", "bullmq:bull:emails".
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "lib/base/result.h"

namespace exporters::redis {

// Entries of one list.
inline constexpr size_t kMaxSelectors = 1000;

struct KeySelector {
  int64_t db = 0;
  std::string text;  // A key or a pattern of SCAN's.

  bool operator==(const KeySelector&) const = default;
};

// "db0=user_count,db3=sessions:*,3=x,plain": entries are percent-decoded, so that a comma can be
// written %2C; without a database it is 0. Errors: kInvalidArgument.
base::Result<std::vector<KeySelector>> ParseKeySelectors(std::string_view text);

struct QueueSelector {
  int64_t db = 0;
  std::string system;  // One of QueueSystemNames().
  std::string name;    // Empty: what the system's own registry names.

  bool operator==(const QueueSelector&) const = default;
};

// "sidekiq,db2=bullmq:bull:emails,laravel:app_database_queues:default". Errors: kInvalidArgument.
base::Result<std::vector<QueueSelector>> ParseQueueSelectors(std::string_view text);

// Whether `text` matches a pattern of SCAN's: *, ?, [a-z], [^a], \x. In at most pattern × text
// steps.
bool GlobMatches(std::string_view pattern, std::string_view text);

}  // namespace exporters::redis
