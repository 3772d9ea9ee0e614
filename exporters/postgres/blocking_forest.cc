#include "exporters/postgres/blocking_forest.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

namespace exporters::postgres {
namespace {

using Waiters = std::map<int64_t, std::set<int64_t>>;  // By blocker.

// Level by level; each session once, at its shortest distance.
BlockingTree TreeOf(int64_t root, const Waiters& waiters, std::set<int64_t>* reached) {
  BlockingTree tree{.root = root};
  std::set<int64_t> seen = {root};
  std::vector<int64_t> level = {root};
  while (true) {
    std::vector<int64_t> next;
    for (const int64_t blocker : level) {
      const auto found = waiters.find(blocker);
      if (found == waiters.end()) {
        continue;
      }
      for (const int64_t pid : found->second) {
        if (seen.insert(pid).second) {
          next.push_back(pid);
        }
      }
    }
    if (next.empty()) {
      break;
    }
    ++tree.depth;
    level = std::move(next);
  }
  tree.sessions = seen.size() - 1;
  reached->insert(seen.begin(), seen.end());
  return tree;
}

}  // namespace

BlockingForest ForestOf(std::span<const BlockingEdge> edges) {
  Waiters waiters;
  std::set<int64_t> waiting;
  for (const BlockingEdge& edge : edges) {
    waiters[edge.blocker].insert(edge.waiting);
    waiting.insert(edge.waiting);
  }
  BlockingForest forest{.waiting = waiting.size()};
  std::set<int64_t> reached;
  for (const auto& [blocker, pids] : waiters) {
    if (!waiting.contains(blocker)) {
      forest.trees.push_back(TreeOf(blocker, waiters, &reached));
    }
  }
  forest.in_cycles = static_cast<size_t>(std::count_if(
      waiting.begin(), waiting.end(), [&](int64_t pid) { return !reached.contains(pid); }));
  std::stable_sort(
      forest.trees.begin(), forest.trees.end(),
      [](const BlockingTree& a, const BlockingTree& b) { return a.sessions > b.sessions; });
  return forest;
}

}  // namespace exporters::postgres
