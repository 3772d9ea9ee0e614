#include "lib/http/basic_auth.h"

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include <crypt.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>

#include "lib/base/strings.h"

namespace http {
namespace {

// Of no password anyone has; its cost is what htpasswd and the documentation of the schema use.
constexpr char kNobodysHash[] = "$2b$10$7EqJtq98hPqEX7fNZaFWoOhi5B4g3bY6wlA3l9v1mA3GQF0m3oVLa";

constexpr size_t kMaxPasswordBytes = 1024;

std::optional<std::string> DecodeBase64(std::string_view text) {
  if (text.size() % 4 != 0 || text.size() > 4 * kMaxPasswordBytes) {
    return std::nullopt;
  }
  // EVP_DecodeBlock takes '=' anywhere and counts what it stands for.
  const size_t padding = text.size() - std::min(text.find('='), text.size());
  if (padding > 2 || text.find_first_not_of('=', text.size() - padding) != std::string_view::npos) {
    return std::nullopt;
  }
  std::string decoded(text.size() / 4 * 3, '\0');
  const int length = EVP_DecodeBlock(reinterpret_cast<unsigned char*>(decoded.data()),
                                     reinterpret_cast<const unsigned char*>(text.data()),
                                     static_cast<int>(text.size()));
  if (length < 0) {
    return std::nullopt;
  }
  decoded.resize(static_cast<size_t>(length) - padding);
  return decoded;
}

std::string Bcrypt(const std::string& password, const std::string& hash) {
  const auto data = std::make_unique<crypt_data>();  // 32 KB: too much for a small stack.
  const char* computed = crypt_r(password.c_str(), hash.c_str(), data.get());
  std::string result = computed == nullptr ? "" : computed;
  OPENSSL_cleanse(data.get(), sizeof(crypt_data));
  return result;
}

bool SameText(std::string_view a, std::string_view b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

void AppendField(std::string_view field, std::string* out) {
  const uint64_t length = field.size();
  out->append(reinterpret_cast<const char*>(&length), sizeof(length));
  *out += field;
}

}  // namespace

bool ParseBasicAuth(std::string_view header, Credentials* credentials) {
  constexpr std::string_view kScheme = "Basic ";
  if (header.size() < kScheme.size() ||
      !base::EqualsIgnoreCase(header.substr(0, kScheme.size()), kScheme)) {
    return false;
  }
  const auto decoded = DecodeBase64(base::TrimSpace(header.substr(kScheme.size())));
  if (!decoded) {
    return false;
  }
  const size_t colon = decoded->find(':');
  if (colon == std::string::npos) {
    return false;
  }
  credentials->user = decoded->substr(0, colon);
  credentials->password = base::Secret(decoded->substr(colon + 1));
  return true;
}

PasswordChecker::PasswordChecker() : PasswordChecker(Bcrypt) {}

PasswordChecker::PasswordChecker(HashFunc hash) : hash_(std::move(hash)) {
  if (RAND_bytes(key_.data(), static_cast<int>(key_.size())) != 1) {
    std::abort();  // No random numbers: no safe way to go on.
  }
}

PasswordChecker::Digest PasswordChecker::Mac(std::string_view user, std::string_view hash,
                                             std::string_view password) const {
  std::string message;
  message.reserve(3 * sizeof(uint64_t) + user.size() + hash.size() + password.size());
  AppendField(user, &message);
  AppendField(hash, &message);
  AppendField(password, &message);
  Digest digest{};
  unsigned length = 0;
  HMAC(EVP_sha256(), key_.data(), static_cast<int>(key_.size()),
       reinterpret_cast<const unsigned char*>(message.data()), message.size(), digest.data(),
       &length);
  OPENSSL_cleanse(message.data(), message.size());
  return digest;
}

PasswordChecker::Verdict PasswordChecker::Check(const Users& users,
                                                const Credentials& credentials) {
  const std::string& password = credentials.password.Reveal();
  // crypt_r reads up to a NUL: "right\0anything" must not pass as "right".
  if (password.size() > kMaxPasswordBytes || password.find('\0') != std::string::npos) {
    return Verdict::kWrong;
  }
  const auto user = users.find(credentials.user);
  const std::string hash = user == users.end() ? kNobodysHash : user->second;
  const Digest digest = Mac(credentials.user, hash, password);
  if (const auto known = Recall(digest)) {
    return *known;
  }
  if (!Enqueue()) {
    return Verdict::kBusy;
  }
  const base::MutexLock hashing(hashing_);
  if (const auto known = Recall(digest)) {  // Somebody else asked the same while we waited.
    Remember(digest, *known);
    return *known;
  }
  const bool right = SameText(hash_(password, hash), hash) && user != users.end();
  Remember(digest, right ? Verdict::kRight : Verdict::kWrong);
  return right ? Verdict::kRight : Verdict::kWrong;
}

std::optional<PasswordChecker::Verdict> PasswordChecker::Recall(const Digest& digest) {
  const base::MutexLock lock(mutex_);
  const auto known = remembered_.find(digest);
  return known == remembered_.end() ? std::nullopt : std::optional<Verdict>(known->second);
}

bool PasswordChecker::Enqueue() {
  const base::MutexLock lock(mutex_);
  if (waiting_ == kMaxWaiting) {
    return false;
  }
  ++waiting_;
  return true;
}

void PasswordChecker::Remember(const Digest& digest, Verdict verdict) {
  const base::MutexLock lock(mutex_);
  --waiting_;
  if (!remembered_.emplace(digest, verdict).second) {
    return;
  }
  order_.push_back(digest);
  if (order_.size() > kMaxRemembered) {
    remembered_.erase(order_.front());
    order_.pop_front();
  }
}

}  // namespace http
