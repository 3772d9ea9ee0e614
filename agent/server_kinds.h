// What the agent must know of each kind of server to watch it without being told how: one row each.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "agent/discovery/local.h"
#include "exporters/toolkit/exporter.h"
#include "exporters/toolkit/flags.h"
#include "lib/base/log.h"
#include "lib/base/result.h"

namespace agent {

// One way to reach and enter a server. `listener` is empty for the one that the environment names.
struct Login {
  discovery::Listener listener;
  std::string user;  // Empty: whatever the environment or the protocol's default says.
  // Any user of this machine can listen somewhere and ask for a password, so one that was meant for
  // a database is shown to root, to system accounts and to ourselves only.
  bool may_see_passwords = true;
};

struct MadeExporter {
  std::shared_ptr<exporters::Exporter> exporter;
  std::string address;  // Where it connects to, without credentials: "db1:5432", "/run/redis.sock".
};

struct ServerKindRow {
  discovery::ServerKind kind;
  std::string_view job;
  std::string_view up_metric;
  std::string_view reason_metric;  // Its label says why `up_metric` is 0: the one that is 1.
  std::string_view hint;           // What to set when the server lets nobody in.
  // The variables that name a server themselves.
  std::span<const char* const> variables;
  // Users to try, and the variables that name another one: then only that is tried.
  std::span<const char* const> users;
  std::span<const char* const> user_variables;
  base::Result<MadeExporter> (*make)(const Login& login,
                                     const exporters::EnvironmentFunc& environment,
                                     const base::Logger& logger);
};

// Accounts below are the system's, not people's.
inline constexpr uint32_t kFirstPersonalUid = 1000;
bool MaySeePasswords(const discovery::Listener& listener);

std::span<const ServerKindRow> ServerKinds();
// Null for a kind that nothing watches.
const ServerKindRow* FindRow(discovery::ServerKind kind);

}  // namespace agent
