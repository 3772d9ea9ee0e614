// Sockets as sock_diag lists them: only those in wanted states, where /proc/net/tcp has all.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "exporters/host/netlink.h"
#include "lib/base/result.h"

namespace exporters::host {

// Connections that wait to be accepted by a server, and how many may.
struct Listener {
  std::string protocol;  // "tcp" or "unix".
  std::string address;   // "127.0.0.1:5432", "[::]:80", "/run/x.sock", "@abstract".
  uint64_t waiting = 0;
  uint64_t limit = 0;
};

// One message of sock_diag about a listening socket. Errors: kInvalidArgument.
base::Result<Listener> ParseInetListener(std::string_view body);
base::Result<Listener> ParseUnixListener(std::string_view body);

inline constexpr size_t kMaxListeners = 500;
// Sorted by protocol and address; sockets that share an address (SO_REUSEPORT) are one, with sums.
// Errors: those of netlink; more than kMaxListeners are left out, and counted in `dropped`.
base::Result<std::vector<Listener>> ListListeners(NetlinkSocket& socket, size_t* dropped);

struct TcpStates {
  std::map<std::string, uint64_t> connections;  // By state, as node_exporter calls it.
  uint64_t received_bytes = 0, sent_bytes = 0;  // Waiting in queues.
};
// Every connection is looked at: a millisecond for some thousands.
base::Result<TcpStates> CountTcpStates(NetlinkSocket& socket);

}  // namespace exporters::host
