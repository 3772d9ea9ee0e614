#include "exporters/toolkit/tls_stream.h"

#include <algorithm>
#include <climits>
#include <utility>

#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

namespace exporters {
namespace {

struct CtxDeleter {
  void operator()(SSL_CTX* ctx) const { SSL_CTX_free(ctx); }
};
struct SslDeleter {
  void operator()(SSL* ssl) const { SSL_free(ssl); }
};
using CtxPtr = std::unique_ptr<SSL_CTX, CtxDeleter>;
using SslPtr = std::unique_ptr<SSL, SslDeleter>;

// The first error in OpenSSL's queue, which is emptied.
std::string OpenSslReason() {
  const unsigned long code = ERR_get_error();
  ERR_clear_error();
  const char* reason = code == 0 ? nullptr : ERR_reason_error_string(code);
  return reason == nullptr ? "unknown TLS error" : reason;
}

base::Error BadFile(std::string_view what, const std::string& file) {
  return base::Error(fmt::format("TLS: {} \"{}\": {}", what, file, OpenSslReason()),
                     base::ErrorKind::kInvalidArgument);
}

base::Result<void> LoadAuthorities(SSL_CTX* ctx, const TlsOptions& options) {
  if (options.verify == TlsVerify::kNone) {
    SSL_CTX_set_verify(ctx, SSL_VERIFY_NONE, nullptr);
    return {};
  }
  SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, nullptr);
  if (options.ca_file.empty()) {
    SSL_CTX_set_default_verify_paths(ctx);
  } else if (SSL_CTX_load_verify_locations(ctx, options.ca_file.c_str(), nullptr) != 1) {
    return BadFile("CA file", options.ca_file);
  }
  return {};
}

base::Result<void> LoadOwnCertificate(SSL_CTX* ctx, const TlsOptions& options) {
  if (options.cert_file.empty()) {
    return {};
  }
  if (SSL_CTX_use_certificate_chain_file(ctx, options.cert_file.c_str()) != 1) {
    return BadFile("client certificate", options.cert_file);
  }
  const std::string& key = options.key_file.empty() ? options.cert_file : options.key_file;
  if (SSL_CTX_use_PrivateKey_file(ctx, key.c_str(), SSL_FILETYPE_PEM) != 1) {
    return BadFile("client key", key);
  }
  return {};
}

base::Result<CtxPtr> MakeContext(const TlsOptions& options) {
  ERR_clear_error();
  CtxPtr ctx(SSL_CTX_new(TLS_client_method()));
  if (ctx == nullptr) {
    return base::Error("TLS: " + OpenSslReason());
  }
  SSL_CTX_set_min_proto_version(ctx.get(), TLS1_2_VERSION);
  RETURN_IF_ERROR(LoadAuthorities(ctx.get(), options));
  RETURN_IF_ERROR(LoadOwnCertificate(ctx.get(), options));
  return ctx;
}

// Tells the server which name is meant and, for kServerName, checks the certificate against it.
void SetServerName(SSL* ssl, const TlsOptions& options, const std::string& name) {
  X509_VERIFY_PARAM* param = SSL_get0_param(ssl);
  const bool is_address = X509_VERIFY_PARAM_set1_ip_asc(param, name.c_str()) == 1;
  if (!is_address) {
    ERR_clear_error();
    // SNI, which is for names only (RFC 6066); the macro for it has a cast that our flags forbid.
    SSL_ctrl(ssl, SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name,
             const_cast<char*>(name.c_str()));
  }
  if (options.verify != TlsVerify::kServerName) {
    X509_VERIFY_PARAM_set1_ip(param, nullptr, 0);
  } else if (!is_address) {
    SSL_set1_host(ssl, name.c_str());
  }
}

}  // namespace

struct TlsStream::Impl {
  CtxPtr ctx;
  SslPtr ssl;
  BIO* incoming = nullptr;  // Both belong to `ssl`.
  BIO* outgoing = nullptr;
};

TlsStream::TlsStream(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
TlsStream::~TlsStream() = default;

base::Result<std::unique_ptr<TlsStream>> TlsStream::Make(const TlsOptions& options,
                                                         const std::string& host) {
  auto impl = std::make_unique<Impl>();
  ASSIGN_OR_RETURN(impl->ctx, MakeContext(options));
  impl->ssl.reset(SSL_new(impl->ctx.get()));
  impl->incoming = BIO_new(BIO_s_mem());
  impl->outgoing = BIO_new(BIO_s_mem());
  BIO_set_mem_eof_return(impl->incoming, -1);
  SSL_set_bio(impl->ssl.get(), impl->incoming, impl->outgoing);
  SSL_set_connect_state(impl->ssl.get());
  SetServerName(impl->ssl.get(), options, options.server_name.empty() ? host : options.server_name);
  return std::unique_ptr<TlsStream>(new TlsStream(std::move(impl)));  // The constructor is private.
}

base::Result<TlsStream::Step> TlsStream::StepOf(int returned, std::string_view action) {
  switch (SSL_get_error(impl_->ssl.get(), returned)) {
    case SSL_ERROR_NONE:
      return Step::kDone;
    case SSL_ERROR_WANT_READ:
    case SSL_ERROR_WANT_WRITE:
      return Step::kNeedsInput;
    case SSL_ERROR_ZERO_RETURN:
      return Step::kClosed;
    default:
      break;
  }
  const std::string reason = OpenSslReason();
  const long verdict = SSL_get_verify_result(impl_->ssl.get());
  if (verdict != X509_V_OK && SSL_get_verify_mode(impl_->ssl.get()) != SSL_VERIFY_NONE) {
    return base::Error(fmt::format("TLS {}: the server's certificate: {}", action,
                                   X509_verify_cert_error_string(verdict)),
                       base::ErrorKind::kPermissionDenied);
  }
  return base::Error(fmt::format("TLS {}: {}", action, reason), base::ErrorKind::kUnavailable);
}

base::Result<TlsStream::Step> TlsStream::Handshake() {
  ERR_clear_error();
  return StepOf(SSL_do_handshake(impl_->ssl.get()), "handshake");
}

base::Result<TlsStream::Step> TlsStream::Encrypt(std::string_view plain) {
  ERR_clear_error();
  const int size = static_cast<int>(std::min<size_t>(plain.size(), INT_MAX));
  return StepOf(SSL_write(impl_->ssl.get(), plain.data(), size), "write");
}

base::Result<TlsStream::Step> TlsStream::Decrypt(char* buffer, size_t size, size_t* count) {
  ERR_clear_error();
  return StepOf(SSL_read_ex(impl_->ssl.get(), buffer, size, count), "read");
}

std::string TlsStream::TakeOutgoing() {
  std::string bytes(BIO_ctrl_pending(impl_->outgoing), '\0');
  if (!bytes.empty()) {
    BIO_read(impl_->outgoing, bytes.data(), static_cast<int>(bytes.size()));
  }
  return bytes;
}

void TlsStream::GiveIncoming(std::string_view bytes) {
  BIO_write(impl_->incoming, bytes.data(), static_cast<int>(bytes.size()));
}

}  // namespace exporters
