#include "lib/http/web_config.h"

#include <algorithm>
#include <filesystem>
#include <functional>
#include <set>

#include <fmt/format.h>
#include <yaml-cpp/yaml.h>

#include "lib/base/strings.h"

namespace http {
namespace {

using base::Error;
using base::ErrorKind;
using base::Result;

struct Document {
  std::string path;

  std::string Resolve(const std::string& file) const {
    const std::filesystem::path given(file);
    return given.is_absolute() ? file
                               : (std::filesystem::path(path).parent_path() / given).string();
  }
};

Error At(const Document& document, const YAML::Node& node, std::string_view what,
         ErrorKind kind = ErrorKind::kInvalidArgument) {
  return Error(fmt::format("{}:{}: {}", document.path, node.Mark().line + 1, what), kind);
}

template <typename Target>
struct Field {
  std::string_view name;
  Result<void> (*parse)(const Document&, const YAML::Node&, Target*);
};

// Every key must be a row of `fields` and may come once.
template <typename Target, size_t N>
Result<void> ParseMap(const Document& document, const YAML::Node& node, std::string_view where,
                      const Field<Target> (&fields)[N], Target* target) {
  if (node.IsNull()) {
    return {};
  }
  if (!node.IsMap()) {
    return At(document, node, fmt::format("{}: a mapping is expected", where));
  }
  std::set<std::string> seen;
  for (const auto& entry : node) {
    const std::string key = entry.first.IsScalar() ? entry.first.Scalar() : std::string();
    const auto* field = std::find_if(std::begin(fields), std::end(fields),
                                     [&key](const auto& row) { return row.name == key; });
    if (field == std::end(fields)) {
      return At(document, entry.first, fmt::format("unknown field \"{}\" in {}", key, where));
    }
    if (!seen.insert(key).second) {
      return At(document, entry.first, fmt::format("field \"{}\" is given twice", key));
    }
    RETURN_IF_ERROR(field->parse(document, entry.second, target));
  }
  return {};
}

Result<std::string> Text(const Document& document, const YAML::Node& node) {
  if (node.IsNull()) {
    return std::string();
  }
  if (!node.IsScalar()) {
    return At(document, node, "a text is expected");
  }
  return node.Scalar();
}

Result<bool> Bool(const Document& document, const YAML::Node& node) {
  const std::string text = node.IsScalar() ? node.Scalar() : std::string();
  if (text == "true" || text == "false") {
    return text == "true";
  }
  return At(document, node, "true or false is expected");
}

Result<std::vector<std::string>> Texts(const Document& document, const YAML::Node& node) {
  std::vector<std::string> texts;
  if (node.IsNull()) {
    return texts;
  }
  if (!node.IsSequence()) {
    return At(document, node, "a list is expected");
  }
  for (const auto& item : node) {
    ASSIGN_OR_RETURN(std::string text, Text(document, item));
    texts.push_back(std::move(text));
  }
  return texts;
}

struct Name {
  std::string_view given;
  std::string_view meant;
};

struct NamedNumber {
  std::string_view given;
  int meant;
};

constexpr NamedNumber kVersions[] = {
    {"TLS10", 0x0301}, {"TLS11", 0x0302}, {"TLS12", 0x0303}, {"TLS13", 0x0304}};

constexpr NamedNumber kClientAuths[] = {
    {"", static_cast<int>(ClientAuth::kNone)},
    {"NoClientCert", static_cast<int>(ClientAuth::kNone)},
    {"RequestClientCert", static_cast<int>(ClientAuth::kRequest)},
    {"RequireClientCert", static_cast<int>(ClientAuth::kRequireAny)},
    {"RequireAnyClientCert", static_cast<int>(ClientAuth::kRequireAny)},
    {"VerifyClientCertIfGiven", static_cast<int>(ClientAuth::kVerifyIfGiven)},
    {"RequireAndVerifyClientCert", static_cast<int>(ClientAuth::kRequireAndVerify)},
};

constexpr Name kCurves[] = {
    {"CurveP256", "P-256"}, {"CurveP384", "P-384"}, {"CurveP521", "P-521"}, {"X25519", "X25519"}};

// IANA's names to OpenSSL's. Those of TLS 1.3 cannot be chosen, there as here.
constexpr Name kCipherSuites[] = {
    {"TLS_RSA_WITH_AES_128_CBC_SHA", "AES128-SHA"},
    {"TLS_RSA_WITH_AES_256_CBC_SHA", "AES256-SHA"},
    {"TLS_RSA_WITH_AES_128_CBC_SHA256", "AES128-SHA256"},
    {"TLS_RSA_WITH_AES_128_GCM_SHA256", "AES128-GCM-SHA256"},
    {"TLS_RSA_WITH_AES_256_GCM_SHA384", "AES256-GCM-SHA384"},
    {"TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA", "ECDHE-ECDSA-AES128-SHA"},
    {"TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA", "ECDHE-ECDSA-AES256-SHA"},
    {"TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA", "ECDHE-RSA-AES128-SHA"},
    {"TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA", "ECDHE-RSA-AES256-SHA"},
    {"TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256", "ECDHE-ECDSA-AES128-SHA256"},
    {"TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256", "ECDHE-RSA-AES128-SHA256"},
    {"TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256", "ECDHE-ECDSA-AES128-GCM-SHA256"},
    {"TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", "ECDHE-RSA-AES128-GCM-SHA256"},
    {"TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384", "ECDHE-ECDSA-AES256-GCM-SHA384"},
    {"TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384", "ECDHE-RSA-AES256-GCM-SHA384"},
    {"TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256", "ECDHE-ECDSA-CHACHA20-POLY1305"},
    {"TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256", "ECDHE-RSA-CHACHA20-POLY1305"},
    {"TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305", "ECDHE-ECDSA-CHACHA20-POLY1305"},
    {"TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305", "ECDHE-RSA-CHACHA20-POLY1305"},
};

constexpr std::string_view kTls13Suites[] = {"TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384",
                                             "TLS_CHACHA20_POLY1305_SHA256"};

template <typename Row, size_t N>
const Row* FindRow(const Row (&rows)[N], std::string_view given) {
  const Row* row = std::find_if(std::begin(rows), std::end(rows),
                                [given](const Row& r) { return r.given == given; });
  return row == std::end(rows) ? nullptr : row;
}

template <size_t N>
Result<int> Number(const Document& document, const YAML::Node& node, const NamedNumber (&rows)[N],
                   std::string_view what) {
  ASSIGN_OR_RETURN(const std::string text, Text(document, node));
  const NamedNumber* row = FindRow(rows, text);
  if (row == nullptr) {
    return At(document, node, fmt::format("{}: \"{}\" is not known", what, text));
  }
  return row->meant;
}

template <size_t N>
Result<std::string> Renamed(const Document& document, const YAML::Node& node, const Name (&rows)[N],
                            std::string_view given, std::string_view what) {
  const Name* row = FindRow(rows, given);
  if (row == nullptr) {
    return At(document, node, fmt::format("{}: \"{}\" is not supported", what, given),
              ErrorKind::kUnsupported);
  }
  return std::string(row->meant);
}

template <PemSource TlsConfig::*kMember>
Result<void> ParsePemFile(const Document& document, const YAML::Node& node, TlsConfig* tls) {
  ASSIGN_OR_RETURN(const std::string file, Text(document, node));
  (tls->*kMember).file = file.empty() ? file : document.Resolve(file);
  return {};
}

template <PemSource TlsConfig::*kMember>
Result<void> ParsePemText(const Document& document, const YAML::Node& node, TlsConfig* tls) {
  ASSIGN_OR_RETURN(std::string text, Text(document, node));
  (tls->*kMember).inline_text = base::Secret(std::move(text));
  return {};
}

template <int TlsConfig::*kMember>
Result<void> ParseVersion(const Document& document, const YAML::Node& node, TlsConfig* tls) {
  ASSIGN_OR_RETURN(tls->*kMember, Number(document, node, kVersions, "TLS version"));
  return {};
}

Result<void> ParseClientAuth(const Document& document, const YAML::Node& node, TlsConfig* tls) {
  ASSIGN_OR_RETURN(const int value, Number(document, node, kClientAuths, "client_auth_type"));
  tls->client_auth = static_cast<ClientAuth>(value);
  return {};
}

Result<void> ParseAllowedSans(const Document& document, const YAML::Node& node, TlsConfig* tls) {
  ASSIGN_OR_RETURN(tls->client_allowed_sans, Texts(document, node));
  return {};
}

Result<void> ParseCipherSuites(const Document& document, const YAML::Node& node, TlsConfig* tls) {
  ASSIGN_OR_RETURN(const std::vector<std::string> names, Texts(document, node));
  for (const std::string& name : names) {
    if (std::find(std::begin(kTls13Suites), std::end(kTls13Suites), name) !=
        std::end(kTls13Suites)) {
      continue;
    }
    ASSIGN_OR_RETURN(std::string suite,
                     Renamed(document, node, kCipherSuites, name, "cipher_suites"));
    tls->cipher_suites.push_back(std::move(suite));
  }
  return {};
}

Result<void> ParseCurves(const Document& document, const YAML::Node& node, TlsConfig* tls) {
  ASSIGN_OR_RETURN(const std::vector<std::string> names, Texts(document, node));
  for (const std::string& name : names) {
    ASSIGN_OR_RETURN(std::string curve,
                     Renamed(document, node, kCurves, name, "curve_preferences"));
    tls->curves.push_back(std::move(curve));
  }
  return {};
}

Result<void> ParsePreferServer(const Document& document, const YAML::Node& node, TlsConfig* tls) {
  ASSIGN_OR_RETURN(tls->prefer_server_cipher_suites, Bool(document, node));
  return {};
}

constexpr Field<TlsConfig> kTlsFields[] = {
    {"cert", ParsePemText<&TlsConfig::cert>},
    {"cert_file", ParsePemFile<&TlsConfig::cert>},
    {"key", ParsePemText<&TlsConfig::key>},
    {"key_file", ParsePemFile<&TlsConfig::key>},
    {"client_ca", ParsePemText<&TlsConfig::client_ca>},
    {"client_ca_file", ParsePemFile<&TlsConfig::client_ca>},
    {"client_auth_type", ParseClientAuth},
    {"client_allowed_sans", ParseAllowedSans},
    {"min_version", ParseVersion<&TlsConfig::min_version>},
    {"max_version", ParseVersion<&TlsConfig::max_version>},
    {"cipher_suites", ParseCipherSuites},
    {"curve_preferences", ParseCurves},
    {"prefer_server_cipher_suites", ParsePreferServer},
};

Result<void> CheckTls(const Document& document, const YAML::Node& node, const TlsConfig& tls) {
  const bool verifies = tls.client_auth == ClientAuth::kVerifyIfGiven ||
                        tls.client_auth == ClientAuth::kRequireAndVerify;
  if (!tls.cert.given() || !tls.key.given()) {
    return At(document, node,
              fmt::format("tls_server_config: {} is missing",
                          tls.cert.given() ? "key_file" : "cert_file"));
  }
  if (tls.client_ca.given() && tls.client_auth == ClientAuth::kNone) {
    return At(document, node,
              "tls_server_config: client_ca_file is given but client_auth_type asks for no "
              "client certificate");
  }
  if (verifies && !tls.client_ca.given()) {
    return At(document, node,
              "tls_server_config: client_auth_type verifies client certificates but client_ca_file "
              "is missing");
  }
  if (!tls.client_allowed_sans.empty() && !verifies) {
    return At(document, node,
              "tls_server_config: client_allowed_sans needs a client_auth_type that verifies");
  }
  if (tls.max_version != 0 && tls.min_version > tls.max_version) {
    return At(document, node, "tls_server_config: min_version is above max_version");
  }
  return {};
}

Result<void> ParseTls(const Document& document, const YAML::Node& node, WebConfig* config) {
  TlsConfig tls;
  RETURN_IF_ERROR(ParseMap(document, node, "tls_server_config", kTlsFields, &tls));
  const bool wanted = tls.cert.given() || tls.key.given() || tls.client_ca.given() ||
                      tls.client_auth != ClientAuth::kNone;
  if (!wanted) {
    return {};
  }
  RETURN_IF_ERROR(CheckTls(document, node, tls));
  config->tls = std::move(tls);
  return {};
}

struct AllowedHeader {
  std::string_view name;
  std::string_view values;  // Separated by '|'; "" allows any.
};

constexpr AllowedHeader kAllowedHeaders[] = {
    {"Content-Security-Policy", ""},       {"X-Frame-Options", "deny|sameorigin"},
    {"X-Content-Type-Options", "nosniff"}, {"X-XSS-Protection", ""},
    {"Strict-Transport-Security", ""},
};

Result<void> CheckHeader(const Document& document, const YAML::Node& node, std::string_view name,
                         std::string_view value) {
  const auto* row = std::find_if(std::begin(kAllowedHeaders), std::end(kAllowedHeaders),
                                 [name](const AllowedHeader& r) { return r.name == name; });
  if (row == std::end(kAllowedHeaders)) {
    return At(document, node, fmt::format("header \"{}\" cannot be configured", name));
  }
  const bool printable = std::all_of(value.begin(), value.end(), [](char c) {
    return static_cast<unsigned char>(c) >= ' ' && c != 0x7f;
  });
  if (!printable) {
    return At(document, node, fmt::format("header \"{}\": control characters in its value", name));
  }
  const std::vector<std::string_view> values = base::Split(row->values, '|');
  const bool known = row->values.empty() || value.empty() ||
                     std::any_of(values.begin(), values.end(), [value](std::string_view v) {
                       return base::EqualsIgnoreCase(v, value);
                     });
  if (!known) {
    return At(document, node,
              fmt::format("header \"{}\": \"{}\" is not one of {}", name, value, row->values));
  }
  return {};
}

Result<void> ParseHeaders(const Document& document, const YAML::Node& node, WebConfig* config) {
  if (node.IsNull()) {
    return {};
  }
  if (!node.IsMap()) {
    return At(document, node, "headers: a mapping is expected");
  }
  for (const auto& entry : node) {
    ASSIGN_OR_RETURN(const std::string name, Text(document, entry.first));
    ASSIGN_OR_RETURN(const std::string value, Text(document, entry.second));
    RETURN_IF_ERROR(CheckHeader(document, entry.second, name, value));
    if (!value.empty()) {
      config->headers.emplace_back(name, value);
    }
  }
  return {};
}

// HTTP/2 is offered to clients there and never demanded of them: without it they use HTTP/1.1.
Result<void> ParseHttp2(const Document& document, const YAML::Node& node, WebConfig* /*config*/) {
  const Result<bool> value = Bool(document, node);
  return value.ok() ? Result<void>() : Result<void>(value.error());
}

constexpr Field<WebConfig> kHttpFields[] = {{"http2", ParseHttp2}, {"headers", ParseHeaders}};

Result<void> ParseHttp(const Document& document, const YAML::Node& node, WebConfig* config) {
  return ParseMap(document, node, "http_server_config", kHttpFields, config);
}

bool IsBcryptHash(std::string_view hash) {
  constexpr size_t kLength = 60;
  return hash.size() == kLength && hash[0] == '$' && hash[1] == '2' &&
         (hash[2] == 'a' || hash[2] == 'b' || hash[2] == 'y') && hash[3] == '$' && hash[6] == '$';
}

Result<void> ParseUsers(const Document& document, const YAML::Node& node, WebConfig* config) {
  if (node.IsNull()) {
    return {};
  }
  if (!node.IsMap()) {
    return At(document, node, "basic_auth_users: a mapping of name to bcrypt hash is expected");
  }
  for (const auto& entry : node) {
    ASSIGN_OR_RETURN(const std::string name, Text(document, entry.first));
    ASSIGN_OR_RETURN(const std::string hash, Text(document, entry.second));
    if (!IsBcryptHash(hash)) {
      return At(document, entry.second,
                fmt::format("basic_auth_users: user \"{}\": a bcrypt hash is expected ($2y$10$…; "
                            "make one with htpasswd -nBC 10 \"\")",
                            name));
    }
    if (!config->users.emplace(name, hash).second) {
      return At(document, entry.first,
                fmt::format("basic_auth_users: user \"{}\" is given twice", name));
    }
  }
  return {};
}

struct Unit {
  std::string_view given;
  double nanoseconds;
};

constexpr Unit kUnits[] = {{"ns", 1},   {"us", 1e3}, {"µs", 1e3}, {"μs", 1e3},
                           {"ms", 1e6}, {"s", 1e9},  {"m", 60e9}, {"h", 3600e9}};

constexpr double kMaxIntervalNanoseconds = 24 * 3600e9;

// "1s", "1.5ms", "1m30s", "0".
std::optional<std::chrono::nanoseconds> ParseGoDuration(std::string_view text) {
  if (text == "0") {
    return std::chrono::nanoseconds(0);
  }
  double total = 0;
  bool any = false;
  while (!text.empty()) {
    const size_t digits = std::min(text.find_first_not_of("0123456789."), text.size());
    const auto number = base::ParseDouble(text.substr(0, digits));
    text.remove_prefix(digits);
    const size_t letters = std::min(text.find_first_of("0123456789."), text.size());
    const Unit* unit = FindRow(kUnits, text.substr(0, letters));
    if (!number || unit == nullptr) {
      return std::nullopt;
    }
    total += *number * unit->nanoseconds;
    text.remove_prefix(letters);
    any = true;
  }
  if (!any || !(total <= kMaxIntervalNanoseconds)) {
    return std::nullopt;
  }
  return std::chrono::nanoseconds(static_cast<int64_t>(total));
}

Result<void> ParseInterval(const Document& document, const YAML::Node& node, RateLimit* limit) {
  ASSIGN_OR_RETURN(const std::string text, Text(document, node));
  const auto interval = ParseGoDuration(text);
  if (!interval) {
    return At(
        document, node,
        fmt::format("rate_limit: interval \"{}\": a duration of at most a day is expected", text));
  }
  limit->interval = *interval;
  return {};
}

Result<void> ParseBurst(const Document& document, const YAML::Node& node, RateLimit* limit) {
  constexpr int64_t kMaxBurst = 1'000'000;
  ASSIGN_OR_RETURN(const std::string text, Text(document, node));
  const auto burst = base::ParseInt(text);
  if (!burst || *burst < 0 || *burst > kMaxBurst) {
    return At(document, node,
              fmt::format("rate_limit: burst \"{}\": 0 to {} is expected", text, kMaxBurst));
  }
  limit->burst = static_cast<int>(*burst);
  return {};
}

constexpr Field<RateLimit> kRateLimitFields[] = {{"interval", ParseInterval},
                                                 {"burst", ParseBurst}};

Result<void> ParseRateLimit(const Document& document, const YAML::Node& node, WebConfig* config) {
  return ParseMap(document, node, "rate_limit", kRateLimitFields, &config->rate_limit);
}

constexpr Field<WebConfig> kFields[] = {
    {"tls_server_config", ParseTls},
    {"http_server_config", ParseHttp},
    {"basic_auth_users", ParseUsers},
    {"rate_limit", ParseRateLimit},
};

Result<WebConfig> ParseDocument(std::string_view text, const Document& document) {
  const std::vector<YAML::Node> parts = YAML::LoadAll(std::string(text));
  WebConfig config;
  if (parts.size() > 1) {
    return Error(fmt::format("{}: one YAML document is expected", document.path),
                 ErrorKind::kInvalidArgument);
  }
  if (!parts.empty()) {
    RETURN_IF_ERROR(ParseMap(document, parts.front(), "the web configuration", kFields, &config));
  }
  return config;
}

}  // namespace

Result<WebConfig> ParseWebConfig(std::string_view text, const std::string& path) {
  if (text.size() > kMaxWebConfigBytes) {
    return Error(fmt::format("{}: longer than {} bytes", path, kMaxWebConfigBytes),
                 ErrorKind::kInvalidArgument);
  }
  try {
    return ParseDocument(text, Document{.path = path});
  } catch (const YAML::Exception& e) {
    return Error(fmt::format("{}:{}: {}", path, e.mark.line + 1, e.msg),
                 ErrorKind::kInvalidArgument);
  }
}

}  // namespace http
