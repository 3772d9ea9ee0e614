// SCRAM-SHA-256 from the client's side (RFC 5802, RFC 7677), and PostgreSQL's MD5 scheme. No I/O;
// the nonce comes from outside.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "lib/base/mutex.h"
#include "lib/base/result.h"
#include "lib/base/secret.h"

namespace exporters::pgbouncer {

inline constexpr std::string_view kScramMechanism = "SCRAM-SHA-256";
// A server that asks for more hashing than this is refused: it would stall the scrape.
inline constexpr uint64_t kMaxScramIterations = 600'000;
// Derived keys kept; a server that makes up a new salt each time does not fill the memory.
inline constexpr size_t kMaxKnownScramKeys = 16;

// What the password becomes with a salt and a number of rounds. Deriving it is most of the cost of
// a login, by design; so it is done once.
struct ScramKeys {
  std::string client_key;
  std::string server_key;
};

// Thread-safe.
class ScramKeyCache {
 public:
  ScramKeys Derive(const base::Secret& password, std::string_view salt, uint64_t iterations);

 private:
  base::Mutex mutex_;
  std::map<std::string, ScramKeys> known_ GUARDED_BY(mutex_);
};

// One login. Thread-compatible.
class ScramClient {
 public:
  // `nonce` is printable without commas; MakeNonce() in production. `keys` must outlive this.
  ScramClient(base::Secret password, std::string nonce, ScramKeyCache& keys);

  std::string FirstMessage() const;
  // The answer to the server's first message. Errors: kInvalidArgument (malformed, or not made for
  // our nonce), kResourceExhausted (kMaxScramIterations).
  base::Result<std::string> FinalMessage(std::string_view server_first);
  // Whether the server knows the password, too. Errors: kPermissionDenied.
  base::Result<void> CheckServer(std::string_view server_final) const;

 private:
  const base::Secret password_;
  const std::string nonce_;
  ScramKeyCache& keys_;
  std::string server_signature_;
};

// 18 random bytes in base64. Errors: kUnknown, when the system has no randomness.
base::Result<std::string> MakeNonce();

// "md5" and the digest that the server expects for this salt.
std::string Md5Password(const base::Secret& password, std::string_view user, std::string_view salt);

}  // namespace exporters::pgbouncer
