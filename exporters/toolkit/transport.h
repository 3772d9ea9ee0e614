// A byte stream to a server: TCP or a Unix socket, TLS when asked. Every call has one deadline for
// all it does, never one per read, so a server that drips bytes gains nothing.
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "exporters/toolkit/resolver.h"
#include "exporters/toolkit/tls_stream.h"
#include "lib/base/clock.h"
#include "lib/base/file.h"
#include "lib/base/result.h"

namespace exporters {

// How long sent bytes may stay unacknowledged before the kernel gives the connection up: what
// detects a peer that vanished without a word.
inline constexpr std::chrono::milliseconds kUnacknowledgedLimit{2000};

struct Endpoint {
  std::string host;
  int port = 0;
  std::string unix_path = {};  // Instead of host and port.

  // "db1:6379", "[::1]:6379" or "/run/redis.sock".
  std::string ToString() const;
};

// Thread-compatible. After an error the stream is of no more use.
class Transport {
 public:
  // Tries every address of the host. Errors: kNotFound (the name), kDeadlineExceeded, kUnavailable.
  static base::Result<std::unique_ptr<Transport>> Connect(const Endpoint& endpoint,
                                                          Resolver& resolver,
                                                          base::MonotonicTime deadline);

  // Files are read each time, so that renewed certificates take effect with the next connection.
  // Errors: kInvalidArgument (a file), kPermissionDenied (the certificate), kUnavailable,
  // kDeadlineExceeded.
  base::Result<void> StartTls(const TlsOptions& options, base::MonotonicTime deadline);

  // All of it. Errors: kUnavailable, kDeadlineExceeded.
  base::Result<void> Write(std::string_view bytes, base::MonotonicTime deadline);
  // Waits for at least one byte; how many came. Errors: kUnavailable (closed, too),
  // kDeadlineExceeded.
  base::Result<size_t> Read(char* buffer, size_t size, base::MonotonicTime deadline);

  // Whether a connection that was kept is fit for use: open, with nothing unasked in it.
  bool Quiet() const;

 private:
  Transport(base::UniqueFd fd, std::string host) : fd_(std::move(fd)), host_(std::move(host)) {}

  base::Result<void> Send(std::string_view bytes, base::MonotonicTime deadline);
  base::Result<size_t> Receive(char* buffer, size_t size, base::MonotonicTime deadline);
  // Sends what TLS wants sent and, if it needs input, waits for some.
  base::Result<void> MoveRecords(TlsStream::Step step, base::MonotonicTime deadline);

  base::UniqueFd fd_;
  std::string host_;
  std::unique_ptr<TlsStream> tls_;
};

}  // namespace exporters
