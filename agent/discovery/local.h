// Finds the PostgreSQL, PgBouncer and Redis servers of this machine without being told: by Unix
// sockets where they usually are, and by asking every listening TCP port once.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "agent/discovery/listeners.h"
#include "agent/discovery/probe.h"
#include "lib/base/result.h"

namespace discovery {

struct LocalOptions {
  std::string proc = "/proc";
  std::vector<std::string> socket_patterns = {
      "/var/run/postgresql/.s.PGSQL.*",
      "/tmp/.s.PGSQL.*",
      "/run/pgbouncer/.s.PGSQL.*",
      "/run/redis/*.sock",
      "/run/valkey/*.sock",
      "/tmp/redis*.sock",
  };
  std::vector<int> own_ports = {};  // Not asked.
  std::function<std::optional<ServerKind>(const Listener&)> probe = Probe;
};

inline constexpr size_t kProbesAtOnce = 8;
// A listener that does not say what it is, is asked again this often: it may have been too busy.
inline constexpr int kMaxAsks = 3;

struct FoundServer {
  ServerKind kind = ServerKind::kPostgres;
  Listener listener;

  bool operator==(const FoundServer&) const = default;
};

// Thread-compatible.
class LocalFinder {
 public:
  explicit LocalFinder(LocalOptions options) : options_(std::move(options)) {}

  // The servers that listen now, TCP first, then sockets; a server that listens on both is there
  // twice. What a listener once said is remembered as long as it lives. Errors: /proc cannot be
  // read.
  base::Result<std::vector<FoundServer>> Find();

 private:
  std::vector<std::optional<ServerKind>> AskAll(const std::vector<Listener>& listeners) const;

  const LocalOptions options_;
  struct Known {
    std::optional<ServerKind> kind;
    int asks = 0;
  };
  std::map<Listener, Known> known_;  // The listeners seen last time.
};

}  // namespace discovery
