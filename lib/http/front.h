// What stands between the network and civetweb. civetweb gives every connection a thread and reads
// with that thread until the client has sent a whole request; as Debian builds it, it knows neither
// IPv6 nor TLS (it looks for symbols that OpenSSL 3 does not have). So one thread with epoll
// accepts, speaks TLS, waits for the head of the request and reads it strictly; only then does it
// pass the request on, over a loopback connection, and the response back. Connections to civetweb
// are kept and shared by all clients: a client that is slow or idle costs a few hundred bytes here
// and no thread there.
//
//   accepted ─> kHandshake ─> kRequest ─(it is here)─> kExchange ─(response complete)─┐
//                               ^                          │                          │
//                               └──────(keep-alive)────────┼──────────────────────────┘
//                            (refused, timed out) ─────────┴─> kClosing ─> closed
//
// Every step has a deadline. When too many clients wait, the one that has waited longest makes
// room.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "lib/base/log.h"
#include "lib/base/result.h"
#include "lib/http/exchange_table.h"
#include "lib/http/web_policy.h"

namespace http {

struct FrontOptions {
  std::vector<std::string> listen_addresses;
  size_t max_backends = 0;             // civetweb's threads.
  ExchangeTable* exchanges = nullptr;  // Outlives the front.
  size_t max_header_bytes = 0;         // A longer head is answered 431.
  size_t max_body_bytes = 0;           // A longer body is answered 413.
  std::chrono::milliseconds header_timeout{0};
  std::function<std::shared_ptr<const WebPolicy>()> policy;
};

// Thread-safe.
class Front {
 public:
  // How many clients may wait: for a handshake, a request, or the next request. Fewer where the
  // limit of open files is low, and with TLS, whose handshakes take some 40 KB each.
  static constexpr size_t kMaxWaiting = 512;
  static constexpr size_t kMaxWaitingTls = 128;
  // A body up to this size is read before the request is passed on: then a client that is slow with
  // it costs no thread either.
  static constexpr size_t kMaxGatheredBody = 16 << 10;
  static constexpr std::chrono::seconds kBodyTimeout{10};   // All of a longer one.
  static constexpr std::chrono::seconds kStallTimeout{10};  // A client that reads nothing.
  static constexpr std::chrono::seconds kIdleTimeout{75};   // Between two requests.

  // Listens; accepts nothing before Start.
  static base::Result<std::unique_ptr<Front>> Listen(FrontOptions options,
                                                     const base::Logger& logger);
  ~Front();  // Gives responses that are under way a moment.

  const std::vector<int>& ports() const;
  void Start(int backend_port);
  // No new connections and requests; those that are under way go on.
  void StopAccepting();

 private:
  class Impl;
  explicit Front(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace http
