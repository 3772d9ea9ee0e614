#include "exporters/toolkit/health_probe.h"

#include <cstddef>
#include <memory>
#include <string_view>

#include <fmt/format.h>

#include "exporters/toolkit/resolver.h"
#include "exporters/toolkit/transport.h"
#include "lib/base/strings.h"

namespace exporters {
namespace {

constexpr size_t kMaxStatusLineBytes = 1024;
constexpr size_t kStatusAt = sizeof("HTTP/1.1 ") - 1;

std::string LocalHost(const std::string& host) {
  if (host.empty() || host == "0.0.0.0" || host == "*") {
    return "127.0.0.1";
  }
  return host == "::" ? "::1" : host;
}

// The status of "HTTP/1.1 200 OK", or 0.
int ParseStatus(std::string_view answer) {
  if (answer.substr(0, 5) != "HTTP/" || answer.size() < kStatusAt + 3) {
    return 0;
  }
  return static_cast<int>(base::ParseUint(answer.substr(kStatusAt, 3)).value_or(0));
}

base::Result<int> AskStatus(const Endpoint& endpoint, bool tls, base::MonotonicTime deadline) {
  Resolver resolver;
  ASSIGN_OR_RETURN(const std::unique_ptr<Transport> transport,
                   Transport::Connect(endpoint, resolver, deadline));
  if (tls) {
    RETURN_IF_ERROR(transport->StartTls({.verify = TlsVerify::kNone}, deadline));
  }
  RETURN_IF_ERROR(transport->Write(
      fmt::format("GET /-/healthy HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n",
                  endpoint.ToString()),
      deadline));
  std::string answer(kMaxStatusLineBytes, '\0');
  size_t used = 0;
  while (used < kStatusAt + 3) {
    ASSIGN_OR_RETURN(const size_t got,
                     transport->Read(answer.data() + used, answer.size() - used, deadline));
    used += got;
  }
  return ParseStatus(std::string_view(answer).substr(0, used));
}

}  // namespace

base::Result<void> ProbeHealth(const base::HostPort& listen, bool maybe_tls,
                               base::MonotonicTime deadline) {
  const Endpoint endpoint{.host = LocalHost(listen.host), .port = listen.port};
  base::Result<int> status = AskStatus(endpoint, false, deadline);
  if (maybe_tls && (!status.ok() || *status == 0 || *status == 400)) {
    status = AskStatus(endpoint, true, deadline);
  }
  if (!status.ok()) {
    return status.error().WithContext(endpoint.ToString());
  }
  if (*status != 200 && *status != 401) {
    return base::Error(fmt::format("{} answered {}", endpoint.ToString(), *status),
                       base::ErrorKind::kUnavailable);
  }
  return {};
}

}  // namespace exporters
