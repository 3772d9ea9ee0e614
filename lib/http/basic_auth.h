// Checks user names and passwords against bcrypt hashes. A hash takes tens of milliseconds by
// design, so answers are remembered, and only one is computed at a time: a flood of wrong passwords
// costs one core at most.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "lib/base/mutex.h"
#include "lib/base/secret.h"

namespace http {

struct Credentials {
  std::string user;
  base::Secret password;
};

// Of an Authorization header: "Basic " and base64 of "user:password". False when it is not that.
bool ParseBasicAuth(std::string_view header, Credentials* credentials);

// Thread-safe.
class PasswordChecker {
 public:
  using Users = std::map<std::string, std::string, std::less<>>;  // Name to bcrypt hash.
  using HashFunc = std::function<std::string(const std::string& password, const std::string& hash)>;

  static constexpr size_t kMaxRemembered = 128;
  static constexpr int kMaxWaiting = 8;  // For their hash to be computed; more are told kBusy.

  enum class Verdict { kRight, kWrong, kBusy };

  PasswordChecker();
  // `hash` instead of bcrypt, for tests.
  explicit PasswordChecker(HashFunc hash);

  // Unknown users cost as much as known ones.
  Verdict Check(const Users& users, const Credentials& credentials);

 private:
  using Digest = std::array<unsigned char, 32>;

  // Of user, hash and password, each with its length, under a key of this process: nothing that is
  // remembered tells a password, and no two triples share a digest.
  Digest Mac(std::string_view user, std::string_view hash, std::string_view password) const;
  std::optional<Verdict> Recall(const Digest& digest);
  bool Enqueue();
  void Remember(const Digest& digest, Verdict verdict);

  const HashFunc hash_;
  Digest key_;
  base::Mutex hashing_;  // Held while a hash is computed; taken before mutex_.
  base::Mutex mutex_;
  std::map<Digest, Verdict> remembered_ GUARDED_BY(mutex_);
  std::deque<Digest> order_ GUARDED_BY(mutex_);  // Oldest first.
  int waiting_ GUARDED_BY(mutex_) = 0;
};

}  // namespace http
