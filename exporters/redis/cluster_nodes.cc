#include "exporters/redis/cluster_nodes.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "lib/base/strings.h"

namespace exporters::redis {
namespace {

constexpr std::string_view kUnusableFlags[] = {"fail", "handshake", "noaddr"};

bool IsUsable(const std::vector<std::string_view>& flags) {
  return std::none_of(flags.begin(), flags.end(), [](std::string_view flag) {
    return std::find(std::begin(kUnusableFlags), std::end(kUnusableFlags), flag) !=
           std::end(kUnusableFlags);
  });
}

// "10.0.0.5:6379@16379,db5.example,shard-id=…"; before Redis 4.0 without the bus port. IPv6
// addresses come without brackets.
std::optional<ClusterNode> ParseNodeAddress(std::string_view text) {
  const std::vector<std::string_view> parts = base::Split(text, ',');
  const std::string_view address = parts[0].substr(0, parts[0].find('@'));
  const size_t colon = address.rfind(':');
  if (colon == std::string_view::npos || colon == 0) {
    return std::nullopt;
  }
  const auto port = base::ParseInt(address.substr(colon + 1));
  if (!port.has_value() || *port <= 0 || *port > 65535) {
    return std::nullopt;
  }
  ClusterNode node{
      .endpoint = {.host = std::string(address.substr(0, colon)), .port = static_cast<int>(*port)},
      .hostname = {}};
  if (parts.size() > 1 && parts[1].find('=') == std::string_view::npos && parts[1] != "?") {
    node.hostname = parts[1];
  }
  return node;
}

}  // namespace

std::vector<ClusterNode> ParseClusterNodes(std::string_view text) {
  std::vector<ClusterNode> nodes;
  for (std::string_view line : base::Split(text, '\n')) {
    const std::vector<std::string_view> words = base::Split(base::TrimSpace(line), ' ');
    if (words.size() < 8 || nodes.size() >= kMaxClusterNodes) {
      continue;
    }
    const std::vector<std::string_view> flags = base::Split(words[2], ',');
    std::optional<ClusterNode> node = ParseNodeAddress(words[1]);
    if (!node.has_value() || !IsUsable(flags)) {
      continue;
    }
    node->master = std::find(flags.begin(), flags.end(), "master") != flags.end();
    nodes.push_back(*std::move(node));
  }
  return nodes;
}

}  // namespace exporters::redis
