// The server under a web configuration: TLS, client certificates, passwords, and changes of them.
#include "lib/http/web_policy.h"

#include <filesystem>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "lib/base/clock.h"
#include "lib/base/file.h"
#include "lib/http/client.h"
#include "lib/http/server.h"
#include "tests/lib/http/certificates.h"
#include "tests/lib/http/raw_client.h"

namespace http {
namespace {

// bcrypt of "secret" and of "other", at cost 4.
constexpr char kHashOfSecret[] = "$2y$04$abcdefghijklmnopqrstuu2r9OfJnfCsdneAXAGHnS4UpFFP8WIrW";
constexpr char kHashOfOther[] = "$2y$04$abcdefghijklmnopqrstuu0HtfOlPbTiymk5tcV.3TsFPDd3SYZqu";

class WebPolicyTest : public testing::Test {
 protected:
  WebPolicyTest() {
    std::string pattern = testing::TempDir() + "web_policy.XXXXXX";
    directory_ = mkdtemp(pattern.data());
    Write("ca.pem", authority_.certificate());
    InstallServerCertificate();
  }
  ~WebPolicyTest() override {
    server_.reset();
    std::filesystem::remove_all(directory_);
  }

  std::string Path(const std::string& name) const { return directory_ + "/" + name; }
  void Write(const std::string& name, const std::string& text) const {
    ASSERT_TRUE(base::WriteFileAtomically(Path(name), text).ok());
  }
  void InstallPair(const std::string& name, const PemPair& pair) const {
    Write(name + ".crt", pair.certificate);
    Write(name + ".key", pair.key);
  }
  void InstallServerCertificate() const {
    InstallPair("server", authority_.Sign("server", "DNS:localhost,IP:127.0.0.1"));
  }

  void Start(const std::string& config) {
    Write("web.yml", config);
    auto server = Server::Start(
        {.listen_addresses = {"127.0.0.1:0"}, .web_config_file = Path("web.yml")},
        [](const Request& request) { return Response{.body = "hello " + request.path}; }, logger_);
    ASSERT_TRUE(server.ok()) << server.error().message();
    server_ = std::move(server).value();
  }

  std::string Url(const std::string& scheme) const {
    return scheme + "://127.0.0.1:" + std::to_string(server_->ports().at(0)) + "/x";
  }

  // "200 hello /x", "401 …", or the kind of error.
  std::string Get(const std::string& scheme, ClientOptions options = {}) const {
    if (options.ca_file.empty()) {
      options.ca_file = Path("ca.pem");
    }
    Client client(std::move(options));
    const auto response = client.Do({.url = Url(scheme)});
    return response.ok() ? std::to_string(response->status) + " " + response->body
                         : std::string(base::ErrorKindName(response.error().kind()));
  }

  // Asks until the answer is `expected` or the change should long have been noticed.
  std::string GetUntil(const std::string& expected, const std::string& scheme,
                       const ClientOptions& options = {}) const {
    const auto give_up = std::chrono::steady_clock::now() + std::chrono::seconds(10);
    const base::StopSignal never;
    std::string got;
    while ((got = Get(scheme, options)) != expected && std::chrono::steady_clock::now() < give_up) {
      never.WaitUntil(std::chrono::steady_clock::now() + std::chrono::milliseconds(20));
    }
    return got;
  }

  std::vector<std::string> Logged() {
    const std::lock_guard lock(mutex_);
    return lines_;
  }

  static constexpr char kTls[] =
      "tls_server_config:\n  cert_file: server.crt\n  key_file: server.key\n";

  const Authority authority_;
  std::string directory_;
  std::mutex mutex_;
  std::vector<std::string> lines_;
  const base::Logger logger_{base::LogLevel::kInfo, base::LogFormat::kLogfmt,
                             [this](std::string_view line) {
                               const std::lock_guard lock(mutex_);
                               lines_.emplace_back(line);
                             }};
  std::unique_ptr<Server> server_;
};

TEST_F(WebPolicyTest, ServesTlsAndNothingElse) {
  Start(kTls);
  EXPECT_EQ(Get("https"), "200 hello /x");
  EXPECT_EQ(Get("http"), "unavailable");
  ClientOptions distrusting;
  distrusting.ca_file = "/etc/ssl/certs/ca-certificates.crt";
  EXPECT_NE(Get("https", distrusting).substr(0, 3), "200");
  EXPECT_EQ(Get("https", {.ca_file = Path("ca.pem"), .server_name = "localhost"}), "200 hello /x");
  EXPECT_NE(Get("https", {.ca_file = Path("ca.pem"), .server_name = "elsewhere"}).substr(0, 3),
            "200");
}

TEST_F(WebPolicyTest, KeepsATlsConnectionForTheNextRequest) {
  Start(kTls);
  Client client({.ca_file = Path("ca.pem")});
  std::string first;
  for (int i = 0; i < 3; ++i) {
    const auto response = client.Do({.url = Url("https")});
    ASSERT_TRUE(response.ok()) << response.error().message();
    EXPECT_EQ(response->body, "hello /x");
  }
}

TEST_F(WebPolicyTest, MovesLargeBodiesThroughTls) {
  Write("web.yml", kTls);
  const std::string large(3 << 20, 'z');
  auto server = Server::Start(
      {.listen_addresses = {"127.0.0.1:0"}, .web_config_file = Path("web.yml")},
      [](const Request& request) { return Response{.body = request.body}; }, logger_);
  ASSERT_TRUE(server.ok());
  server_ = std::move(server).value();
  Client client({.ca_file = Path("ca.pem")});
  const auto response = client.Do({.method = "POST", .url = Url("https"), .body = large});
  ASSERT_TRUE(response.ok()) << response.error().message();
  EXPECT_TRUE(response->body == large);
}

TEST_F(WebPolicyTest, SurvivesGarbageInsteadOfAHandshake) {
  Start(kTls);
  for (const std::string garbage : {"GET / HTTP/1.1\r\n\r\n", "\x16\x03\x01\xff\xff", "\x80"}) {
    const RawClient client(server_->ports().at(0));
    client.Send(garbage);
    client.CloseWrite();
    EXPECT_EQ(client.ReadAll().find("200"), std::string::npos);
  }
  EXPECT_EQ(Get("https"), "200 hello /x");
}

TEST_F(WebPolicyTest, AnswersWhileHundredsOfClientsStallTheirHandshake) {
  Start(kTls);
  std::vector<std::unique_ptr<RawClient>> slow;
  for (int i = 0; i < 300; ++i) {
    slow.push_back(std::make_unique<RawClient>(server_->ports().at(0)));
    slow.back()->Send("\x16\x03\x01\x02");
  }
  EXPECT_EQ(Get("https"), "200 hello /x");
}

TEST_F(WebPolicyTest, DemandsClientCertificatesAsConfigured) {
  const Authority stranger;
  InstallPair("client", authority_.Sign("client", "DNS:prometheus.example"));
  InstallPair("stranger", stranger.Sign("client", "DNS:prometheus.example"));
  const auto as = [this](const std::string& who) {
    return ClientOptions{
        .ca_file = Path("ca.pem"), .cert_file = Path(who + ".crt"), .key_file = Path(who + ".key")};
  };
  const auto check = [&](const std::string& config, bool none, bool known, bool unknown) {
    Start(kTls + config);
    EXPECT_EQ(Get("https") == "200 hello /x", none) << config;
    EXPECT_EQ(Get("https", as("client")) == "200 hello /x", known) << config;
    EXPECT_EQ(Get("https", as("stranger")) == "200 hello /x", unknown) << config;
  };
  const std::string ca = "  client_ca_file: ca.pem\n";
  check("", true, true, true);
  check("  client_auth_type: RequestClientCert\n", true, true, true);
  check("  client_auth_type: RequireAnyClientCert\n", false, true, true);
  check("  client_auth_type: VerifyClientCertIfGiven\n" + ca, true, true, false);
  check("  client_auth_type: RequireAndVerifyClientCert\n" + ca, false, true, false);
  const std::string verify = "  client_auth_type: RequireAndVerifyClientCert\n" + ca;
  check(verify + "  client_allowed_sans: [prometheus.example]\n", false, true, false);
  check(verify + "  client_allowed_sans: [10.0.0.1, other.example]\n", false, false, false);
}

TEST_F(WebPolicyTest, RespectsVersionsAndCipherSuites) {
  Start(std::string(kTls) +
        "  min_version: TLS12\n  max_version: TLS12\n"
        "  cipher_suites: [TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384]\n"
        "  curve_preferences: [CurveP256]\n");
  EXPECT_EQ(Get("https"), "200 hello /x");
}

TEST_F(WebPolicyTest, AsksForAPasswordAndTakesTheRightOne) {
  Start(std::string("basic_auth_users:\n  alice: ") + kHashOfSecret + "\n");
  const auto as = [](std::string user, std::string password) {
    return ClientOptions{.basic_auth_user = std::move(user),
                         .basic_auth_password = base::Secret(std::move(password))};
  };
  EXPECT_EQ(Get("http"), "401 Unauthorized\n");
  EXPECT_EQ(Get("http", as("alice", "wrong")), "401 Unauthorized\n");
  EXPECT_EQ(Get("http", as("bob", "secret")), "401 Unauthorized\n");
  EXPECT_EQ(Get("http", as("alice", "secret")), "200 hello /x");
  EXPECT_EQ(Get("http", {.bearer_token = base::Secret("secret")}), "401 Unauthorized\n");
  Client client;
  const auto response = client.Do({.url = Url("http")});
  ASSERT_TRUE(response.ok());
  bool asked = false;
  for (const auto& [name, value] : response->headers) {
    asked = asked || (name == "www-authenticate" && value.substr(0, 6) == "Basic ");
  }
  EXPECT_TRUE(asked);
}

TEST_F(WebPolicyTest, TakesANewCertificateWithoutARestart) {
  Start(kTls);
  EXPECT_EQ(Get("https"), "200 hello /x");
  const Authority next;
  Write("next.pem", next.certificate());
  const ClientOptions trusts_next{.ca_file = Path("next.pem")};
  EXPECT_NE(Get("https", trusts_next), "200 hello /x");
  InstallPair("server", next.Sign("server", "IP:127.0.0.1"));
  EXPECT_EQ(GetUntil("200 hello /x", "https", trusts_next), "200 hello /x");
}

TEST_F(WebPolicyTest, TakesNewUsersWithoutARestart) {
  Start(std::string("basic_auth_users:\n  alice: ") + kHashOfSecret + "\n");
  const ClientOptions alice{.basic_auth_user = "alice",
                            .basic_auth_password = base::Secret("secret")};
  const ClientOptions bob{.basic_auth_user = "bob", .basic_auth_password = base::Secret("other")};
  EXPECT_EQ(Get("http", alice), "200 hello /x");
  Write("web.yml", std::string("basic_auth_users:\n  bob: ") + kHashOfOther + "\n");
  EXPECT_EQ(GetUntil("200 hello /x", "http", bob), "200 hello /x");
  EXPECT_EQ(Get("http", alice), "401 Unauthorized\n");
}

TEST_F(WebPolicyTest, TurnsTlsOnWithoutARestart) {
  Start("");
  EXPECT_EQ(Get("http"), "200 hello /x");
  Write("web.yml", kTls);
  EXPECT_EQ(GetUntil("200 hello /x", "https"), "200 hello /x");
}

TEST_F(WebPolicyTest, KeepsTheOldConfigurationWhenTheNewOneIsBrokenAndSaysSoOnce) {
  Start(kTls);
  const auto errors = [this] {
    size_t count = 0;
    for (const std::string& line : Logged()) {
      count += line.find("level=error") != std::string::npos ? 1U : 0U;
    }
    return count;
  };
  Write("web.yml", "tls_server_confg: {}\n");
  const auto give_up = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  while (errors() == 0 && std::chrono::steady_clock::now() < give_up) {
    EXPECT_EQ(Get("https"), "200 hello /x");
  }
  const base::StopSignal never;
  never.WaitUntil(std::chrono::steady_clock::now() + 2 * WebPolicyFile::kRecheckInterval);
  EXPECT_EQ(Get("https"), "200 hello /x");
  EXPECT_EQ(errors(), 1u);
  Write("web.yml", "");
  EXPECT_EQ(GetUntil("200 hello /x", "http"), "200 hello /x");
}

TEST_F(WebPolicyTest, SendsConfiguredHeaders) {
  Start(
      "http_server_config:\n  headers:\n    X-Frame-Options: SAMEORIGIN\n"
      "    Strict-Transport-Security: max-age=1\n");
  Client client;
  const auto response = client.Do({.url = Url("http")});
  ASSERT_TRUE(response.ok());
  const auto has = [&response](const std::string& name, const std::string& value) {
    return std::find(response->headers.begin(), response->headers.end(),
                     std::make_pair(name, value)) != response->headers.end();
  };
  EXPECT_TRUE(has("x-frame-options", "SAMEORIGIN"));
  EXPECT_TRUE(has("strict-transport-security", "max-age=1"));
}

TEST_F(WebPolicyTest, LimitsTheRateOfRequests) {
  Start("rate_limit:\n  interval: 1h\n  burst: 2\n");
  EXPECT_EQ(Get("http"), "200 hello /x");
  EXPECT_EQ(Get("http"), "200 hello /x");
  EXPECT_EQ(Get("http"), "429 Too Many Requests\n");
}

TEST_F(WebPolicyTest, RefusesToStartWithABrokenConfiguration) {
  const auto check = [this](const std::string& config, const std::string& message) {
    Write("web.yml", config);
    const auto server = Server::Start(
        {.listen_addresses = {"127.0.0.1:0"}, .web_config_file = Path("web.yml")},
        [](const Request&) { return Response{}; }, logger_);
    ASSERT_FALSE(server.ok()) << config;
    EXPECT_NE(server.error().message().find(message), std::string::npos)
        << server.error().message();
    EXPECT_EQ(server.error().message().find("PRIVATE"), std::string::npos);
  };
  InstallPair("client", authority_.Sign("client", "DNS:x"));
  check("nonsense", "web.yml:1");
  check("tls_server_config: {cert_file: absent.crt, key_file: server.key}", "absent.crt");
  check("tls_server_config: {cert_file: server.key, key_file: server.key}", "server.key");
  check("tls_server_config: {cert_file: server.crt, key_file: server.crt}", "server.crt");
  check("tls_server_config: {cert_file: server.crt, key_file: client.key}", "does not fit");
  check(std::string(kTls) +
            "  client_auth_type: VerifyClientCertIfGiven\n"
            "  client_ca_file: server.key\n",
        "server.key");
  const auto absent = Server::Start(
      {.listen_addresses = {"127.0.0.1:0"}, .web_config_file = Path("none.yml")},
      [](const Request&) { return Response{}; }, logger_);
  ASSERT_FALSE(absent.ok());
  EXPECT_EQ(absent.error().kind(), base::ErrorKind::kNotFound);
}

}  // namespace
}  // namespace http
