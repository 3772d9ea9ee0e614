// A client's connection, plain or TLS, without ever blocking.
#pragma once

#include <cstddef>
#include <memory>
#include <string_view>

#include "lib/base/file.h"
#include "lib/http/tls.h"

namespace http {

enum class Io { kDone, kWait, kClosed };

struct IoResult {
  Io io = Io::kDone;
  size_t bytes = 0;
};

// Thread-compatible.
class ClientStream {
 public:
  // `tls` is null for a plain connection.
  ClientStream(base::UniqueFd fd, const TlsContext& tls);
  ~ClientStream();
  ClientStream(const ClientStream&) = delete;
  ClientStream& operator=(const ClientStream&) = delete;

  int fd() const { return fd_.get(); }
  ssl_st* tls() const { return tls_.get(); }

  // Until kDone, nothing else may be called. At once for a plain connection.
  Io Handshake();
  // kDone with at least one byte, or kClosed when there will be none any more.
  IoResult Read(char* buffer, size_t size);
  IoResult Write(std::string_view bytes);
  // No more writes; the other side sees the end once it has read everything.
  void CloseWrite();

 private:
  struct TlsFree {
    void operator()(ssl_st* tls) const;
  };
  Io WhyNot(int result);

  base::UniqueFd fd_;
  std::unique_ptr<ssl_st, TlsFree> tls_;
  bool established_ = false;
};

}  // namespace http
