// What stands between the network and civetweb. civetweb gives every connection a thread and reads
// with that thread until the client has sent a whole request; as Debian builds it, it knows neither
// IPv6 nor TLS (it looks for symbols that OpenSSL 3 does not have). So one thread with epoll
// accepts, speaks TLS, waits for the head of the request and reads it strictly; only then does it
// pass the request on, over a loopback connection, and the response back. Connections to civetweb
// are kept and shared by all clients: a client that is slow or idle costs a few hundred bytes here
// and no thread there.
//
//   accepted ─> kHandshake ─> kHead ─(head complete)─> kExchange ─(response complete)─┐
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
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lib/base/log.h"
#include "lib/base/result.h"
#include "lib/http/web_policy.h"

namespace http {

struct FrontOptions {
  std::vector<std::string> listen_addresses;
  size_t max_backends = 0;      // civetweb's threads.
  size_t max_header_bytes = 0;  // A longer head is answered 431.
  size_t max_body_bytes = 0;    // A longer body is answered 413.
  std::chrono::milliseconds header_timeout{0};
  std::function<std::shared_ptr<const WebPolicy>()> policy;
};

// Thread-safe.
class Front {
 public:
  // How many clients may wait: for a handshake, a head, or the next request. Fewer where the limit
  // of open files is low.
  static constexpr size_t kMaxWaiting = 512;
  static constexpr std::chrono::seconds kBodyTimeout{10};   // All of a request's body.
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

  // Every request that is passed on carries this header, first of all, with a value nobody can
  // guess: what reaches civetweb without it did not come through here.
  static constexpr std::string_view kExchangeHeader = "X-Tarsier-Exchange";

  struct Exchange {
    uint64_t id = 0;
    std::string client_address;
  };
  std::optional<Exchange> FindExchange(std::string_view header) const;
  // The request has been read whole: its exchange must not make room for another.
  void BeginHandling(uint64_t exchange_id);
  // So many bytes follow.
  void BeginResponse(uint64_t exchange_id, uint64_t bytes);

 private:
  class Impl;
  explicit Front(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace http
