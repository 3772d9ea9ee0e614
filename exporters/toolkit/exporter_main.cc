#include "exporters/toolkit/exporter_main.h"

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <iterator>
#include <utility>

#include <fmt/format.h>
#include <sys/utsname.h>

#include "exporters/toolkit/coalesce.h"
#include "exporters/toolkit/exporter_front.h"
#include "exporters/toolkit/health_probe.h"
#include "exporters/toolkit/log_flags.h"
#include "lib/base/url.h"
#include "lib/base/version.h"

namespace exporters {
namespace {

constexpr int kFine = 0;
constexpr int kFailure = 1;
constexpr int kBadUsage = 2;

// Scrapes beyond --web.max-requests must still be told so, and /-/healthy must answer.
constexpr size_t kServerInFlight = 64;

std::string Architecture() {
  utsname names{};
  if (uname(&names) != 0) {
    return "";
  }
  const std::string_view machine = names.machine;
  if (machine == "x86_64") {
    return "amd64";  // As Go, and so every dashboard, calls it.
  }
  return machine == "aarch64" ? "arm64" : std::string(machine);
}

// The label keys of Go's version collector. goversion and tags are empty: there is no Go here.
std::vector<std::pair<std::string, std::string>> GoStyleBuildInfo() {
  return {{"branch", std::string(base::Branch())},
          {"goarch", Architecture()},
          {"goos", "linux"},
          {"goversion", ""},
          {"revision", std::string(base::Revision())},
          {"tags", ""},
          {"version", std::string(base::Version())}};
}

CommandLine MakeCommandLine(const ExporterProgram& program) {
  CommandLine line{
      .program = program.name,
      .summary = program.description,
      .commands = {{.name = "healthcheck",
                    .help = "Asks the exporter that runs with the same flags whether it is "
                            "healthy; exit code 0 if it is, else 1."}},
      .flags = program.flags,
      .examples = program.examples};
  if (program.doctor) {
    line.commands.push_back({.name = "doctor",
                             .help = "Checks the configuration and what this exporter may read, "
                                     "and says what to do about what it may not."});
  }
  // A program may have a row of its own for one of them.
  for (Flag& flag : StandardFlags(program)) {
    if (std::none_of(program.flags.begin(), program.flags.end(),
                     [&flag](const Flag& own) { return own.name == flag.name; })) {
      line.flags.push_back(std::move(flag));
    }
  }
  return line;
}

int ReportBadUsage(const ExporterProgram& program, const base::Error& error) {
  fmt::print(stderr, "{0}: {1}\n{0} --help shows what it takes.\n", program.name, error.message());
  return kBadUsage;
}

int ReportFailure(const ExporterProgram& program, const base::Error& error) {
  fmt::print(stderr, "{}: {}\n", program.name, error.message());
  return error.kind() == base::ErrorKind::kInvalidArgument ? kBadUsage : kFailure;
}

// Signals are taken by one thread at one place. Blocked before any thread starts, since threads
// inherit the mask.
sigset_t BlockStopSignals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  return signals;
}

FrontOptions MakeFrontOptions(const ExporterProgram& program, const ParsedFlags& flags) {
  return {.name = program.name,
          .description = program.description,
          .build_info = program.build_info.empty() ? GoStyleBuildInfo() : program.build_info,
          .build_info_name = program.official_name + "_build_info",
          .telemetry_path = flags.String("web.telemetry-path"),
          .max_requests = static_cast<int>(flags.Int("web.max-requests")),
          .exporter_metrics = !flags.Bool("web.disable-exporter-metrics")};
}

base::Result<void> CheckFlags(const ParsedFlags& flags) {
  const auto bad = [](std::string message) {
    return base::Error(std::move(message), base::ErrorKind::kInvalidArgument);
  };
  if (flags.String("web.telemetry-path").substr(0, 1) != "/") {
    return bad("flag --web.telemetry-path: a path starts with \"/\"");
  }
  const int64_t max_requests = flags.Int("web.max-requests");
  if (max_requests < 0 || max_requests > 1'000'000) {
    return bad("flag --web.max-requests: 0 (no limit) to 1000000 is expected");
  }
  if (flags.List("web.listen-address").empty()) {
    return bad("flag --web.listen-address: at least one address is needed");
  }
  for (const std::string& address : flags.List("web.listen-address")) {
    if (const auto parsed = base::ParseHostPort(address); !parsed.ok()) {
      return parsed.error().WithContext("flag --web.listen-address");
    }
  }
  return {};
}

int Serve(const ExporterProgram& program, const ParsedFlags& flags, const base::Logger& logger) {
  sigset_t signals = BlockStopSignals();
  base::Result<ExporterInstance> instance = program.make(flags, logger);
  if (!instance.ok()) {
    return ReportFailure(program, instance.error());
  }
  CoalescingExporter exporter(std::move(instance->exporter));
  ExporterFront front(MakeFrontOptions(program, flags), exporter, instance->routes);
  auto server = http::Server::Start(
      {.listen_addresses = flags.List("web.listen-address"),
       .web_config_file = flags.String("web.config.file"),
       .max_in_flight = kServerInFlight},
      [&front](const http::Request& request) { return front.Handle(request); }, logger);
  if (!server.ok()) {
    return ReportFailure(program, server.error());
  }
  const std::vector<std::string>& addresses = flags.List("web.listen-address");
  for (size_t i = 0; i < addresses.size(); ++i) {
    logger.Info("listening", {{"program", program.name},
                              {"version", std::string(base::Version())},
                              {"address", addresses[i]},
                              {"port", std::to_string((*server)->ports()[i])}});
  }
  int signal = 0;
  sigwait(&signals, &signal);
  logger.Info("stopping", {{"signal", signal == SIGINT ? "SIGINT" : "SIGTERM"}});
  if (instance->stop) {
    instance->stop();
  }
  server->reset();
  return kFine;
}

int RunDoctor(const ExporterProgram& program, const ParsedFlags& flags,
              const base::Logger& logger) {
  std::string report;
  const bool well = program.doctor(flags, logger, &report);
  fmt::print("{}", report);
  return well ? kFine : kFailure;
}

int Healthcheck(const ExporterProgram& program, const ParsedFlags& flags) {
  const auto listen = base::ParseHostPort(flags.List("web.listen-address").front());
  if (!listen.ok()) {
    return ReportBadUsage(program, listen.error());
  }
  const bool maybe_tls = !flags.String("web.config.file").empty();
  const base::Result<void> health =
      ProbeHealth(*listen, maybe_tls, std::chrono::steady_clock::now() + kHealthTimeout);
  if (!health.ok()) {
    fmt::print(stderr, "{}: unhealthy: {}\n", program.name, health.error().message());
    return kFailure;
  }
  return kFine;
}

}  // namespace

std::vector<Flag> StandardFlags(const ExporterProgram& program) {
  const std::string web = "Web";
  std::vector<Flag> flags = {
      {.name = "web.listen-address",
       .default_value = fmt::format(":{}", program.default_port),
       .env = program.listen_address_env,
       .group = web,
       .help = "Address and port to serve on; without an address, on all of this machine's.",
       .repeatable = true,
       .value_name = "[HOST]:PORT"},
      {.name = "web.telemetry-path",
       .default_value = "/metrics",
       .env = program.telemetry_path_env,
       .group = web,
       .help = "Where the metrics are.",
       .value_name = "PATH"},
      {.name = "web.config.file",
       .group = web,
       .help = "TLS, client certificates, basic authentication and response headers, in the schema "
               "that all Prometheus exporters share.",
       .value_name = "FILE"},
      {.name = "web.max-requests",
       .type = FlagType::kInt,
       .default_value = "40",
       .group = web,
       .help = "How many scrapes may run at once; more are answered 503. 0 is no limit."},
      {.name = "web.disable-exporter-metrics",
       .type = FlagType::kBool,
       .group = web,
       .help = "Leave out what the exporter says about itself (process_*, promhttp_*)."},
  };
  std::vector<Flag> log = LogFlags("Logging");
  std::move(log.begin(), log.end(), std::back_inserter(flags));
  return flags;
}

int ExporterMain(const ExporterProgram& program, int argc, const char* const* argv) {
  const CommandLine line = MakeCommandLine(program);
  const base::Result<ParsedFlags> flags = ParseFlags(line, argc, argv);
  if (!flags.ok()) {
    return ReportBadUsage(program, flags.error());
  }
  if (flags->help_requested()) {
    fmt::print("{}", HelpText(line));
    return kFine;
  }
  if (flags->version_requested()) {
    fmt::print("{}", VersionText(program.name));
    return kFine;
  }
  if (const auto checked = CheckFlags(*flags); !checked.ok()) {
    return ReportBadUsage(program, checked.error());
  }
  const base::Result<base::Logger> logger = MakeLogger(*flags);
  if (!logger.ok()) {
    return ReportBadUsage(program, logger.error());
  }
  if (flags->command() == "healthcheck") {
    return Healthcheck(program, *flags);
  }
  if (flags->command() == "doctor") {
    return RunDoctor(program, *flags, *logger);
  }
  return Serve(program, *flags, *logger);
}

}  // namespace exporters
