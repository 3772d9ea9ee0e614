#include "exporters/redis/conversation.h"

#include <utility>

#include "exporters/redis/info.h"
#include "lib/base/url.h"

namespace exporters::redis {

std::string_view MovedTo(std::string_view error) {
  const auto rest = AfterPrefix(error, "MOVED ");
  const size_t space = rest.has_value() ? rest->find(' ') : std::string_view::npos;
  return space == std::string_view::npos ? "" : rest->substr(space + 1);
}

Session* Conversation::SessionOf(const std::string& address) {
  if (const auto known = nodes_.find(address); known != nodes_.end()) {
    return &known->second->session;
  }
  // ":6379" means the host we are talking to.
  const auto endpoint = base::ParseHostPort(address);
  if (!endpoint.ok() || nodes_.size() >= kMaxFollowedNodes) {
    return nullptr;
  }
  Options options = options_;
  options.address.endpoint = {
      .host = endpoint->host.empty() ? options_.address.endpoint.host : endpoint->host,
      .port = endpoint->port};
  auto node = std::make_unique<Node>(std::move(options), resolver_);
  return &nodes_.emplace(address, std::move(node)).first->second->session;
}

base::Result<std::vector<Reply>> Conversation::Ask(std::string_view part,
                                                   std::span<const Command> commands,
                                                   base::MonotonicTime deadline) {
  ASSIGN_OR_RETURN(std::vector<Reply> replies, session_.Ask(part, commands, deadline));
  if (!options_.is_cluster) {
    return replies;
  }
  std::map<std::string, std::vector<size_t>> moved;
  for (size_t i = 0; i < replies.size(); ++i) {
    if (replies[i].IsError() && !MovedTo(replies[i].text).empty()) {
      moved[std::string(MovedTo(replies[i].text))].push_back(i);
    }
  }
  for (const auto& [address, positions] : moved) {
    Session* session = SessionOf(address);
    if (session == nullptr) {
      continue;
    }
    std::vector<Command> again;
    for (const size_t position : positions) {
      again.push_back(commands[position]);
    }
    auto answers = session->Ask(part, again, deadline);
    if (!answers.ok()) {
      return answers.error();
    }
    for (size_t i = 0; i < positions.size(); ++i) {
      replies[positions[i]] = std::move((*answers)[i]);
    }
  }
  return replies;
}

}  // namespace exporters::redis
