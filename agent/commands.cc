#include "agent/commands.h"

#include <cstdio>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "agent/config/config.h"
#include "agent/promql/engine.h"
#include "agent/rule_sources.h"
#include "agent/rules/check.h"
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

// The configuration and the rule files it names.
base::Result<std::string> CheckOneConfig(const std::string& file) {
  ASSIGN_OR_RETURN(const config::Config config, config::Load(file));
  const promql::Engine engine;
  ASSIGN_OR_RETURN(const auto groups,
                   LoadRules(config.rule_files, false, MakeParseFunc(engine, nullptr)));
  size_t rules = 0;
  for (const rules::GroupSpec& group : groups) {
    rules += group.rules.size();
  }
  std::string summary = fmt::format("  SUCCESS: {} scrape jobs, {} rules in {} groups\n",
                                    config.scrape_configs.size(), rules, groups.size());
  for (const std::string& warning : config.warnings) {
    summary += fmt::format("  WARNING: {}\n", warning);
  }
  for (const std::string& pattern : config.rule_files) {
    if (base::Glob(pattern).empty()) {
      summary += fmt::format("  WARNING: no rule file matches {}\n", pattern);
    }
  }
  return summary;
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

int CheckConfig(std::span<const std::string> files) {
  int code = kExitFine;
  for (const std::string& file : files) {
    fmt::print("Checking {}\n", file);
    const auto summary = CheckOneConfig(file);
    if (summary.ok()) {
      fmt::print("{}", *summary);
    } else {
      PrintProblem(summary.error());
      code = kExitFailure;
    }
  }
  return code;
}

int CheckRules(std::span<const std::string> patterns) {
  const promql::Engine engine;
  std::string report;
  const int code = rules::CheckRulesCommand(patterns, MakeParseFunc(engine, nullptr), &report);
  fmt::print("{}", report);
  return code;
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
