// Server-side TLS from a web configuration.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "lib/base/result.h"
#include "lib/http/web_config.h"

struct ssl_ctx_st;
struct ssl_st;

namespace http {

// OpenSSL's SSL_CTX. Immutable once made, thread-safe.
using TlsContext = std::shared_ptr<ssl_ctx_st>;

// Reads certificate, key and CA. Errors name the file, never the key.
base::Result<TlsContext> MakeTlsContext(const TlsConfig& config);

// Whether the client's certificate has one of `allowed` as DNS name, e-mail address, IP address or
// URI. For after the handshake.
bool PeerHasAllowedName(ssl_st* tls, const std::vector<std::string>& allowed);

}  // namespace http
