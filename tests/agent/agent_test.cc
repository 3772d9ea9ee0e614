#include "agent/agent.h"

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <string>
#include <thread>

#include <gtest/gtest.h>

#include "lib/base/clock.h"
#include "lib/base/url.h"
#include "lib/http/client.h"

namespace agent {
namespace {

class AgentTest : public testing::Test {
 protected:
  AgentTest() {
    std::string pattern = (std::filesystem::temp_directory_path() / "agent_XXXXXX").string();
    folder_ = mkdtemp(pattern.data());
  }
  ~AgentTest() override { std::filesystem::remove_all(folder_); }
  AgentTest(const AgentTest&) = delete;
  AgentTest& operator=(const AgentTest&) = delete;

  std::string Write(const std::string& name, const std::string& text) const {
    std::ofstream(folder_ + "/" + name) << text;
    return folder_ + "/" + name;
  }

  AgentOptions Options(const std::string& config_file) const {
    AgentOptions options;
    options.config_file = config_file;
    options.listen_addresses = {"127.0.0.1:0"};
    options.retention = std::chrono::hours(1);
    options.max_series = 10'000;
    options.host_name = "db7";
    options.environment = [](const char*) { return std::nullopt; };
    return options;
  }

  std::string Get(const Agent& agent, const std::string& path,
                  const std::string& method = "GET") const {
    http::Client client;
    const auto response =
        client.Do({.method = method,
                   .url = "http://127.0.0.1:" + std::to_string(agent.ports().front()) + path});
    return response.ok() ? response->body : response.error().message();
  }

  std::string Query(const Agent& agent, const std::string& query) const {
    return Get(agent, "/api/v1/query?query=" + base::PercentEncode(query));
  }

  // Asks again until the answer holds `text`.
  void WaitFor(const Agent& agent, const std::string& query, const std::string& text) const {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(30);
    std::string answer;
    do {
      answer = Query(agent, query);
    } while (answer.find(text) == std::string::npos && std::chrono::steady_clock::now() < deadline);
    EXPECT_NE(answer.find(text), std::string::npos) << answer;
  }

  std::string folder_;
  base::Logger logger_{base::LogLevel::kError, base::LogFormat::kLogfmt, [](std::string_view) {}};
};

TEST_F(AgentTest, KeepsSamplesThroughARestart) {
  const std::string rules =
      Write("r.yml", "groups: [{name: g, rules: [{record: one, expr: vector(1)}]}]\n");
  AgentOptions options =
      Options(Write("p.yml", "global: {evaluation_interval: 1s}\nrule_files: ['" + rules + "']\n"));
  options.state_directory = folder_ + "/state";
  {
    auto agent = Agent::Start(options, logger_);
    ASSERT_TRUE(agent.ok()) << agent.error().message();
    WaitFor(**agent, "one", "\"1\"");
  }
  options.config_file = Write("q.yml", "scrape_configs: []\n");
  auto agent = Agent::Start(options, logger_);
  ASSERT_TRUE(agent.ok()) << agent.error().message();
  EXPECT_NE(Query(**agent, "last_over_time(one[1h])").find("\"1\""), std::string::npos);
}

TEST_F(AgentTest, GoesOnInMemoryWhenADirectoryNobodyAskedForFails) {
  AgentOptions options = Options(Write("p.yml", "scrape_configs: []\n"));
  options.state_directory = folder_ + "/p.yml/state";
  const auto refused = Agent::Start(options, logger_);
  ASSERT_FALSE(refused.ok());
  EXPECT_NE(refused.error().message().find("--storage.path"), std::string::npos);
  options.state_required = false;
  EXPECT_TRUE(Agent::Start(options, logger_).ok());
}

constexpr char kRules[] = "groups: [{name: g, rules: [{record: 'copy:up', expr: up}]}]\n";

TEST_F(AgentTest, ScrapesEvaluatesAndAnswersAfterAReload) {
  const std::string config = Write("p.yml", "scrape_configs: []\n");
  auto agent = Agent::Start(Options(config), logger_);
  ASSERT_TRUE(agent.ok()) << agent.error().message();
  EXPECT_EQ(Query(**agent, "up").find("\"result\":[]") != std::string::npos, true);

  Write("rules.yml", kRules);
  Write("p.yml",
        "global: {scrape_interval: 100ms, scrape_timeout: 100ms, evaluation_interval: 100ms}\n"
        "rule_files: [rules.yml]\n"
        "scrape_configs: [{job_name: self, static_configs: [{targets: ['127.0.0.1:" +
            std::to_string((*agent)->ports().front()) + "']}]}]\n");
  ASSERT_TRUE((*agent)->Reload().ok());
  WaitFor(**agent, "up{job='self'}", "\"1\"");
  WaitFor(**agent, "copy:up", "\"1\"");
  WaitFor(**agent, "tarsier_store_series", "\"value\"");
}

TEST_F(AgentTest, ABadConfigurationLeavesTheOldOne) {
  const std::string config = Write("p.yml", "scrape_configs: [{job_name: first}]\n");
  auto agent = Agent::Start(Options(config), logger_);
  ASSERT_TRUE(agent.ok()) << agent.error().message();
  Write("p.yml", "scrape_configs: [{job_name: second}]\nremote_write: []\n");
  const auto reloaded = (*agent)->Reload();
  ASSERT_FALSE(reloaded.ok());
  EXPECT_NE(reloaded.error().message().find("p.yml:2: \"remote_write\" is not supported"),
            std::string::npos);
  EXPECT_NE(Get(**agent, "/-/reload", "POST").find("remote_write"), std::string::npos);
  EXPECT_NE(Get(**agent, "/api/v1/status/config").find("first"), std::string::npos);
  EXPECT_NE((*agent)->Describe().front().find("1 scrape jobs"), std::string::npos);

  Write("p.yml", "scrape_configs: [{job_name: second}]\n");
  EXPECT_TRUE((*agent)->Reload().ok());
  EXPECT_NE(Get(**agent, "/api/v1/status/config").find("second"), std::string::npos);
}

TEST_F(AgentTest, ABadRuleFileLeavesTheOldOnes) {
  Write("rules.yml", kRules);
  const std::string config = Write("p.yml", "rule_files: [rules.yml]\n");
  auto agent = Agent::Start(Options(config), logger_);
  ASSERT_TRUE(agent.ok()) << agent.error().message();
  Write("rules.yml", "groups: [{name: g, rules: [{record: x, expr: 'sum('}]}]\n");
  EXPECT_FALSE((*agent)->Reload().ok());
  EXPECT_NE(Get(**agent, "/api/v1/rules").find("copy:up"), std::string::npos);
}

TEST_F(AgentTest, DoesNotStartOnABadConfiguration) {
  const auto agent = Agent::Start(Options(Write("p.yml", "globl: {}\n")), logger_);
  ASSERT_FALSE(agent.ok());
  EXPECT_EQ(agent.error().kind(), base::ErrorKind::kInvalidArgument);
}

TEST_F(AgentTest, DoesNotStartWhereSomeoneElseListens) {
  const std::string config = Write("p.yml", "");
  const auto first = Agent::Start(Options(config), logger_);
  ASSERT_TRUE(first.ok());
  AgentOptions options = Options(config);
  options.listen_addresses = {"127.0.0.1:" + std::to_string((*first)->ports().front())};
  EXPECT_FALSE(Agent::Start(options, logger_).ok());
}

TEST_F(AgentTest, ShowsNoSecretAnywhere) {
  AgentOptions options =
      Options(Write("p.yml",
                    "scrape_configs: [{job_name: a, basic_auth: {username: u, password: hunter2}, "
                    "static_configs: [{targets: ['127.0.0.1:1']}]}]\n"
                    "alerting: {alertmanagers: [{authorization: {credentials: hunter2}, "
                    "static_configs: [{targets: ['127.0.0.1:1']}]}]}\n"));
  options.destinations.webhook_urls = {base::Secret("http://u:hunter2@127.0.0.1:1/hunter2")};
  const auto agent = Agent::Start(options, logger_);
  ASSERT_TRUE(agent.ok()) << agent.error().message();
  for (const char* path :
       {"/metrics", "/api/v1/status/config", "/api/v1/status/flags", "/api/v1/targets",
        "/api/v1/alertmanagers", "/config", "/flags", "/targets", "/status"}) {
    EXPECT_EQ(Get(**agent, path).find("hunter2"), std::string::npos) << path;
  }
  for (const std::string& line : (*agent)->Describe()) {
    EXPECT_EQ(line.find("hunter2"), std::string::npos) << line;
  }
}

}  // namespace
}  // namespace agent
