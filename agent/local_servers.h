// The servers of this machine as targets: what discovery finds and what the environment names, each
// with an embedded exporter that can log in.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "agent/discovery/local.h"
#include "agent/scrape/manager.h"
#include "exporters/toolkit/exporter.h"
#include "exporters/toolkit/flags.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/base/result.h"

namespace agent {

struct ServerKindRow;  // agent/server_kinds.h

struct LocalServersOptions {
  std::string host_name;
  discovery::LocalOptions discovery = {};
  exporters::EnvironmentFunc environment;
};

// How long one attempt to log in may take.
inline constexpr std::chrono::milliseconds kLoginTimeout{3000};
// A server that lets nobody in is tried again after this long: each attempt is a line in its log.
inline constexpr std::chrono::minutes kLoginRetry{5};

// Thread-compatible.
class LocalServers {
 public:
  // The references must outlive this and every exporter it makes.
  LocalServers(LocalServersOptions options, const base::Clock& clock, const base::Logger& logger);
  ~LocalServers();

  // Looks around. True when there is a new target. A target is never taken back: a server that is
  // gone is down.
  bool Refresh();

  // One job a kind, "postgres", "redis", "pgbouncer", with the options of `defaults`.
  std::vector<scrape::Job> Jobs(const scrape::JobOptions& defaults) const;

  // For people: a line for each server, watched or not, and for each kind that is not there at all.
  std::vector<std::string> Describe() const;

 private:
  struct Server;

  void AddFromEnvironment();
  void Consider(const discovery::FoundServer& found);
  std::vector<std::string> UsersToTry(const ServerKindRow& row) const;
  bool TryToWatch(Server* server);
  bool AlreadyWatched(const Server& server) const;

  const LocalServersOptions options_;
  const base::Clock& clock_;
  const base::Logger& logger_;
  const base::Logger trial_logger_;  // Of exporters that only try a way in: silent.
  discovery::LocalFinder finder_;
  std::string finder_error_;
  std::vector<std::string> environment_errors_;
  std::map<std::string, std::unique_ptr<Server>> servers_;  // By kind and port or socket.
};

}  // namespace agent
