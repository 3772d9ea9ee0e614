// The web configuration file: TLS, basic auth and response headers, in the schema that every
// official exporter takes through --web.config.file. Unknown keys are errors.
#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "lib/base/result.h"
#include "lib/base/secret.h"

namespace http {

enum class ClientAuth {
  kNone,
  kRequest,          // Asked for; neither needed nor verified.
  kRequireAny,       // Needed, not verified.
  kVerifyIfGiven,    // Verified when there is one.
  kRequireAndVerify  // Needed and verified.
};

// A PEM text, in the configuration itself or in a file beside it. The file wins.
struct PemSource {
  base::Secret inline_text;
  std::string file;

  bool given() const { return !file.empty() || !inline_text.empty(); }
};

struct TlsConfig {
  PemSource cert;
  PemSource key;
  PemSource client_ca;
  ClientAuth client_auth = ClientAuth::kNone;
  std::vector<std::string> client_allowed_sans;
  int min_version = 0;                     // As OpenSSL numbers them; 0 is TLS 1.2.
  int max_version = 0;                     // 0 is the newest.
  std::vector<std::string> cipher_suites;  // In OpenSSL's names; TLS 1.2 and older only.
  std::vector<std::string> curves;         // In OpenSSL's names.
  bool prefer_server_cipher_suites = true;
};

struct RateLimit {
  std::chrono::nanoseconds interval{0};  // One request an interval; 0 is no limit.
  int burst = 0;
};

struct WebConfig {
  std::optional<TlsConfig> tls;
  std::vector<std::pair<std::string, std::string>> headers;
  std::map<std::string, std::string, std::less<>> users;  // Name to bcrypt hash.
  RateLimit rate_limit;
};

inline constexpr size_t kMaxWebConfigBytes = 1 << 20;

// `path` names the file in messages ("web.yml:3: …"), and its folder is where relative file names
// start. Errors: kInvalidArgument.
base::Result<WebConfig> ParseWebConfig(std::string_view text, const std::string& path);

}  // namespace http
