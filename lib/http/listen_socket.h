// TCP sockets: listening on host:port addresses, connecting to ourselves.
#pragma once

#include <string>

#include "lib/base/file.h"
#include "lib/base/result.h"

namespace http {

struct ListenSocket {
  base::UniqueFd fd;
  int port = 0;
};

// ":9100" listens on every address, IPv4 and IPv6. Non-blocking. Errors: kInvalidArgument (the
// address), kUnavailable (in use), kPermissionDenied.
base::Result<ListenSocket> OpenListenSocket(const std::string& address);

// To 127.0.0.1. Non-blocking; invalid, with errno set, when it failed at once.
base::UniqueFd ConnectToLoopback(int port);

}  // namespace http
