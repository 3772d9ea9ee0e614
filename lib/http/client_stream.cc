#include "lib/http/client_stream.h"

#include <algorithm>
#include <cerrno>
#include <climits>
#include <utility>

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/socket.h>

namespace http {
namespace {

IoResult FromSystem(ssize_t result) {
  if (result >= 0) {
    return {.io = Io::kDone, .bytes = static_cast<size_t>(result)};
  }
  const bool again = errno == EAGAIN || errno == EINTR;
  return {.io = again ? Io::kWait : Io::kClosed};
}

int TlsLength(size_t size) { return static_cast<int>(std::min<size_t>(size, INT_MAX)); }

}  // namespace

void ClientStream::TlsFree::operator()(ssl_st* tls) const { SSL_free(tls); }

ClientStream::ClientStream(base::UniqueFd fd, const TlsContext& tls) : fd_(std::move(fd)) {
  if (tls) {
    tls_.reset(SSL_new(tls.get()));
    SSL_set_fd(tls_.get(), fd_.get());
    SSL_set_accept_state(tls_.get());
  }
}

ClientStream::~ClientStream() = default;

Io ClientStream::Handshake() {
  if (!tls_) {
    established_ = true;
    return Io::kDone;
  }
  ERR_clear_error();
  const int result = SSL_do_handshake(tls_.get());
  if (result != 1) {
    return WhyNot(result);
  }
  established_ = true;
  return Io::kDone;
}

Io ClientStream::WhyNot(int result) {
  const int error = SSL_get_error(tls_.get(), result);
  ERR_clear_error();
  if (error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE) {
    return Io::kWait;
  }
  // After a failure SSL_shutdown must not be called.
  established_ = established_ && error == SSL_ERROR_ZERO_RETURN;
  return Io::kClosed;
}

IoResult ClientStream::Read(char* buffer, size_t size) {
  if (!tls_) {
    const IoResult result = FromSystem(recv(fd_.get(), buffer, size, 0));
    return result.io == Io::kDone && result.bytes == 0 ? IoResult{.io = Io::kClosed} : result;
  }
  ERR_clear_error();
  const int result = SSL_read(tls_.get(), buffer, TlsLength(size));
  if (result <= 0) {
    return {.io = WhyNot(result)};
  }
  return {.io = Io::kDone, .bytes = static_cast<size_t>(result)};
}

IoResult ClientStream::Write(std::string_view bytes) {
  if (!tls_) {
    return FromSystem(send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL));
  }
  ERR_clear_error();
  const int result = SSL_write(tls_.get(), bytes.data(), TlsLength(bytes.size()));
  if (result <= 0) {
    return {.io = WhyNot(result)};
  }
  return {.io = Io::kDone, .bytes = static_cast<size_t>(result)};
}

void ClientStream::CloseWrite() {
  if (tls_ && established_) {
    SSL_shutdown(tls_.get());
    ERR_clear_error();
  }
  shutdown(fd_.get(), SHUT_WR);
}

}  // namespace http
