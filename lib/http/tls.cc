#include "lib/http/tls.h"

#include <algorithm>
#include <string_view>

#include <arpa/inet.h>
#include <fmt/format.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "lib/base/file.h"
#include "lib/base/strings.h"

namespace http {
namespace {

using base::Error;
using base::ErrorKind;
using base::Result;

template <auto kFree>
struct Freer {
  template <typename T>
  void operator()(T* object) const {
    kFree(object);
  }
};
using BioPtr = std::unique_ptr<BIO, Freer<BIO_free>>;
using X509Ptr = std::unique_ptr<X509, Freer<X509_free>>;
using KeyPtr = std::unique_ptr<EVP_PKEY, Freer<EVP_PKEY_free>>;
using NamesPtr = std::unique_ptr<GENERAL_NAMES, Freer<GENERAL_NAMES_free>>;

constexpr size_t kMaxPemBytes = 1 << 20;

std::string LastTlsError() {
  const unsigned long code = ERR_get_error();
  ERR_clear_error();
  const char* reason = ERR_reason_error_string(code);
  return reason == nullptr ? fmt::format("OpenSSL error {}", code) : std::string(reason);
}

Error TlsError(std::string_view what) {
  return Error(fmt::format("TLS: {}: {}", what, LastTlsError()), ErrorKind::kInvalidArgument);
}

struct Pem {
  std::string name;  // For messages.
  base::Secret text;
};

Result<Pem> ReadPem(const PemSource& source, std::string_view field) {
  if (source.file.empty()) {
    return Pem{.name = std::string(field), .text = source.inline_text};
  }
  auto text = base::ReadFile(source.file, kMaxPemBytes);
  if (!text.ok()) {
    return text.error().WithContext(fmt::format("TLS: {}", field));
  }
  return Pem{.name = source.file, .text = base::Secret(*std::move(text))};
}

BioPtr OpenPem(const Pem& pem) {
  const std::string& text = pem.text.Reveal();
  return BioPtr(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

X509Ptr NextCertificate(BIO* bio) {
  return X509Ptr(PEM_read_bio_X509(bio, nullptr, nullptr, nullptr));
}

// The leaf comes first, the chain after it.
Result<void> UseCertificate(SSL_CTX* context, const Pem& pem) {
  const BioPtr bio = OpenPem(pem);
  const X509Ptr leaf = NextCertificate(bio.get());
  if (!leaf || SSL_CTX_use_certificate(context, leaf.get()) != 1) {
    return TlsError("certificate " + pem.name);
  }
  while (const X509Ptr link = NextCertificate(bio.get())) {
    if (SSL_CTX_add1_chain_cert(context, link.get()) != 1) {
      return TlsError("certificate chain " + pem.name);
    }
  }
  ERR_clear_error();  // The end of the file counts as one.
  return {};
}

// Without this callback OpenSSL would ask for a pass phrase on the terminal.
int NoPassPhrase(char* /*buffer*/, int /*size*/, int /*for_writing*/, void* /*unused*/) {
  return -1;
}

Result<void> UseKey(SSL_CTX* context, const Pem& pem) {
  const BioPtr bio = OpenPem(pem);
  const KeyPtr key(PEM_read_bio_PrivateKey(bio.get(), nullptr, NoPassPhrase, nullptr));
  if (!key) {
    return TlsError("private key " + pem.name);
  }
  if (SSL_CTX_use_PrivateKey(context, key.get()) != 1 || SSL_CTX_check_private_key(context) != 1) {
    return TlsError(fmt::format("private key {} does not fit the certificate", pem.name));
  }
  return {};
}

Result<void> TrustClients(SSL_CTX* context, const Pem& pem) {
  const BioPtr bio = OpenPem(pem);
  size_t certificates = 0;
  while (const X509Ptr authority = NextCertificate(bio.get())) {
    X509_STORE_add_cert(SSL_CTX_get_cert_store(context), authority.get());
    SSL_CTX_add_client_CA(context, authority.get());
    ++certificates;
  }
  if (certificates == 0) {
    return TlsError("client CA " + pem.name);
  }
  ERR_clear_error();
  return {};
}

int AcceptAnyCertificate(int /*verified*/, X509_STORE_CTX* /*context*/) { return 1; }

Result<void> SetClientAuth(SSL_CTX* context, const TlsConfig& config) {
  switch (config.client_auth) {
    case ClientAuth::kNone:
      SSL_CTX_set_verify(context, SSL_VERIFY_NONE, nullptr);
      break;
    case ClientAuth::kRequest:
      SSL_CTX_set_verify(context, SSL_VERIFY_PEER, AcceptAnyCertificate);
      break;
    case ClientAuth::kRequireAny:
      SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT,
                         AcceptAnyCertificate);
      break;
    case ClientAuth::kVerifyIfGiven:
      SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nullptr);
      break;
    case ClientAuth::kRequireAndVerify:
      SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
      break;
  }
  if (!config.client_ca.given()) {
    return {};
  }
  ASSIGN_OR_RETURN(const Pem authority, ReadPem(config.client_ca, "client_ca"));
  return TrustClients(context, authority);
}

Result<void> SetProtocol(SSL_CTX* context, const TlsConfig& config) {
  const int lowest = config.min_version == 0 ? TLS1_2_VERSION : config.min_version;
  SSL_CTX_set_min_proto_version(context, lowest);
  SSL_CTX_set_max_proto_version(context, config.max_version);
  if (lowest < TLS1_2_VERSION) {
    SSL_CTX_set_security_level(context, 0);  // OpenSSL 3 refuses TLS 1.0 and 1.1 above level 0.
  }
  if (!config.cipher_suites.empty() &&
      SSL_CTX_set_cipher_list(context, base::Join(config.cipher_suites, ":").c_str()) != 1) {
    return TlsError("cipher_suites");
  }
  if (!config.curves.empty() &&
      SSL_CTX_set1_groups_list(context, base::Join(config.curves, ":").c_str()) != 1) {
    return TlsError("curve_preferences");
  }
  SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
  if (config.prefer_server_cipher_suites) {
    SSL_CTX_set_options(context, SSL_OP_CIPHER_SERVER_PREFERENCE);
  }
  return {};
}

// HTTP/1.1 is all we speak; a client that offers only something else goes on without ALPN.
int SelectProtocol(SSL* /*tls*/, const unsigned char** out, unsigned char* out_length,
                   const unsigned char* in, unsigned in_length, void* /*unused*/) {
  static constexpr unsigned char kHttp11[] = "\x08http/1.1";
  unsigned char* selected = nullptr;
  if (SSL_select_next_proto(&selected, out_length, kHttp11, sizeof(kHttp11) - 1, in, in_length) !=
      OPENSSL_NPN_NEGOTIATED) {
    return SSL_TLSEXT_ERR_NOACK;
  }
  *out = selected;
  return SSL_TLSEXT_ERR_OK;
}

std::string_view Bytes(const ASN1_STRING* text) {
  return {reinterpret_cast<const char*>(ASN1_STRING_get0_data(text)),
          static_cast<size_t>(ASN1_STRING_length(text))};
}

std::string IpText(std::string_view bytes) {
  char text[INET6_ADDRSTRLEN];
  const int family = bytes.size() == 4 ? AF_INET : AF_INET6;
  if (bytes.size() != 4 && bytes.size() != 16) {
    return "";
  }
  return inet_ntop(family, bytes.data(), text, sizeof(text)) == nullptr ? "" : text;
}

std::string NameText(const GENERAL_NAME& name) {
  switch (name.type) {
    case GEN_DNS:
      return std::string(Bytes(name.d.dNSName));
    case GEN_EMAIL:
      return std::string(Bytes(name.d.rfc822Name));
    case GEN_URI:
      return std::string(Bytes(name.d.uniformResourceIdentifier));
    case GEN_IPADD:
      return IpText(Bytes(name.d.iPAddress));
    default:
      return "";
  }
}

}  // namespace

Result<TlsContext> MakeTlsContext(const TlsConfig& config) {
  const TlsContext context(SSL_CTX_new(TLS_server_method()), SSL_CTX_free);
  if (!context) {
    return TlsError("no context");
  }
  ASSIGN_OR_RETURN(const Pem certificate, ReadPem(config.cert, "cert"));
  ASSIGN_OR_RETURN(const Pem key, ReadPem(config.key, "key"));
  RETURN_IF_ERROR(UseCertificate(context.get(), certificate));
  RETURN_IF_ERROR(UseKey(context.get(), key));
  RETURN_IF_ERROR(SetProtocol(context.get(), config));
  RETURN_IF_ERROR(SetClientAuth(context.get(), config));
  SSL_CTX_set_alpn_select_cb(context.get(), SelectProtocol, nullptr);
  // Idle connections keep no buffers, and a write may be repeated from another address.
  SSL_CTX_set_mode(context.get(), SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
                                      SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  constexpr unsigned char kSessionContext[] = "tarsier";
  SSL_CTX_set_session_id_context(context.get(), kSessionContext, sizeof(kSessionContext) - 1);
  SSL_CTX_set_session_cache_mode(context.get(), SSL_SESS_CACHE_OFF);
  return context;
}

bool PeerHasAllowedName(ssl_st* tls, const std::vector<std::string>& allowed) {
  const X509Ptr peer(SSL_get1_peer_certificate(tls));
  if (!peer) {
    return false;
  }
  const NamesPtr names(static_cast<GENERAL_NAMES*>(
      X509_get_ext_d2i(peer.get(), NID_subject_alt_name, nullptr, nullptr)));
  for (int i = 0; names && i < sk_GENERAL_NAME_num(names.get()); ++i) {
    const std::string name = NameText(*sk_GENERAL_NAME_value(names.get(), i));
    if (!name.empty() && std::find(allowed.begin(), allowed.end(), name) != allowed.end()) {
      return true;
    }
  }
  return false;
}

}  // namespace http
