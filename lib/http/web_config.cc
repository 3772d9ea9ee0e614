#include "lib/http/web_config.h"

#include <algorithm>
#include <span>

#include <fmt/format.h>

#include "lib/base/strings.h"
#include "lib/yaml/reader.h"

namespace http {
namespace {

using base::Result;
using yaml::Node;
using yaml::Reader;

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

template <PemSource TlsConfig::*kMember>
Result<void> ReadPemFile(const Reader& reader, const Node& node, TlsConfig& tls) {
  RETURN_IF_ERROR(reader.Read(node, (tls.*kMember).file));
  (tls.*kMember).file = reader.Resolve((tls.*kMember).file);
  return {};
}

template <PemSource TlsConfig::*kMember>
Result<void> ReadPemText(const Reader& reader, const Node& node, TlsConfig& tls) {
  return reader.Read(node, (tls.*kMember).inline_text);
}

// One of the names in `rows`.
Result<int> ReadName(const Reader& reader, const Node& node, std::span<const NamedNumber> rows) {
  std::string text;
  RETURN_IF_ERROR(reader.Read(node, text));
  for (const NamedNumber& row : rows) {
    if (row.given == text) {
      return row.meant;
    }
  }
  return reader.ErrorAt(node, fmt::format("\"{}\" is not known", text));
}

template <int TlsConfig::*kMember>
Result<void> ReadVersion(const Reader& reader, const Node& node, TlsConfig& tls) {
  ASSIGN_OR_RETURN(tls.*kMember, ReadName(reader, node, kVersions));
  return {};
}

Result<void> ReadClientAuth(const Reader& reader, const Node& node, TlsConfig& tls) {
  ASSIGN_OR_RETURN(const int value, ReadName(reader, node, kClientAuths));
  tls.client_auth = static_cast<ClientAuth>(value);
  return {};
}

bool IsTls13Suite(const std::string& name) {
  return std::find(std::begin(kTls13Suites), std::end(kTls13Suites), name) !=
         std::end(kTls13Suites);
}

// A list of names, each as OpenSSL knows it.
Result<void> ReadRenamed(const Reader& reader, const Node& node, std::span<const Name> rows,
                         std::vector<std::string>* target) {
  std::vector<std::string> names;
  RETURN_IF_ERROR(reader.Read(node, names));
  std::erase_if(names, IsTls13Suite);
  for (const std::string& name : names) {
    const auto row =
        std::find_if(rows.begin(), rows.end(), [&name](const Name& r) { return r.given == name; });
    if (row == rows.end()) {
      return reader.ErrorAt(node, fmt::format("\"{}\" is not supported", name));
    }
    target->emplace_back(row->meant);
  }
  return {};
}

Result<void> ReadCipherSuites(const Reader& reader, const Node& node, TlsConfig& tls) {
  return ReadRenamed(reader, node, kCipherSuites, &tls.cipher_suites);
}

Result<void> ReadCurves(const Reader& reader, const Node& node, TlsConfig& tls) {
  return ReadRenamed(reader, node, kCurves, &tls.curves);
}

constexpr yaml::Field<TlsConfig> kTlsFields[] = {
    {"cert", ReadPemText<&TlsConfig::cert>},
    {"cert_file", ReadPemFile<&TlsConfig::cert>},
    {"key", ReadPemText<&TlsConfig::key>},
    {"key_file", ReadPemFile<&TlsConfig::key>},
    {"client_ca", ReadPemText<&TlsConfig::client_ca>},
    {"client_ca_file", ReadPemFile<&TlsConfig::client_ca>},
    {"client_auth_type", ReadClientAuth},
    {"client_allowed_sans", yaml::Into<&TlsConfig::client_allowed_sans>},
    {"min_version", ReadVersion<&TlsConfig::min_version>},
    {"max_version", ReadVersion<&TlsConfig::max_version>},
    {"cipher_suites", ReadCipherSuites},
    {"curve_preferences", ReadCurves},
    {"prefer_server_cipher_suites", yaml::Into<&TlsConfig::prefer_server_cipher_suites>},
};

// What is wrong with the whole, or "".
std::string_view ProblemOf(const TlsConfig& tls) {
  const bool verifies = tls.client_auth == ClientAuth::kVerifyIfGiven ||
                        tls.client_auth == ClientAuth::kRequireAndVerify;
  if (!tls.cert.given()) {
    return "cert_file is missing";
  }
  if (!tls.key.given()) {
    return "key_file is missing";
  }
  if (tls.client_ca.given() && tls.client_auth == ClientAuth::kNone) {
    return "client_ca_file is given but client_auth_type asks for no client certificate";
  }
  if (verifies && !tls.client_ca.given()) {
    return "client_auth_type verifies client certificates but client_ca_file is missing";
  }
  if (!tls.client_allowed_sans.empty() && !verifies) {
    return "client_allowed_sans needs a client_auth_type that verifies";
  }
  if (tls.max_version != 0 && tls.min_version > tls.max_version) {
    return "min_version is above max_version";
  }
  return "";
}

Result<void> ReadTls(const Reader& reader, const Node& node, WebConfig& config) {
  TlsConfig tls;
  RETURN_IF_ERROR(reader.ReadMap<TlsConfig>(node, kTlsFields, &tls));
  const bool wanted = tls.cert.given() || tls.key.given() || tls.client_ca.given() ||
                      tls.client_auth != ClientAuth::kNone;
  if (!wanted) {
    return {};
  }
  if (const std::string_view problem = ProblemOf(tls); !problem.empty()) {
    return reader.ErrorAt(node, fmt::format("tls_server_config: {}", problem));
  }
  config.tls = std::move(tls);
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

Result<void> CheckHeader(const Reader& reader, const Node& node, std::string_view name,
                         std::string_view value) {
  const auto* row = std::find_if(std::begin(kAllowedHeaders), std::end(kAllowedHeaders),
                                 [name](const AllowedHeader& r) { return r.name == name; });
  if (row == std::end(kAllowedHeaders)) {
    return reader.ErrorAt(node, fmt::format("header \"{}\" cannot be configured", name));
  }
  const bool printable = std::all_of(value.begin(), value.end(), [](char c) {
    return static_cast<unsigned char>(c) >= ' ' && c != 0x7f;
  });
  if (!printable) {
    return reader.ErrorAt(node,
                          fmt::format("header \"{}\": control characters in its value", name));
  }
  const std::vector<std::string_view> values = base::Split(row->values, '|');
  const bool known = row->values.empty() || value.empty() ||
                     std::any_of(values.begin(), values.end(), [value](std::string_view v) {
                       return base::EqualsIgnoreCase(v, value);
                     });
  if (!known) {
    return reader.ErrorAt(
        node, fmt::format("header \"{}\": \"{}\" is not one of {}", name, value, row->values));
  }
  return {};
}

Result<void> ReadHeaders(const Reader& reader, const Node& node, WebConfig& config) {
  RETURN_IF_ERROR(reader.Expect(node, Node::Kind::kMap));
  for (const auto& [name, value_node] : node.members) {
    std::string value;
    RETURN_IF_ERROR(reader.Read(value_node, value));
    RETURN_IF_ERROR(CheckHeader(reader, value_node, name, value));
    if (!value.empty()) {
      config.headers.emplace_back(name, value);
    }
  }
  return {};
}

// HTTP/2 is offered to clients there and never demanded of them: without it they use HTTP/1.1.
Result<void> ReadHttp2(const Reader& reader, const Node& node, WebConfig& /*config*/) {
  bool ignored = false;
  return reader.Read(node, ignored);
}

constexpr yaml::Field<WebConfig> kHttpFields[] = {{"http2", ReadHttp2}, {"headers", ReadHeaders}};

Result<void> ReadHttp(const Reader& reader, const Node& node, WebConfig& config) {
  return reader.ReadMap<WebConfig>(node, kHttpFields, &config);
}

bool IsBcryptHash(std::string_view hash) {
  constexpr size_t kLength = 60;
  return hash.size() == kLength && hash[0] == '$' && hash[1] == '2' &&
         (hash[2] == 'a' || hash[2] == 'b' || hash[2] == 'y') && hash[3] == '$' && hash[6] == '$';
}

Result<void> ReadUsers(const Reader& reader, const Node& node, WebConfig& config) {
  RETURN_IF_ERROR(reader.Expect(node, Node::Kind::kMap));
  for (const auto& [name, hash_node] : node.members) {
    std::string hash;
    RETURN_IF_ERROR(reader.Read(hash_node, hash));
    if (!IsBcryptHash(hash)) {
      return reader.ErrorAt(hash_node,
                            fmt::format("basic_auth_users: user \"{}\": a bcrypt hash is expected "
                                        "($2y$10$…; make one with htpasswd -nBC 10 \"\")",
                                        name));
    }
    config.users.emplace(name, hash);
  }
  return {};
}

struct Unit {
  std::string_view name;
  double nanoseconds;
};

constexpr Unit kUnits[] = {{"ns", 1},   {"us", 1e3}, {"µs", 1e3}, {"μs", 1e3},
                           {"ms", 1e6}, {"s", 1e9},  {"m", 60e9}, {"h", 3600e9}};

constexpr double kMaxIntervalNanoseconds = 24 * 3600e9;

// As Go writes durations: "1s", "1.5ms", "1m30s", "0".
std::optional<std::chrono::nanoseconds> ParseGoDuration(std::string_view text) {
  constexpr std::string_view kDigits = "0123456789.";
  if (text == "0") {
    return std::chrono::nanoseconds(0);
  }
  double total = 0;
  const bool empty = text.empty();
  while (!text.empty()) {
    const size_t digits = std::min(text.find_first_not_of(kDigits), text.size());
    const auto number = base::ParseDouble(text.substr(0, digits));
    text.remove_prefix(digits);
    const std::string_view name = text.substr(0, text.find_first_of(kDigits));
    text.remove_prefix(name.size());
    const auto* unit = std::find_if(std::begin(kUnits), std::end(kUnits),
                                    [name](const Unit& u) { return u.name == name; });
    if (!number || unit == std::end(kUnits)) {
      return std::nullopt;
    }
    total += *number * unit->nanoseconds;
  }
  if (empty || !(total <= kMaxIntervalNanoseconds)) {
    return std::nullopt;
  }
  return std::chrono::nanoseconds(static_cast<int64_t>(total));
}

Result<void> ReadInterval(const Reader& reader, const Node& node, RateLimit& limit) {
  std::string text;
  RETURN_IF_ERROR(reader.Read(node, text));
  const auto interval = ParseGoDuration(text);
  if (!interval) {
    return reader.ErrorAt(
        node,
        fmt::format("rate_limit: interval \"{}\": a duration of at most a day is expected", text));
  }
  limit.interval = *interval;
  return {};
}

Result<void> ReadBurst(const Reader& reader, const Node& node, RateLimit& limit) {
  constexpr uint64_t kMaxBurst = 1'000'000;
  uint64_t burst = 0;
  RETURN_IF_ERROR(reader.Read(node, burst));
  if (burst > kMaxBurst) {
    return reader.ErrorAt(node, fmt::format("rate_limit: burst is above {}", kMaxBurst));
  }
  limit.burst = static_cast<int>(burst);
  return {};
}

constexpr yaml::Field<RateLimit> kRateLimitFields[] = {{"interval", ReadInterval},
                                                       {"burst", ReadBurst}};

Result<void> ReadRateLimit(const Reader& reader, const Node& node, WebConfig& config) {
  return reader.ReadMap<RateLimit>(node, kRateLimitFields, &config.rate_limit);
}

constexpr yaml::Field<WebConfig> kFields[] = {
    {"tls_server_config", ReadTls},
    {"http_server_config", ReadHttp},
    {"basic_auth_users", ReadUsers},
    {"rate_limit", ReadRateLimit},
};

}  // namespace

Result<WebConfig> ParseWebConfig(std::string_view text, const std::string& path) {
  if (text.size() > kMaxWebConfigBytes) {
    return base::Error(fmt::format("{}: longer than {} bytes", path, kMaxWebConfigBytes),
                       base::ErrorKind::kInvalidArgument);
  }
  ASSIGN_OR_RETURN(const Node root, yaml::Parse(text, path));
  WebConfig config;
  RETURN_IF_ERROR(Reader(path).ReadMap<WebConfig>(root, kFields, &config));
  return config;
}

}  // namespace http
