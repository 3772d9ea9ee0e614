// Where a Redis server is and with what it is entered: redis://user:password@host:port and its
// relatives.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "exporters/toolkit/transport.h"
#include "lib/base/result.h"
#include "lib/base/secret.h"

namespace exporters::redis {

inline constexpr int kDefaultRedisPort = 6379;

struct Address {
  Endpoint endpoint;
  bool tls = false;
  std::string user;
  base::Secret password;

  // Without credentials: "redis://db1:6379", "unix:///run/redis.sock".
  std::string ToString() const;
};

// redis:// and valkey:// (TCP), rediss:// and valkeys:// (TLS), unix:///path; a bare host:port
// means redis://. Host and port fall back to localhost and 6379; a path (database number) is
// ignored, as nothing here depends on it. Errors: kInvalidArgument, without quoting what may hold a
// password.
base::Result<Address> ParseAddress(std::string_view text);

// What a password file holds.
struct Passwords {
  base::Secret plain;                              // A file that is just a password.
  std::map<std::string, base::Secret> by_address;  // A JSON object: address → password.

  // The password of an address: the plain one, else the entry named like `address` with or without
  // its user, however it spells the defaults. Empty when there is none.
  base::Secret Find(const Address& address) const;
  // Only an entry named like `address`; its host may be a pattern ("redis://*.cache:6379").
  base::Secret FindBound(const Address& address) const;
};

// A JSON object of strings, or a plain password with white space around it. Errors:
// kInvalidArgument, without quoting the content.
base::Result<Passwords> ParsePasswords(std::string_view content);

}  // namespace exporters::redis
