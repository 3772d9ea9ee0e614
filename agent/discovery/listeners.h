// Who listens on this machine: TCP sockets from /proc/net/tcp and tcp6, and Unix sockets where
// databases put theirs.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "lib/base/result.h"

namespace discovery {

// Something that can be dialled.
struct Listener {
  std::string host;         // "127.0.0.1", "::1"; wildcards are given as loopback.
  int port = 0;             // 0 for a Unix socket.
  std::string socket_path;  // Instead.
  uint64_t id = 0;          // The socket's inode: another listener at the same place has another.
  uint32_t uid = 0;         // Whose it is.

  // "127.0.0.1:5432" or the path.
  std::string ToString() const;
  bool operator==(const Listener&) const = default;
  bool operator<(const Listener& other) const;
};

inline constexpr size_t kMaxListeners = 1024;

// The listening sockets of a /proc/net/tcp (or tcp6) text, at most kMaxListeners. Lines that do not
// parse are left out. Pure.
std::vector<Listener> ParseProcNetTcp(std::string_view text);

// Both files under `proc`, by port, one listener a port: IPv4 if there is one, loopback before
// other addresses. A machine without IPv6 has no tcp6. Errors: tcp cannot be read.
base::Result<std::vector<Listener>> ReadTcpListeners(const std::string& proc);

// The sockets that match one of the shell patterns.
std::vector<Listener> FindUnixListeners(const std::vector<std::string>& patterns);

}  // namespace discovery
