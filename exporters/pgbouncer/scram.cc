#include "exporters/pgbouncer/scram.h"

#include <array>
#include <utility>

#include <fmt/format.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>

#include "lib/base/strings.h"

namespace exporters::pgbouncer {
namespace {

constexpr size_t kKeyBytes = 32;
constexpr size_t kNonceBytes = 18;
// "n,," in base64: no channel binding, no authorisation identity.
constexpr std::string_view kGs2Header = "n,,";
constexpr std::string_view kChannelBinding = "c=biws";

base::Error Malformed() {
  return base::Error("SCRAM: a malformed message of the server", base::ErrorKind::kInvalidArgument);
}

const unsigned char* Bytes(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}
unsigned char* Bytes(std::string* text) { return reinterpret_cast<unsigned char*>(text->data()); }

std::string Hmac(std::string_view key, std::string_view text) {
  std::string digest(kKeyBytes, '\0');
  unsigned int size = kKeyBytes;
  HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), Bytes(text), text.size(),
       Bytes(&digest), &size);
  return digest;
}

std::string Digest(const EVP_MD* method, std::string_view text) {
  std::string digest(EVP_MAX_MD_SIZE, '\0');
  unsigned int size = 0;
  EVP_Digest(text.data(), text.size(), Bytes(&digest), &size, method, nullptr);
  digest.resize(size);
  return digest;
}

std::string Base64(std::string_view text) {
  std::string encoded(4 * ((text.size() + 2) / 3) + 1, '\0');  // EVP adds a NUL.
  const int size = EVP_EncodeBlock(Bytes(&encoded), Bytes(text), static_cast<int>(text.size()));
  encoded.resize(static_cast<size_t>(size));
  return encoded;
}

std::optional<std::string> FromBase64(std::string_view text) {
  if (text.empty() || text.size() % 4 != 0) {
    return std::nullopt;
  }
  std::string decoded(text.size() / 4 * 3, '\0');
  const int size = EVP_DecodeBlock(Bytes(&decoded), Bytes(text), static_cast<int>(text.size()));
  if (size < 0) {
    return std::nullopt;
  }
  const size_t padding = text.substr(text.size() - 2) == "==" ? 2 : (text.back() == '=' ? 1 : 0);
  decoded.resize(static_cast<size_t>(size) - padding);
  return decoded;
}

std::string Xor(std::string_view a, std::string_view b) {
  std::string result(a);
  for (size_t i = 0; i < result.size(); ++i) {
    result[i] = static_cast<char>(result[i] ^ b[i]);
  }
  return result;
}

// The value of "r=value" among attributes separated by commas.
std::optional<std::string_view> Attribute(std::string_view message, char name) {
  for (const std::string_view part : base::Split(message, ',')) {
    if (part.size() >= 2 && part[0] == name && part[1] == '=') {
      return part.substr(2);
    }
  }
  return std::nullopt;
}

std::string Hexadecimal(std::string_view bytes) {
  std::string text;
  for (const char byte : bytes) {
    text += fmt::format("{:02x}", static_cast<unsigned char>(byte));
  }
  return text;
}

}  // namespace

ScramKeys ScramKeyCache::Derive(const base::Secret& password, std::string_view salt,
                                uint64_t iterations) {
  const std::string id = fmt::format("{} {} {}", iterations, Base64(salt),
                                     Base64(Digest(EVP_sha256(), password.Reveal())));
  {
    const base::MutexLock lock(mutex_);
    if (const auto known = known_.find(id); known != known_.end()) {
      return known->second;
    }
  }
  std::string salted(kKeyBytes, '\0');
  PKCS5_PBKDF2_HMAC(password.Reveal().data(), static_cast<int>(password.Reveal().size()),
                    Bytes(salt), static_cast<int>(salt.size()), static_cast<int>(iterations),
                    EVP_sha256(), static_cast<int>(salted.size()), Bytes(&salted));
  ScramKeys keys{.client_key = Hmac(salted, "Client Key"),
                 .server_key = Hmac(salted, "Server Key")};
  const base::MutexLock lock(mutex_);
  if (known_.size() >= kMaxKnownScramKeys) {
    known_.clear();
  }
  known_.insert_or_assign(id, keys);
  return keys;
}

ScramClient::ScramClient(base::Secret password, std::string nonce, ScramKeyCache& keys)
    : password_(std::move(password)), nonce_(std::move(nonce)), keys_(keys) {}

// The user's name is left empty: the server takes that of the startup message.
std::string ScramClient::FirstMessage() const {
  return fmt::format("{}n=,r={}", kGs2Header, nonce_);
}

base::Result<std::string> ScramClient::FinalMessage(std::string_view server_first) {
  const auto nonce = Attribute(server_first, 'r');
  const auto salt_text = Attribute(server_first, 's');
  const auto iterations_text = Attribute(server_first, 'i');
  if (!nonce.has_value() || !salt_text.has_value() || !iterations_text.has_value()) {
    return Malformed();
  }
  const auto salt = FromBase64(*salt_text);
  const auto iterations = base::ParseUint(*iterations_text);
  const bool ours = nonce->size() > nonce_.size() && nonce->substr(0, nonce_.size()) == nonce_;
  if (!salt.has_value() || !iterations.has_value() || *iterations == 0 || !ours) {
    return Malformed();
  }
  if (*iterations > kMaxScramIterations) {
    return base::Error(fmt::format("SCRAM: the server asks for {} rounds, more than {}",
                                   *iterations, kMaxScramIterations),
                       base::ErrorKind::kResourceExhausted);
  }
  const ScramKeys keys = keys_.Derive(password_, *salt, *iterations);
  const std::string without_proof = fmt::format("{},r={}", kChannelBinding, *nonce);
  const std::string signed_text = fmt::format("n=,r={},{},{}", nonce_, server_first, without_proof);
  server_signature_ = Hmac(keys.server_key, signed_text);
  const std::string signature = Hmac(Digest(EVP_sha256(), keys.client_key), signed_text);
  return fmt::format("{},p={}", without_proof, Base64(Xor(keys.client_key, signature)));
}

base::Result<void> ScramClient::CheckServer(std::string_view server_final) const {
  const auto verifier = Attribute(server_final, 'v');
  const auto signature = verifier.has_value() ? FromBase64(*verifier) : std::nullopt;
  if (!signature.has_value() || signature->size() != server_signature_.size() ||
      server_signature_.empty() ||
      CRYPTO_memcmp(signature->data(), server_signature_.data(), signature->size()) != 0) {
    return base::Error("SCRAM: the server does not know the password itself",
                       base::ErrorKind::kPermissionDenied);
  }
  return {};
}

base::Result<std::string> MakeNonce() {
  std::array<unsigned char, kNonceBytes> bytes;
  if (RAND_bytes(bytes.data(), static_cast<int>(bytes.size())) != 1) {
    return base::Error("SCRAM: no random numbers");
  }
  return Base64({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
}

std::string Md5Password(const base::Secret& password, std::string_view user,
                        std::string_view salt) {
  const std::string inner = Hexadecimal(Digest(EVP_md5(), password.Reveal() + std::string(user)));
  return "md5" + Hexadecimal(Digest(EVP_md5(), inner + std::string(salt)));
}

}  // namespace exporters::pgbouncer
