// The client's side of TLS without the socket: bytes of the network go in and out as strings, so
// that whoever owns the socket decides about time. OpenSSL does not show here.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "lib/base/result.h"

namespace exporters {

enum class TlsVerify {
  kNone,        // Encrypts, trusts anybody.
  kAuthority,   // The certificate must be signed by a trusted authority.
  kServerName,  // … and be made out to the server.
};

struct TlsOptions {
  TlsVerify verify = TlsVerify::kServerName;
  std::string ca_file = {};      // PEM; the system's authorities when empty.
  std::string cert_file = {};    // PEM, for servers that want to know who calls.
  std::string key_file = {};     // PEM; may be in cert_file.
  std::string server_name = {};  // The name connected to when empty.
};

// Thread-compatible.
class TlsStream {
 public:
  // What an operation came to.
  enum class Step {
    kDone,
    kNeedsInput,  // Nothing more to do before the other side has sent something.
    kClosed,      // The other side said goodbye.
  };

  // Reads the files. Errors: kInvalidArgument.
  static base::Result<std::unique_ptr<TlsStream>> Make(const TlsOptions& options,
                                                       const std::string& host);
  ~TlsStream();

  // Errors of these three: kPermissionDenied (certificates), kUnavailable (the protocol).
  base::Result<Step> Handshake();
  base::Result<Step> Encrypt(std::string_view plain);
  // kDone puts at least one byte into `buffer` and says how many in `count`.
  base::Result<Step> Decrypt(char* buffer, size_t size, size_t* count);

  // What must be sent now.
  std::string TakeOutgoing();
  void GiveIncoming(std::string_view bytes);

 private:
  struct Impl;
  explicit TlsStream(std::unique_ptr<Impl> impl);

  base::Result<Step> StepOf(int returned, std::string_view action);

  std::unique_ptr<Impl> impl_;
};

}  // namespace exporters
