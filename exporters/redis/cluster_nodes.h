// CLUSTER NODES: a line for each node.
//   07c3… 10.0.0.5:6379@16379,db5.example master - 0 1795169422 3 connected 0-5460
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "exporters/toolkit/transport.h"

namespace exporters::redis {

// Nodes beyond are ignored.
inline constexpr size_t kMaxClusterNodes = 1000;

struct ClusterNode {
  Endpoint endpoint;     // By address.
  std::string hostname;  // What the node announces; may be empty.
  bool master = false;
};

// Those that can be talked to: not failed, not in handshake, with an address. A line that is none
// is left out.
std::vector<ClusterNode> ParseClusterNodes(std::string_view text);

}  // namespace exporters::redis
