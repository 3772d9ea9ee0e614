#include "lib/http/web_config.h"

#include <string>

#include <gtest/gtest.h>

namespace http {
namespace {

constexpr char kHash[] = "$2y$10$abcdefghijklmnopqrstuuAbCdEfGhIjKlMnOpQrStUvWxYz01234";

TEST(WebConfig, ReadsEveryFieldOfTheSchema) {
  const auto config = ParseWebConfig(R"(
tls_server_config:
  cert_file: server.crt
  key_file: /etc/keys/server.key
  client_auth_type: RequireAndVerifyClientCert
  client_ca_file: ca.crt
  client_allowed_sans: [prometheus.example, 10.0.0.1]
  min_version: TLS12
  max_version: TLS13
  cipher_suites: [TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256, TLS_AES_128_GCM_SHA256]
  curve_preferences: [CurveP256, X25519]
  prefer_server_cipher_suites: false
http_server_config:
  http2: true
  headers:
    X-Frame-Options: deny
    Strict-Transport-Security: max-age=31536000
    X-XSS-Protection:
basic_auth_users:
  alice: )" + std::string(kHash) + R"(
rate_limit:
  interval: 1m0.5s
  burst: 20
)",
                                     "/etc/tarsier/web.yml");
  ASSERT_TRUE(config.ok()) << config.error().message();
  ASSERT_TRUE(config->tls);
  EXPECT_EQ(config->tls->cert.file, "/etc/tarsier/server.crt");
  EXPECT_EQ(config->tls->key.file, "/etc/keys/server.key");
  EXPECT_EQ(config->tls->client_ca.file, "/etc/tarsier/ca.crt");
  EXPECT_EQ(config->tls->client_auth, ClientAuth::kRequireAndVerify);
  EXPECT_EQ(config->tls->client_allowed_sans.size(), 2u);
  EXPECT_EQ(config->tls->min_version, 0x0303);
  EXPECT_EQ(config->tls->max_version, 0x0304);
  EXPECT_EQ(config->tls->cipher_suites, std::vector<std::string>{"ECDHE-RSA-AES128-GCM-SHA256"});
  EXPECT_EQ(config->tls->curves, (std::vector<std::string>{"P-256", "X25519"}));
  EXPECT_FALSE(config->tls->prefer_server_cipher_suites);
  EXPECT_EQ(config->headers.size(), 2u);
  EXPECT_EQ(config->users.at("alice"), kHash);
  EXPECT_EQ(config->rate_limit.interval, std::chrono::milliseconds(60500));
  EXPECT_EQ(config->rate_limit.burst, 20);
}

TEST(WebConfig, TakesAnEmptyFileAsPlainHttp) {
  for (const char* text :
       {"", "# nothing\n", "---\n", "tls_server_config:\n", "tls_server_config: {}\n",
        "http_server_config:\nbasic_auth_users:\nrate_limit:\n"}) {
    const auto config = ParseWebConfig(text, "web.yml");
    ASSERT_TRUE(config.ok()) << text << config.error().message();
    EXPECT_FALSE(config->tls);
    EXPECT_TRUE(config->users.empty());
  }
}

TEST(WebConfig, RefusesWhatItDoesNotKnowWithFileAndLine) {
  const auto check = [](const std::string& text, const std::string& message) {
    const auto config = ParseWebConfig(text, "web.yml");
    ASSERT_FALSE(config.ok()) << text;
    EXPECT_NE(config.error().message().find(message), std::string::npos)
        << text << "\n -> " << config.error().message();
  };
  const std::string pair = "tls_server_config:\n  cert_file: a\n  key_file: b\n";
  check("tls_config: {}", "web.yml:1: unknown key \"tls_config\"");
  check("\n\ntls_server_config:\n  cert: x\n  keyfile: y\n", "web.yml:5: unknown key \"keyfile\"");
  check("tls_server_config: [a]", "web.yml:1: a map is expected here, not a sequence");
  check("- a\n", "a map is expected here");
  check("just text", "a map is expected here");
  check("rate_limit: {}\nrate_limit: {}\n", "web.yml:2: \"rate_limit\" is given twice");
  check("tls_server_config:\n  cert_file: a\n", "key_file is missing");
  check("tls_server_config:\n  key_file: a\n", "cert_file is missing");
  check("tls_server_config:\n  client_auth_type: RequestClientCert\n", "cert_file is missing");
  check(pair + "  client_ca_file: c\n", "asks for no client certificate");
  check(pair + "  client_auth_type: RequireAndVerifyClientCert\n", "client_ca_file is missing");
  check(pair + "  client_auth_type: Sometimes\n", "web.yml:4: \"Sometimes\" is not known");
  check(pair + "  client_allowed_sans: [a]\n", "client_allowed_sans needs");
  check(pair + "  min_version: TLS14\n", "\"TLS14\" is not known");
  check(pair + "  min_version: TLS13\n  max_version: TLS12\n", "min_version is above max_version");
  check(pair + "  cipher_suites: [TLS_RSA_WITH_RC4_128_SHA]\n",
        "\"TLS_RSA_WITH_RC4_128_SHA\" is not supported");
  check(pair + "  cipher_suites: TLS_AES_128_GCM_SHA256\n", "a sequence is expected here");
  check(pair + "  curve_preferences: [Curve25519]\n", "\"Curve25519\" is not supported");
  check(pair + "  prefer_server_cipher_suites: maybe\n", "true or false is expected");
  check("http_server_config:\n  http3: true\n", "unknown key \"http3\"");
  check("http_server_config:\n  http2: yes please\n", "true or false is expected");
  check("http_server_config:\n  headers:\n    Server: x\n", "web.yml:3: header \"Server\"");
  check("http_server_config:\n  headers:\n    X-Frame-Options: allow\n",
        "not one of deny|sameorigin");
  check("http_server_config:\n  headers:\n    Content-Security-Policy: \"a\\r\\nSet-Cookie: b\"\n",
        "control characters");
  check("basic_auth_users:\n  a: secret\n",
        "web.yml:2: basic_auth_users: user \"a\": a bcrypt hash");
  check("basic_auth_users: [a]\n", "a map is expected here");
  check("basic_auth_users: {a: [b]}\n", "a scalar is expected here");
  check("rate_limit: {interval: fast}\n", "interval \"fast\"");
  check("rate_limit: {interval: 100h}\n", "at most a day");
  check("rate_limit: {interval: -1s}\n", "interval \"-1s\"");
  check("rate_limit: {burst: -1}\n", "a whole number is expected, not \"-1\"");
  check("a: [\n", "web.yml:");
  check("a: b: c\n", "web.yml:1:");
  check("\t- x", "web.yml:");
  check(std::string(kMaxWebConfigBytes + 1, ' '), "longer than");
}

TEST(WebConfig, NeverQuotesAPasswordThatShouldHaveBeenAHash) {
  const auto config = ParseWebConfig("basic_auth_users:\n  a: hunter2\n", "web.yml");
  ASSERT_FALSE(config.ok());
  EXPECT_EQ(config.error().message().find("hunter2"), std::string::npos);
}

}  // namespace
}  // namespace http
