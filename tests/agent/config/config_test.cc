#include "agent/config/config.h"

#include <optional>
#include <string>

#include <gtest/gtest.h>

#include "lib/base/file.h"

namespace config {
namespace {

using std::chrono::seconds;

std::optional<std::string> Environment(const std::string& name) {
  return name == "HOST_NAME" ? std::optional<std::string>("db7") : std::nullopt;
}

base::Result<Config> ParseText(std::string_view text) {
  return Parse(text, "/etc/p.yml", Environment);
}

Config ParseFull() {
  const auto text = base::ReadFile(TESTDATA_DIR "/full.yml");
  EXPECT_TRUE(text.ok());
  auto config = Parse(*text, "/etc/p.yml", Environment);
  EXPECT_TRUE(config.ok()) << (config.ok() ? "" : config.error().message());
  return *std::move(config);
}

TEST(Config, ReadsTheGlobalSection) {
  const Config config = ParseFull();
  EXPECT_EQ(config.global.scrape_interval, seconds(15));
  EXPECT_EQ(config.global.scrape_timeout, seconds(5));
  EXPECT_EQ(config.global.evaluation_interval, seconds(30));
  EXPECT_EQ(config.global.rule_query_offset, seconds(10));
  EXPECT_EQ(config.global.external_labels.ToString(), R"({host="db7", price="5$", site="berlin"})");
  EXPECT_TRUE(config.warnings.empty());
  EXPECT_EQ(config.rule_files,
            (std::vector<std::string>{"/etc/rules/*.yml", "/etc/rules/extra.yml"}));
}

TEST(Config, AJobInheritsWhatItDoesNotSay) {
  const Config config = ParseFull();
  const scrape::JobOptions& job = config.scrape_configs.at(0).job;
  EXPECT_EQ(job.name, "plain");
  EXPECT_EQ(job.interval, seconds(15));
  EXPECT_EQ(job.timeout, seconds(5));
  EXPECT_EQ(job.metrics_path, "/metrics");
  EXPECT_EQ(job.scheme, "http");
  EXPECT_TRUE(job.honor_timestamps);
  EXPECT_TRUE(job.enable_compression);
  EXPECT_TRUE(job.http.follow_redirects);
  EXPECT_EQ(job.limits, (scrape::Limits{.body_bytes = 15 << 20,
                                        .samples = 1500,
                                        .targets = 30,
                                        .labels = 40,
                                        .label_name_bytes = 200,
                                        .label_value_bytes = 300,
                                        .keep_dropped_targets = 5}));
  const auto& groups = config.scrape_configs[0].static_configs;
  ASSERT_EQ(groups.size(), 2U);
  EXPECT_EQ(groups[0].targets, (std::vector<std::string>{"localhost:9100", "[::1]:9187"}));
  EXPECT_EQ(groups[0].labels, (model::Labels{{"env", "prod"}}));
}

TEST(Config, AJobMaySayEverything) {
  const Config config = ParseFull();
  const ScrapeConfig& scrape_config = config.scrape_configs.at(1);
  const scrape::JobOptions& job = scrape_config.job;
  EXPECT_TRUE(job.honor_labels);
  EXPECT_FALSE(job.honor_timestamps);
  EXPECT_TRUE(job.track_timestamps_staleness);
  EXPECT_FALSE(job.enable_compression);
  EXPECT_EQ(job.interval, seconds(60));
  EXPECT_EQ(job.timeout, seconds(30));
  EXPECT_EQ(job.metrics_path, "/probe");
  EXPECT_EQ(job.scheme, "https");
  ASSERT_EQ(job.params.size(), 2U);
  EXPECT_EQ(job.params[0].second, (std::vector<std::string>{"db1", "db2"}));
  EXPECT_EQ(job.protocols, (std::vector<scrape::Protocol>{scrape::Protocol::kText0,
                                                          scrape::Protocol::kOpenMetrics1}));
  EXPECT_EQ(job.fallback_format, exposition::Format::kText);
  EXPECT_EQ(job.limits.body_bytes, 1536U);
  EXPECT_EQ(job.limits.samples, 10U);
  EXPECT_EQ(job.limits.targets, 30U);
  EXPECT_TRUE(job.auth.basic);
  EXPECT_EQ(job.auth.username, "scraper");
  EXPECT_EQ(job.auth.password_file, "/etc/secrets/password");
  EXPECT_EQ(job.http.ca_file, "/etc/ca.pem");
  EXPECT_EQ(job.http.key_file, "/etc/tls/key.pem");
  EXPECT_TRUE(job.http.insecure_skip_verify);
  EXPECT_FALSE(job.http.follow_redirects);
  ASSERT_EQ(scrape_config.file_sd_configs.size(), 1U);
  EXPECT_EQ(scrape_config.file_sd_configs[0].patterns,
            (std::vector<std::string>{"/etc/targets/*.json", "/etc/more.yml"}));
  EXPECT_EQ(scrape_config.file_sd_configs[0].refresh_interval, seconds(60));
  ASSERT_EQ(job.relabel_rules.size(), 2U);
  EXPECT_EQ(job.relabel_rules[0].spec().separator, "-");
  EXPECT_EQ(job.relabel_rules[1].spec().action, relabel::Action::kLabelDrop);
  EXPECT_EQ(job.metric_relabel_rules.at(0).spec().action, relabel::Action::kDrop);
}

TEST(Config, AuthorizationDefaultsToBearer) {
  const Config config = ParseFull();
  EXPECT_EQ(config.scrape_configs.at(2).job.auth.authorization_type, "Bearer");
  EXPECT_EQ(config.scrape_configs[2].job.auth.credentials.Reveal(), "s3cret");
}

TEST(Config, ReadsAlerting) {
  const Config config = ParseFull();
  EXPECT_EQ(config.alert_relabel_configs.size(), 1U);
  ASSERT_EQ(config.alertmanagers.size(), 1U);
  const AlertmanagerConfig& alertmanager = config.alertmanagers[0];
  EXPECT_EQ(alertmanager.scheme, "https");
  EXPECT_EQ(alertmanager.path_prefix, "/am");
  EXPECT_EQ(alertmanager.timeout, seconds(3));
  EXPECT_TRUE(alertmanager.auth.basic);
  EXPECT_EQ(alertmanager.static_configs.at(0).targets.size(), 2U);
}

TEST(Config, AnEmptyFileHasTheDefaults) {
  for (const char* text : {"", "global:\nscrape_configs:\n", "# nothing\n"}) {
    const auto config = ParseText(text);
    ASSERT_TRUE(config.ok()) << config.error().message();
    EXPECT_EQ(config->global.scrape_interval, seconds(60));
    EXPECT_EQ(config->global.scrape_timeout, seconds(10));
    EXPECT_EQ(config->global.evaluation_interval, seconds(60));
    EXPECT_TRUE(config->scrape_configs.empty());
  }
}

TEST(Config, TheDefaultTimeoutShrinksToAShortInterval) {
  const auto config = ParseText(
      "global: {scrape_interval: 4s}\nscrape_configs: [{job_name: a, scrape_interval: 2s}]");
  ASSERT_TRUE(config.ok()) << config.error().message();
  EXPECT_EQ(config->global.scrape_timeout, seconds(4));
  EXPECT_EQ(config->scrape_configs[0].job.timeout, seconds(2));
}

TEST(Config, AnUnsetVariableOfALabelIsAWarning) {
  const auto config = ParseText("global: {external_labels: {a: 'x${NOT_SET}$'}}");
  ASSERT_TRUE(config.ok());
  EXPECT_EQ(config->global.external_labels.Get("a"), "x$");
  EXPECT_EQ(
      config->warnings,
      (std::vector<std::string>{
          "/etc/p.yml: external_labels: a: the environment variable NOT_SET is empty or not set"}));
}

TEST(Config, ScrapeConfigFilesAddJobs) {
  const auto config = Load(TESTDATA_DIR "/with_files.yml");
  ASSERT_TRUE(config.ok()) << config.error().message();
  ASSERT_EQ(config->scrape_configs.size(), 2U);
  EXPECT_EQ(config->scrape_configs[1].job.name, "there");
  EXPECT_EQ(config->scrape_configs[1].job.interval, seconds(60));
}

TEST(Config, AMissingFileSaysWhichOne) {
  const auto config = Load("/nonexistent/prometheus.yml");
  ASSERT_FALSE(config.ok());
  EXPECT_EQ(config.error().kind(), base::ErrorKind::kNotFound);
  EXPECT_NE(config.error().message().find("/nonexistent/prometheus.yml"), std::string::npos);
}

struct BadConfig {
  std::string_view text;
  std::string_view error;  // What the message holds.
};

constexpr BadConfig kBadConfigs[] = {
    // Not YAML, or not of the right shape.
    {"global: [", "/etc/p.yml:1: "},
    {"- a\n", ":1: a map is expected here, not a sequence"},
    {"global: 5\n", ":1: a map is expected here, not a scalar"},
    {"scrape_configs: {job_name: a}\n", ":1: a sequence is expected here, not a map"},
    {"global: {}\nglobal: {}\n", ":2: \"global\" is given twice"},
    {"rule_files: a.yml\n", "a sequence is expected here"},
    // Unknown keys.
    {"globals: {}\n", ":1: unknown key \"globals\"; did you mean \"global\"?"},
    {"global:\n  scrape_intervall: 5s\n",
     ":2: unknown key \"scrape_intervall\"; did you mean \"scrape_interval\"?"},
    {"scrape_configs:\n- job_name: a\n  static_config: []\n",
     ":3: unknown key \"static_config\"; did you mean \"static_configs\"?"},
    {"scrape_configs: [{job_name: a, static_configs: [{target: [b]}]}]\n",
     "did you mean \"targets\"?"},
    {"alerting: {alertmanager: []}\n", "did you mean \"alertmanagers\"?"},
    {"scrape_configs: [{job_name: a, relabel_configs: [{source_label: [b]}]}]\n",
     "did you mean \"source_labels\"?"},
    // Known to Prometheus, refused by name.
    {"remote_write: []\n", ":1: \"remote_write\" is not supported yet"},
    {"remote_read: []\n", "\"remote_read\" is not supported yet"},
    {"storage: {}\n", "\"storage\" is not supported yet"},
    {"tracing: {}\n", "\"tracing\" is not supported yet"},
    {"otlp: {}\n", "\"otlp\" is not supported yet"},
    {"runtime: {gogc: 75}\n", "\"runtime\" is not supported yet"},
    {"global: {query_log_file: x}\n", "\"query_log_file\" is not supported yet"},
    {"scrape_configs: [{job_name: a, kubernetes_sd_configs: []}]\n",
     "\"kubernetes_sd_configs\" is not supported yet"},
    {"scrape_configs: [{job_name: a, http_sd_configs: []}]\n",
     "\"http_sd_configs\" is not supported yet"},
    {"scrape_configs: [{job_name: a, oauth2: {}}]\n", "\"oauth2\" is not supported yet"},
    {"scrape_configs: [{job_name: a, tls_config: {min_version: TLS12}}]\n",
     "\"min_version\" is not supported yet"},
    {"scrape_configs: [{job_name: a, scrape_native_histograms: true}]\n",
     "true is not supported yet"},
    {"scrape_configs: [{job_name: a, scrape_protocols: [PrometheusProto]}]\n",
     "\"PrometheusProto\" is not supported yet"},
    {"scrape_configs: [{job_name: a, metric_name_validation_scheme: legacy}]\n",
     "\"legacy\" is not supported yet"},
    {"alerting: {alertmanagers: [{relabel_configs: []}]}\n",
     "\"relabel_configs\" is not supported yet"},
    {"alerting: {alertmanagers: [{kubernetes_sd_configs: []}]}\n",
     "\"kubernetes_sd_configs\" is not supported yet"},
    // Wrong values.
    {"global: {scrape_interval: 5}\n", ":1: "},
    {"global: {scrape_interval: 1s, scrape_timeout: 2s}\n",
     "global scrape_timeout 2s is longer than scrape_interval 1s"},
    {"global: {external_labels: {__name__: x}}\n", "\"__name__\" is no label name"},
    {"global: {sample_limit: -1}\n", "a whole number is expected, not \"-1\""},
    {"global: {body_size_limit: 10}\n", "a size such as 10MB is expected, not \"10\""},
    {"global: {body_size_limit: 10XB}\n", "a size such as 10MB is expected, not \"10XB\""},
    {"global: {scrape_protocols: []}\n", "at least one scrape protocol is needed"},
    {"global: {scrape_protocols: [Text]}\n", "unknown scrape protocol \"Text\""},
    {"global: {scrape_protocols: [PrometheusText0.0.4, PrometheusText0.0.4]}\n",
     "a scrape protocol is listed twice"},
    {"rule_files: ['']\n", "a file pattern is empty"},
    // Jobs.
    {"scrape_configs: [{}]\n", "job_name is missing"},
    {"scrape_configs:\n-\n", "empty scrape config"},
    {"scrape_configs: [{job_name: a}, {job_name: a}]\n",
     "job_name \"a\" is given to two scrape configs"},
    {"scrape_configs: [{job_name: a, scrape_interval: 5s, scrape_timeout: 6s}]\n",
     "job \"a\": scrape_timeout 6s is longer than scrape_interval 5s"},
    {"scrape_configs: [{job_name: a, scheme: ftp}]\n", "scheme must be http or https, not \"ftp\""},
    {"scrape_configs: [{job_name: a, honor_labels: maybe}]\n",
     "true or false is expected, not \"maybe\""},
    {"scrape_configs: [{job_name: a, static_configs: [{targets: ['http://b:1/metrics']}]}]\n",
     "must be host:port"},
    {"scrape_configs: [{job_name: a, file_sd_configs: [{files: [a.txt]}]}]\n",
     "must end in .json, .yml or .yaml"},
    {"scrape_configs: [{job_name: a, file_sd_configs: [{files: ['*/a.yml']}]}]\n",
     "'*' in the file name only"},
    {"scrape_configs: [{job_name: a, file_sd_configs: [{}]}]\n", "needs at least one file"},
    {"scrape_configs: [{job_name: a, relabel_configs: [{action: kep}]}]\n",
     "did you mean \"keep\"?"},
    {"scrape_configs: [{job_name: a, relabel_configs: [{regex: '('}]}]\n",
     "target_label is missing"},
    {"scrape_configs: [{job_name: a, relabel_configs: [{regex: '(', action: keep}]}]\n",
     "regex: missing )"},
    {"scrape_configs: [{job_name: a, relabel_configs: [~]}]\n", "empty relabel rule"},
    // Credentials.
    {"scrape_configs: [{job_name: a, basic_auth: {password: a, password_file: b}}]\n",
     "at most one of password and password_file"},
    {"scrape_configs: [{job_name: a, authorization: {type: Basic}}]\n",
     "type basic is written as basic_auth"},
    {"scrape_configs: [{job_name: a, bearer_token: a, basic_auth: {}}]\n",
     "at most one of basic_auth, authorization"},
    {"scrape_configs: [{job_name: a, tls_config: {cert_file: a}}]\n",
     "cert_file and key_file go together"},
    // Alerting.
    {"alerting: {alertmanagers: [{api_version: v1}]}\n", "api_version must be v2"},
    {"alerting: {alertmanagers: [{scheme: amqp}]}\n", "scheme must be http or https"},
    {"alerting: {alertmanagers: [{timeout: 0s}]}\n", "timeout must be longer than 0"},
    {"alerting: {alertmanagers: [{static_configs: [{targets: ['http://am']}]}]}\n",
     "must be host:port"},
};

TEST(Config, RefusesBadConfigurationsWithFileAndLine) {
  for (const BadConfig& bad : kBadConfigs) {
    const auto config = ParseText(bad.text);
    ASSERT_FALSE(config.ok()) << bad.text;
    EXPECT_EQ(config.error().kind(), base::ErrorKind::kInvalidArgument) << bad.text;
    EXPECT_TRUE(config.error().message().starts_with("/etc/p.yml:")) << config.error().message();
    EXPECT_NE(config.error().message().find(bad.error), std::string::npos)
        << bad.text << config.error().message();
  }
}

TEST(Config, NoErrorQuotesASecret) {
  for (const char* text : {
           "scrape_configs: [{job_name: a, basic_auth: {password: hunter2, password_file: b}}]",
           "scrape_configs: [{job_name: a, bearer_token: hunter2, authorization: {}}]",
           "scrape_configs: [{job_name: a, authorization: {credentials: [hunter2]}}]",
       }) {
    const auto config = ParseText(text);
    ASSERT_FALSE(config.ok()) << text;
    EXPECT_EQ(config.error().message().find("hunter2"), std::string::npos);
  }
}

}  // namespace
}  // namespace config
