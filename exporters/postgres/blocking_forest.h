// Who waits for whom: sessions that wait for locks form a forest whose roots hold everybody up.
// Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace exporters::postgres {

inline constexpr int64_t kPreparedTransaction = 0;  // What pg_blocking_pids calls one.

struct BlockingEdge {
  int64_t waiting = 0;
  int64_t blocker = 0;
};

struct BlockingTree {
  int64_t root = 0;     // Blocks and does not wait.
  size_t sessions = 0;  // That wait for it, directly or behind others; a session behind two
                        // roots counts for both.
  size_t depth = 0;     // Longest chain of waiting sessions.
};

struct BlockingForest {
  size_t waiting = 0;                    // Sessions that wait for another one.
  std::vector<BlockingTree> trees = {};  // The one that most wait for first.
  size_t in_cycles = 0;  // Sessions that wait for no root: a deadlock not yet resolved.
};

BlockingForest ForestOf(std::span<const BlockingEdge> edges);

}  // namespace exporters::postgres
