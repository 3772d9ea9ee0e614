// tarsier-agent: watches this machine, or what a prometheus.yml says; stores, evaluates, notifies.
#include <algorithm>
#include <array>
#include <cassert>
#include <csignal>
#include <cstdio>
#include <iostream>
#include <iterator>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <malloc.h>
#include <unistd.h>

#include "agent/agent.h"
#include "agent/commands.h"
#include "agent/config/config.h"
#include "agent/promql/features.h"
#include "agent/promql/test_runner.h"
#include "agent/state/state_file.h"
#include "exporters/toolkit/flags.h"
#include "exporters/toolkit/log_flags.h"
#include "lib/base/duration.h"
#include "lib/base/log.h"
#include "lib/base/strings.h"
#include "lib/base/url.h"

namespace {

using exporters::CommandLine;
using exporters::Flag;
using exporters::FlagType;
using exporters::ParsedFlags;

constexpr char kProgram[] = "tarsier-agent";
// A thread a target is many threads; arenas of their own would cost more than they save.
constexpr int kMallocArenas = 2;

std::vector<Flag> Flags() {
  const std::string what = "What to watch";
  const std::string rules = "Rules and alerts";
  const std::string store = "Storage and queries";
  const std::string web = "Web";
  const std::string ask = "For `query`";
  const std::string check = "For `check` and `test`";
  std::vector<Flag> flags = {
      {.name = "config.file",
       .group = what,
       .help =
           "A prometheus.yml. Without one, this machine and the servers found on it are watched.",
       .value_name = "FILE"},
      {.name = "discovery.local",
       .type = FlagType::kBool,
       .group = what,
       .help = "Watch this machine and its servers also with --config.file; the default without."},
      {.name = "scrape.interval",
       .type = FlagType::kDuration,
       .default_value = "15s",
       .group = what,
       .help = "How often, without --config.file."},
      {.name = "rules.interval",
       .type = FlagType::kDuration,
       .default_value = "15s",
       .group = rules,
       .help = "How often rules are evaluated, without --config.file."},
      {.name = "rules.file",
       .group = rules,
       .help = "Rule files beside those of the configuration.",
       .repeatable = true,
       .value_name = "PATTERN"},
      {.name = "rules.bundled",
       .type = FlagType::kBool,
       .group = rules,
       .help = "Load the rules that come with the agent also with --config.file; the default "
               "without."},
      {.name = "alertmanager.config-file",
       .group = rules,
       .help = "An alertmanager.yml: routes, grouping, inhibition, receivers. Alerts of "
               "--alert.webhook-url go there besides.",
       .value_name = "FILE"},
      {.name = "alert.webhook-secret-file",
       .group = rules,
       .help = "A file with the key that signs the bodies of --alert.webhook-url, HMAC-SHA256 in "
               "the header X-Tarsier-Signature.",
       .value_name = "FILE"},
      {.name = "alert.webhook-url",
       .env = "TARSIER_ALERT_WEBHOOK_URL",
       .group = rules,
       .help = "Where alerts are posted, in Alertmanager's webhook format.",
       .repeatable = true,
       .secret = true,
       .value_name = "URL"},
      {.name = "rules.alert.resend-delay",
       .type = FlagType::kDuration,
       .default_value = "1m",
       .group = rules,
       .help = "How long an alert that goes on is not sent again."},
      {.name = "storage.path",
       .group = store,
       .help = "The directory of the state file; --storage.path= keeps everything in memory only. "
               "By default $STATE_DIRECTORY, /var/lib/tarsier if it can be written, else "
               "$XDG_STATE_HOME/tarsier or ~/.local/state/tarsier.",
       .value_name = "DIR"},
      {.name = "storage.retention.time",
       .type = FlagType::kDuration,
       .default_value = "7d",
       .group = store,
       .help = "How long samples are kept; 6h by default when they are in memory only."},
      {.name = "storage.retention.size",
       .default_value = "1GiB",
       .group = store,
       .help = "How large the state file may grow before the oldest samples go; 0 is no limit.",
       .value_name = "BYTES"},
      {.name = "storage.memory-limit",
       .default_value = "1GiB",
       .group = store,
       .help = "Memory of series and samples. Beyond it samples that are in no file go, the oldest "
               "first; then new series are refused. 0 is no limit.",
       .value_name = "BYTES"},
      {.name = "storage.max-series-per-target",
       .type = FlagType::kInt,
       .default_value = "200000",
       .group = store,
       .help = "Further series of one target are refused and counted, with the label to blame; "
               "known ones go on. 0 is no limit."},
      {.name = "storage.max-series",
       .type = FlagType::kInt,
       .default_value = "2000000",
       .group = store,
       .help = "More series are refused and counted."},
      {.name = "query.lookback-delta",
       .type = FlagType::kDuration,
       .default_value = "5m",
       .group = store,
       .help = "How old a sample may be to count as current."},
      {.name = "query.timeout",
       .type = FlagType::kDuration,
       .default_value = "2m",
       .group = store,
       .help = "Queries are given up after this long."},
      {.name = "query.max-samples",
       .type = FlagType::kInt,
       .default_value = "50000000",
       .group = store,
       .help = "Queries that would hold more samples in memory fail."},
      {.name = "enable-feature",
       .group = store,
       .help = "Parts of PromQL that are off by default, separated by commas: "
               "promql-experimental-functions, promql-extended-range-selectors, "
               "promql-binop-fill-modifiers, promql-delayed-name-removal.",
       .repeatable = true,
       .value_name = "NAME"},
      {.name = "web.listen-address",
       .default_value = ":9095",
       .group = web,
       .help = "Address and port to serve on; without an address, on all of this machine's.",
       .repeatable = true,
       .value_name = "[HOST]:PORT"},
      {.name = "web.external-url",
       .group = web,
       .help = "Where users reach this agent, for links in alerts; this host's name by default.",
       .value_name = "URL"},
      {.name = "web.config.file",
       .group = web,
       .help = "TLS, client certificates, basic authentication and response headers, in the schema "
               "that all Prometheus programs share.",
       .value_name = "FILE"},
      {.name = "web.enable-lifecycle",
       .type = FlagType::kBool,
       .default_value = "true",
       .group = web,
       .help = "Let POST /-/reload reload the configuration, as SIGHUP does."},
      {.name = "query.url",
       .group = ask,
       .help = "The agent or Prometheus to ask; the agent on this machine by default.",
       .value_name = "URL"},
      {.name = "query.time", .group = ask, .help = "The moment, as RFC 3339 or Unix time; now."},
      {.name = "query.start", .group = ask, .help = "The first moment of a range."},
      {.name = "query.end", .group = ask, .help = "The last moment of a range."},
      {.name = "query.step", .default_value = "1m", .group = ask, .help = "Between two moments."},
      {.name = "lint",
       .default_value = "duplicate-rules",
       .group = check,
       .help = "What is found dubious in rules: all, duplicate-rules or none.",
       .value_name = "CHECK"},
      {.name = "lint-fatal",
       .type = FlagType::kBool,
       .group = check,
       .help = "Exit with code 3 when something dubious is found."},
      {.name = "syntax-only",
       .type = FlagType::kBool,
       .group = check,
       .help = "Check the configuration without the rule files it names."},
      {.name = "ignore-unknown-fields",
       .type = FlagType::kBool,
       .group = check,
       .help = "Read over fields in rule files that Prometheus does not know."},
      {.name = "run",
       .group = check,
       .help = "Run the unit tests whose names match.",
       .repeatable = true,
       .value_name = "REGEX"},
      {.name = "diff",
       .type = FlagType::kBool,
       .group = check,
       .help = "Show what differs instead of what was expected and what was found."},
      {.name = "debug",
       .type = FlagType::kBool,
       .group = check,
       .help = "Show the alerts after every evaluation."},
      {.name = "junit",
       .group = check,
       .help = "Write the results of unit tests to this file, in JUnit's XML.",
       .value_name = "FILE"},
  };
  std::vector<Flag> log = exporters::LogFlags("Logging");
  std::move(log.begin(), log.end(), std::back_inserter(flags));
  return flags;
}

CommandLine MakeCommandLine() {
  constexpr size_t kMany = 10'000;
  return {.program = kProgram,
          .summary =
              "Watches this machine and the PostgreSQL, Redis and PgBouncer servers on it, "
              "or what a prometheus.yml says; keeps the samples, evaluates alert rules, "
              "sends alerts and answers PromQL.",
          .commands =
              {
                  {.name = "run", .help = "Runs until SIGTERM; what happens without a command."},
                  {.name = "check config",
                   .help = "Checks configurations and the rule files they name.",
                   .arguments = "FILE…",
                   .min_arguments = 1,
                   .max_arguments = kMany},
                  {.name = "check rules",
                   .help = "Checks rule files, or standard input.",
                   .arguments = "[FILE…]",
                   .max_arguments = kMany},
                  {.name = "check web-config",
                   .help = "Checks web configurations.",
                   .arguments = "FILE…",
                   .min_arguments = 1,
                   .max_arguments = kMany},
                  {.name = "test rules",
                   .help = "Runs unit tests of rules, in promtool's format.",
                   .arguments = "FILE…",
                   .min_arguments = 1,
                   .max_arguments = kMany},
                  {.name = "test promql",
                   .help = "Runs scripts in Prometheus' test language.",
                   .arguments = "FILE…",
                   .min_arguments = 1,
                   .max_arguments = kMany},
                  {.name = "query instant",
                   .help = "Asks a running agent, or a Prometheus, for one moment.",
                   .arguments = "EXPRESSION",
                   .min_arguments = 1,
                   .max_arguments = 1},
                  {.name = "query range",
                   .help = "Asks for a range of moments.",
                   .arguments = "EXPRESSION",
                   .min_arguments = 1,
                   .max_arguments = 1},
                  {.name = "healthcheck",
                   .help = "Asks the agent that runs with the same flags whether it is healthy; "
                           "exit code 0 if it is, else 1."},
              },
          .flags = Flags(),
          .examples =
              "  tarsier-agent --alert.webhook-url=https://chat.example/hook\n"
              "  tarsier-agent --config.file=/etc/prometheus/prometheus.yml\n"
              "  tarsier-agent query instant 'rate(pg_stat_database_xact_commit[5m])'\n"};
}

base::Error BadFlag(std::string message) {
  return base::Error(std::move(message), base::ErrorKind::kInvalidArgument);
}

base::Result<void> CheckFlags(const ParsedFlags& flags) {
  for (const char* name : {"scrape.interval", "rules.interval", "storage.retention.time",
                           "query.lookback-delta", "query.timeout"}) {
    if (flags.Duration(name).count() <= 0) {
      return BadFlag(fmt::format("flag --{}: more than 0s is expected", name));
    }
  }
  for (const char* name : {"storage.max-series", "query.max-samples"}) {
    if (flags.Int(name) <= 0) {
      return BadFlag(fmt::format("flag --{}: more than 0 is expected", name));
    }
  }
  for (const char* name : {"storage.retention.size", "storage.memory-limit"}) {
    if (!config::ParseBytes(flags.String(name))) {
      return BadFlag(fmt::format("flag --{}: a size such as 1GiB is expected", name));
    }
  }
  if (flags.Int("storage.max-series-per-target") < 0) {
    return BadFlag("flag --storage.max-series-per-target: 0 or more is expected");
  }
  if (flags.List("web.listen-address").empty()) {
    return BadFlag("flag --web.listen-address: at least one address is needed");
  }
  for (const std::string& address : flags.List("web.listen-address")) {
    if (const auto parsed = base::ParseHostPort(address); !parsed.ok()) {
      return parsed.error().WithContext("flag --web.listen-address");
    }
  }
  promql::EngineOptions engine;
  for (const std::string& names : flags.List("enable-feature")) {
    if (const auto enabled = promql::EnableFeatures(names, &engine); !enabled.ok()) {
      return enabled.error().WithContext("flag --enable-feature");
    }
  }
  const std::string& external = flags.String("web.external-url");
  if (!external.empty() && !base::ParseUrl(external).ok()) {
    return BadFlag("flag --web.external-url: a URL is expected");
  }
  return {};
}

std::string HostName() {
  std::array<char, 256> name{};
  return gethostname(name.data(), name.size() - 1) == 0 && name[0] != '\0' ? name.data()
                                                                           : "localhost";
}

std::optional<bool> IfSet(const ParsedFlags& flags, std::string_view name) {
  return flags.IsSet(name) ? std::optional(flags.Bool(name)) : std::nullopt;
}

std::string FlagText(const ParsedFlags& flags, const Flag& flag) {
  if (flag.secret) {
    return flags.IsSet(flag.name) ? "<secret>" : "";
  }
  if (flag.repeatable) {
    return base::Join(flags.List(flag.name), ",");
  }
  switch (flag.type) {
    case FlagType::kBool:
      return flags.Bool(flag.name) ? "true" : "false";
    case FlagType::kInt:
      return std::to_string(flags.Int(flag.name));
    case FlagType::kDouble:
      return base::FormatDouble(flags.Double(flag.name));
    case FlagType::kDuration:
      return base::FormatDuration(flags.Duration(flag.name));
    case FlagType::kString:
      break;
  }
  return flags.String(flag.name);
}

// Where state goes and for how long. A directory that nobody chose may fail.
void SetStorage(const ParsedFlags& flags, agent::AgentOptions* options) {
  constexpr std::chrono::hours kMemoryRetention{6};
  options->state_required = flags.IsSet("storage.path");
  options->state_directory = options->state_required ? flags.String("storage.path")
                                                     : state::DefaultDirectory(base::GetEnv);
  options->retention = flags.Duration("storage.retention.time");
  const std::string& size = flags.String("storage.retention.size");
  options->retention_bytes = config::ParseBytes(size).value_or(0);
  if (options->state_directory.empty() && !flags.IsSet("storage.retention.time")) {
    options->retention = kMemoryRetention;
  }
  options->memory_limit = config::ParseBytes(flags.String("storage.memory-limit")).value_or(0);
  options->series_per_target = static_cast<uint64_t>(flags.Int("storage.max-series-per-target"));
  options->retention_text = base::FormatDuration(options->retention);
  if (!options->state_directory.empty() && options->retention_bytes != 0) {
    options->retention_text += " or " + size;
  }
}

agent::AgentOptions MakeOptions(const ParsedFlags& flags) {
  std::string external_url = flags.String("web.external-url");
  while (external_url.ends_with('/')) {
    external_url.pop_back();
  }
  agent::AgentOptions options{.config_file = flags.String("config.file"),
                              .discover_local = IfSet(flags, "discovery.local"),
                              .bundled_rules = IfSet(flags, "rules.bundled"),
                              .rule_files = flags.List("rules.file"),
                              .scrape_interval = flags.Duration("scrape.interval"),
                              .evaluation_interval = flags.Duration("rules.interval"),
                              .listen_addresses = flags.List("web.listen-address"),
                              .web_config_file = flags.String("web.config.file"),
                              .external_url = std::move(external_url),
                              .lifecycle = flags.Bool("web.enable-lifecycle"),
                              .resend_delay = flags.Duration("rules.alert.resend-delay"),
                              .max_series = static_cast<size_t>(flags.Int("storage.max-series")),
                              .host_name = HostName(),
                              .environment = base::GetEnv};
  SetStorage(flags, &options);
  options.engine.lookback_delta = flags.Duration("query.lookback-delta");
  options.engine.timeout = flags.Duration("query.timeout");
  options.engine.max_samples = static_cast<size_t>(flags.Int("query.max-samples"));
  for (const std::string& names : flags.List("enable-feature")) {
    const auto enabled = promql::EnableFeatures(names, &options.engine);
    assert(enabled.ok());  // CheckFlags has seen to it.
    static_cast<void>(enabled);
  }
  options.destinations.alertmanager_config_file = flags.String("alertmanager.config-file");
  options.destinations.webhook_key.file = flags.String("alert.webhook-secret-file");
  for (const std::string& url : flags.List("alert.webhook-url")) {
    options.destinations.webhook_urls.emplace_back(url);
  }
  for (const Flag& flag : Flags()) {
    options.flags.emplace_back(flag.name, FlagText(flags, flag));
  }
  return options;
}

// Signals are taken by one thread at one place. Blocked before any thread starts, since threads
// inherit the mask.
sigset_t BlockSignals() {
  struct sigaction ignore {};
  ignore.sa_handler = SIG_IGN;
  sigaction(SIGPIPE, &ignore, nullptr);
  sigset_t signals;
  sigemptyset(&signals);
  for (const int number : {SIGINT, SIGTERM, SIGHUP}) {
    sigaddset(&signals, number);
  }
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  return signals;
}

int Run(const ParsedFlags& flags, const base::Logger& logger) {
  // NOLINTNEXTLINE(concurrency-mt-unsafe): no other thread runs yet.
  mallopt(M_ARENA_MAX, kMallocArenas);
  sigset_t signals = BlockSignals();
  const auto agent = agent::Agent::Start(MakeOptions(flags), logger);
  if (!agent.ok()) {
    fmt::print(stderr, "{}: {}\n", kProgram, agent.error().message());
    return agent.error().kind() == base::ErrorKind::kInvalidArgument ? agent::kExitBadUsage
                                                                     : agent::kExitFailure;
  }
  for (const std::string& line : (*agent)->Describe()) {
    fmt::print("{}\n", line);
  }
  std::fflush(stdout);
  for (;;) {
    int number = 0;
    sigwait(&signals, &number);
    if (number != SIGHUP) {
      logger.Info("stopping", {{"signal", number == SIGINT ? "SIGINT" : "SIGTERM"}});
      return agent::kExitFine;
    }
    // A failure is logged there, and the agent goes on as it was.
    static_cast<void>((*agent)->Reload().ok());
  }
}

int BadUsage(const base::Error& error) {
  fmt::print(stderr, "{0}: {1}\n{0} --help shows what it takes.\n", kProgram, error.message());
  return agent::kExitBadUsage;
}

int Dispatch(const ParsedFlags& flags, const base::Logger& logger) {
  const std::string& command = flags.command();
  if (command == "check config") {
    return agent::CheckConfig(flags);
  }
  if (command == "check rules") {
    return agent::CheckRules(flags);
  }
  if (command == "check web-config") {
    return agent::CheckWebConfig(flags.arguments());
  }
  if (command == "test rules") {
    return agent::TestRules(flags);
  }
  if (command == "test promql") {
    return promql::TestPromqlCommand(flags.arguments(), std::cout);
  }
  if (command == "query instant") {
    return agent::QueryInstant(flags);
  }
  if (command == "query range") {
    return agent::QueryRange(flags);
  }
  if (command == "healthcheck") {
    return agent::Healthcheck(flags);
  }
  return Run(flags, logger);
}

}  // namespace

int main(int argc, char** argv) {
  const CommandLine line = MakeCommandLine();
  const base::Result<ParsedFlags> flags = exporters::ParseFlags(line, argc, argv);
  if (!flags.ok()) {
    return BadUsage(flags.error());
  }
  if (flags->help_requested()) {
    fmt::print("{}", exporters::HelpText(line));
    return agent::kExitFine;
  }
  if (flags->version_requested()) {
    fmt::print("{}", exporters::VersionText(kProgram));
    return agent::kExitFine;
  }
  if (const auto checked = CheckFlags(*flags); !checked.ok()) {
    return BadUsage(checked.error());
  }
  const base::Result<base::Logger> logger = exporters::MakeLogger(*flags);
  if (!logger.ok()) {
    return BadUsage(logger.error());
  }
  return Dispatch(*flags, *logger);
}
