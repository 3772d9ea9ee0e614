// Certificates for tests, made on the spot: an authority, and leaves it signs.
#pragma once

#include <memory>
#include <string>

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

namespace http {

struct PemPair {
  std::string certificate;
  std::string key;
};

class Authority {
 public:
  Authority() : key_(EVP_EC_gen("P-256"), EVP_PKEY_free) {
    certificate_ = Make("test authority", key_.get(), "");
  }

  std::string certificate() const { return ToPem(certificate_.get()); }

  // `names` as OpenSSL writes them: "DNS:localhost,IP:127.0.0.1".
  PemPair Sign(const std::string& common_name, const std::string& names) const {
    const std::shared_ptr<EVP_PKEY> key(EVP_EC_gen("P-256"), EVP_PKEY_free);
    const auto certificate = Make(common_name, key.get(), names);
    return {.certificate = ToPem(certificate.get()), .key = ToPem(key.get())};
  }

 private:
  // Signed by the authority; without names it is the authority's own.
  std::shared_ptr<X509> Make(const std::string& common_name, EVP_PKEY* key,
                             const std::string& names) const {
    static long serial = 0;
    std::shared_ptr<X509> made(X509_new(), X509_free);
    X509_set_version(made.get(), 2);
    ASN1_INTEGER_set(X509_get_serialNumber(made.get()), ++serial);
    X509_gmtime_adj(X509_getm_notBefore(made.get()), -60);
    X509_gmtime_adj(X509_getm_notAfter(made.get()), 3600);
    X509_set_pubkey(made.get(), key);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(made.get()), "CN", MBSTRING_ASC,
                               reinterpret_cast<const unsigned char*>(common_name.c_str()), -1, -1,
                               0);
    X509* issuer = certificate_ ? certificate_.get() : made.get();
    X509_set_issuer_name(made.get(), X509_get_subject_name(issuer));
    if (names.empty()) {
      Extend(made.get(), issuer, NID_basic_constraints, "critical,CA:TRUE");
    } else {
      Extend(made.get(), issuer, NID_subject_alt_name, names);
    }
    X509_sign(made.get(), key_.get(), EVP_sha256());
    return made;
  }

  static void Extend(X509* certificate, X509* issuer, int nid, const std::string& value) {
    X509V3_CTX context;
    X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
    X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str());
    X509_add_ext(certificate, extension, -1);
    X509_EXTENSION_free(extension);
  }

  template <typename Write>
  static std::string Text(Write write) {
    const std::unique_ptr<BIO, decltype(&BIO_free)> bio(BIO_new(BIO_s_mem()), BIO_free);
    write(bio.get());
    char* data = nullptr;
    const long length = BIO_get_mem_data(bio.get(), &data);
    return {data, static_cast<size_t>(length)};
  }
  static std::string ToPem(X509* certificate) {
    return Text([certificate](BIO* bio) { PEM_write_bio_X509(bio, certificate); });
  }
  static std::string ToPem(EVP_PKEY* key) {
    return Text([key](BIO* bio) {
      PEM_write_bio_PrivateKey(bio, key, nullptr, nullptr, 0, nullptr, nullptr);
    });
  }

  std::shared_ptr<EVP_PKEY> key_;
  std::shared_ptr<X509> certificate_;
};

}  // namespace http
