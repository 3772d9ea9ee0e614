// An HTTP(S) server. civetweb does the protocol, behind lib/http/front.h; nothing of it shows here,
// and one catch-all handler answers every URI: its file serving and form parsing, which have known
// overflows, stay out of reach.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "lib/base/log.h"
#include "lib/base/result.h"
#include "lib/http/message.h"

namespace http {

struct ServerOptions {
  std::vector<std::string> listen_addresses;  // host:port; port 0 picks a free one.
  std::string web_config_file;                // exporter-toolkit's schema; "" for plain HTTP.
  size_t max_body_bytes = 8 << 20;
  size_t max_header_bytes = 16 << 10;
  size_t max_in_flight = 40;  // More are answered 503.
  std::chrono::milliseconds header_timeout{5000};
  // Called after each request that reached the handler, or was refused for want of a slot or of a
  // password; may be empty. On several threads at once.
  std::function<void(int status, std::chrono::nanoseconds took)> on_request = nullptr;
};

class Server {
 public:
  using Handler = std::function<Response(const Request&)>;

  // Listens before it returns. The handler runs on several threads at once. `logger` must outlive
  // the server.
  static base::Result<std::unique_ptr<Server>> Start(ServerOptions options, Handler handler,
                                                     const base::Logger& logger);
  ~Server();  // Waits for running handlers.

  const std::vector<int>& ports() const;  // In the order of listen_addresses.

 private:
  class Impl;
  explicit Server(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace http
