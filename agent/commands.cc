#include "agent/commands.h"

#include <algorithm>
#include <cstdio>
#include <iostream>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "agent/config/alertmanager_config.h"
#include "agent/config/config.h"
#include "agent/notify/notifier.h"
#include "agent/promql/engine.h"
#include "agent/rule_sources.h"
#include "agent/rules/check.h"
#include "agent/rules/unit_test.h"
#include "exporters/toolkit/health_probe.h"
#include "lib/base/file.h"
#include "lib/base/url.h"
#include "lib/http/client.h"
#include "lib/http/web_config.h"
#include "lib/yaml/yaml.h"

namespace agent {
namespace {

using exporters::ParsedFlags;
using yaml::Node;

constexpr std::chrono::milliseconds kQueryTimeout{130'000};

void PrintProblem(const base::Error& error) { fmt::print("  FAILED: {}\n", error.message()); }

// A path without wildcards must exist.
base::Result<std::vector<std::string>> RuleFilesOf(const config::Config& config) {
  std::vector<std::string> files;
  for (const std::string& pattern : config.rule_files) {
    const std::vector<std::string> matches = base::Glob(pattern);
    if (matches.empty() && pattern.find_first_of("*?[") == std::string::npos) {
      return base::Error(fmt::format("\"{}\" does not point to an existing file", pattern),
                         base::ErrorKind::kNotFound);
    }
    files.insert(files.end(), matches.begin(), matches.end());
  }
  return files;
}

// Files of credentials must be there; files of targets may come later.
base::Result<void> CheckReferences(const config::Config& config) {
  for (const config::ScrapeConfig& scrape_config : config.scrape_configs) {
    const std::string& file = scrape_config.job.auth.credentials_file;
    if (!file.empty()) {
      RETURN_IF_ERROR(base::ReadFile(file));
    }
    for (const discovery::FileSdOptions& discovery : scrape_config.file_sd_configs) {
      for (const std::string& pattern : discovery.patterns) {
        if (base::Glob(pattern).empty()) {
          std::cout << "  WARNING: file \"" << pattern << "\" for file_sd in scrape job \""
                    << scrape_config.job.name << "\" does not exist\n";
        }
      }
    }
  }
  return {};
}

base::Result<config::Config> LoadConfig(const std::string& file, bool syntax_only,
                                        std::vector<std::string>* rule_files) {
  ASSIGN_OR_RETURN(config::Config config, config::Load(file));
  if (!syntax_only) {
    RETURN_IF_ERROR(CheckReferences(config));
    ASSIGN_OR_RETURN(*rule_files, RuleFilesOf(config));
  }
  return config;
}

rules::CheckOptions CheckOptionsOf(const ParsedFlags& flags) {
  return {.duplicate_rules = rules::ParseLint(flags.String("lint"), std::cout),
          .lint_fatal = flags.Bool("lint-fatal"),
          .unknown_fields = flags.Bool("ignore-unknown-fields") ? rules::UnknownFields::kIgnored
                                                                : rules::UnknownFields::kRefused};
}

// The configuration, and unless `syntax_only` the rule files it names.
int CheckOneConfig(const std::string& file, bool syntax_only, const rules::CheckOptions& options) {
  std::cout << "Checking " << file << "\n";
  std::vector<std::string> rule_files;
  const auto config = LoadConfig(file, syntax_only, &rule_files);
  if (!config.ok()) {
    std::cerr << "  FAILED: " << config.error().message() << "\n";
    std::cout << "\n";
    return rules::kCheckFailed;
  }
  for (const std::string& warning : config->warnings) {
    std::cout << "  WARNING: " << warning << "\n";
  }
  if (!rule_files.empty()) {
    std::cout << "  SUCCESS: " << rule_files.size() << " rule files found\n";
  }
  std::cout << " SUCCESS: " << file << " is valid prometheus config file syntax\n\n";
  const promql::Engine engine;
  int code = rules::kCheckFine;
  for (const std::string& rule_file : rule_files) {
    code = rules::WorseCheck(code, rules::CheckRuleFile(rule_file, MakeParseFunc(engine, nullptr),
                                                        options, std::cout, std::cerr));
  }
  return code;
}

// An alertmanager.yml has routes, a prometheus.yml has none.
bool IsAlertmanagerConfig(const std::string& file) {
  const auto text = base::ReadFile(file, yaml::kMaxBytes);
  const auto root = text.ok() ? yaml::Parse(*text, file) : base::Result<Node>(text.error());
  return root.ok() && std::any_of(root->members.begin(), root->members.end(),
                                  [](const auto& member) { return member.first == "route"; });
}

int CheckAlertmanagerConfig(const std::string& file) {
  std::cout << "Checking " << file << "\n";
  const auto routing = config::LoadAlertmanager(file);
  const auto checked =
      routing.ok() ? notify::CheckRouting(*routing) : base::Result<void>(routing.error());
  if (!checked.ok()) {
    std::cerr << "  FAILED: " << checked.error().message() << "\n";
    std::cout << "\n";
    return rules::kCheckFailed;
  }
  std::cout << "  SUCCESS: " << routing->receivers.size() << " receivers, "
            << routing->inhibit_rules.size() << " inhibit rules, " << routing->time_intervals.size()
            << " time intervals\n\n";
  return rules::kCheckFine;
}

base::Result<http::WebConfig> LoadWebConfig(const std::string& file) {
  ASSIGN_OR_RETURN(const std::string text, base::ReadFile(file, http::kMaxWebConfigBytes));
  return http::ParseWebConfig(text, file);
}

// Where the agent is asked: --query.url, else the address it would listen on.
std::string AgentUrl(const ParsedFlags& flags) {
  const std::string& url = flags.String("query.url");
  if (!url.empty()) {
    return url;
  }
  const auto listen = base::ParseHostPort(flags.List("web.listen-address").front());
  if (!listen.ok()) {
    return "http://127.0.0.1:9095";
  }
  const bool any = listen->host.empty() || listen->host == "0.0.0.0";
  const std::string host = any ? "127.0.0.1" : listen->host == "::" ? "::1" : listen->host;
  const std::string_view scheme = flags.String("web.config.file").empty() ? "http" : "https";
  return fmt::format("{}://{}", scheme, base::FormatHostPort(host, listen->port));
}

const Node* Member(const Node& node, std::string_view name) {
  for (const auto& [key, value] : node.members) {
    if (key == name) {
      return &value;
    }
  }
  return nullptr;
}

std::string MemberText(const Node& node, std::string_view name) {
  const Node* const member = Member(node, name);
  return member == nullptr ? std::string() : member->scalar;
}

std::string FormatMetric(const Node& metric) {
  model::LabelsBuilder labels;
  for (const auto& [name, value] : metric.members) {
    labels.Set(name, value.scalar);
  }
  return labels.Build().ToString();
}

// "VALUE @TIME" of a [time, "value"] pair.
std::string FormatPoint(const Node& pair) {
  return pair.items.size() == 2 ? fmt::format("{} @{}", pair.items[1].scalar, pair.items[0].scalar)
                                : std::string();
}

void PrintResult(const Node& data) {
  const Node* const result = Member(data, "result");
  if (result == nullptr) {
    return;
  }
  const std::string type = MemberText(data, "resultType");
  if (type == "scalar" || type == "string") {
    fmt::print("{}\n", FormatPoint(*result));
    return;
  }
  for (const Node& series : result->items) {
    const Node* const metric = Member(series, "metric");
    const std::string name = metric == nullptr ? "{}" : FormatMetric(*metric);
    if (const Node* const value = Member(series, "value")) {
      fmt::print("{} => {}\n", name, FormatPoint(*value));
    }
    if (const Node* const values = Member(series, "values")) {
      fmt::print("{} =>\n", name);
      for (const Node& value : values->items) {
        fmt::print("  {}\n", FormatPoint(value));
      }
    }
  }
}

int RunQuery(const ParsedFlags& flags, std::string_view path,
             const std::vector<std::pair<std::string, std::string>>& parameters) {
  std::string body;
  for (const auto& [name, value] : parameters) {
    if (!value.empty()) {
      body += fmt::format("{}{}={}", body.empty() ? "" : "&", name, base::PercentEncode(value));
    }
  }
  http::Client client({.insecure_skip_verify = flags.String("query.url").empty()});
  const auto response =
      client.Do({.method = "POST",
                 .url = AgentUrl(flags) + std::string(path),
                 .headers = {{"Content-Type", "application/x-www-form-urlencoded"}},
                 .body = body,
                 .timeout = kQueryTimeout});
  if (!response.ok()) {
    fmt::print(stderr, "query: {}\n", response.error().message());
    return kExitFailure;
  }
  // JSON is YAML.
  const auto answer = yaml::Parse(response->body, "answer");
  if (!answer.ok()) {
    fmt::print(stderr, "query: HTTP {}: {}\n", response->status, answer.error().message());
    return kExitFailure;
  }
  if (MemberText(*answer, "status") != "success") {
    fmt::print(stderr, "query: {}\n", MemberText(*answer, "error"));
    return kExitFailure;
  }
  for (const std::string_view kind : {"warnings", "infos"}) {
    if (const Node* const notes = Member(*answer, kind)) {
      for (const Node& note : notes->items) {
        fmt::print(stderr, "{}\n", note.scalar);
      }
    }
  }
  if (const Node* const data = Member(*answer, "data")) {
    PrintResult(*data);
  }
  return kExitFine;
}

}  // namespace

int CheckConfig(const ParsedFlags& flags) {
  const rules::CheckOptions options = CheckOptionsOf(flags);
  int code = rules::kCheckFine;
  for (const std::string& file : flags.arguments()) {
    const int one = IsAlertmanagerConfig(file)
                        ? CheckAlertmanagerConfig(file)
                        : CheckOneConfig(file, flags.Bool("syntax-only"), options);
    code = rules::WorseCheck(code, one);
  }
  return code;
}

int CheckRules(const ParsedFlags& flags) {
  const promql::Engine engine;
  const std::vector<std::string> standard_input = {"-"};
  return rules::CheckRulesCommand(flags.arguments().empty() ? standard_input : flags.arguments(),
                                  MakeParseFunc(engine, nullptr), CheckOptionsOf(flags), std::cout,
                                  std::cerr);
}

int TestRules(const ParsedFlags& flags) {
  return rules::TestRulesCommand(flags.arguments(),
                                 {.run = flags.List("run"),
                                  .diff = flags.Bool("diff"),
                                  .debug = flags.Bool("debug"),
                                  .ignore_unknown_fields = flags.Bool("ignore-unknown-fields"),
                                  .junit_file = flags.String("junit")},
                                 std::cout, std::cerr);
}

int CheckWebConfig(std::span<const std::string> files) {
  int code = kExitFine;
  for (const std::string& file : files) {
    fmt::print("Checking {}\n", file);
    const auto loaded = LoadWebConfig(file);
    if (loaded.ok()) {
      fmt::print("  SUCCESS\n");
    } else {
      PrintProblem(loaded.error());
      code = kExitFailure;
    }
  }
  return code;
}

int QueryInstant(const ParsedFlags& flags) {
  return RunQuery(flags, "/api/v1/query",
                  {{"query", flags.arguments().front()}, {"time", flags.String("query.time")}});
}

int QueryRange(const ParsedFlags& flags) {
  return RunQuery(flags, "/api/v1/query_range",
                  {{"query", flags.arguments().front()},
                   {"start", flags.String("query.start")},
                   {"end", flags.String("query.end")},
                   {"step", flags.String("query.step")}});
}

int Healthcheck(const ParsedFlags& flags) {
  const auto listen = base::ParseHostPort(flags.List("web.listen-address").front());
  const auto health =
      listen.ok()
          ? exporters::ProbeHealth(*listen, !flags.String("web.config.file").empty(),
                                   std::chrono::steady_clock::now() + exporters::kHealthTimeout)
          : base::Result<void>(listen.error());
  if (!health.ok()) {
    fmt::print(stderr, "unhealthy: {}\n", health.error().message());
    return kExitFailure;
  }
  return kExitFine;
}

}  // namespace agent
