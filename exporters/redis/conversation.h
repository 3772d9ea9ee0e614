// A session with a server and, in a cluster, sessions with the nodes it points to: keys live where
// their slot is, and the server says MOVED about those of others.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "exporters/redis/asker.h"
#include "exporters/redis/options.h"
#include "exporters/redis/session.h"
#include "exporters/toolkit/resolver.h"
#include "lib/base/clock.h"
#include "lib/base/result.h"

namespace exporters::redis {

// Nodes one conversation follows to.
inline constexpr size_t kMaxFollowedNodes = 100;

// Thread-compatible; one scrape at a time.
class Conversation final : public Asker {
 public:
  // Both must outlive it.
  Conversation(const Options& options, Resolver& resolver)
      : options_(options), resolver_(resolver), session_(options, resolver) {}

  Session& session() { return session_; }

  // With options.is_cluster, commands answered MOVED are asked where they moved, once.
  base::Result<std::vector<Reply>> Ask(std::string_view part, std::span<const Command> commands,
                                       base::MonotonicTime deadline) override;

 private:
  struct Node {
    Node(Options node_options, Resolver& resolver)
        : options(std::move(node_options)), session(options, resolver) {}
    const Options options;
    Session session;
  };

  // Null when there are too many.
  Session* SessionOf(const std::string& address);

  const Options& options_;
  Resolver& resolver_;
  Session session_;
  std::map<std::string, std::unique_ptr<Node>> nodes_;
};

// "10.0.0.6:6379" of "MOVED 3999 10.0.0.6:6379"; empty for any other error.
std::string_view MovedTo(std::string_view error);

}  // namespace exporters::redis
