// tarsier-redis: takes redis_exporter's place.
#include <chrono>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "exporters/redis/collectors.h"
#include "exporters/redis/doctor.h"
#include "exporters/redis/exporter.h"
#include "exporters/redis/options.h"
#include "exporters/toolkit/exporter_main.h"
#include "exporters/toolkit/flags.h"
#include "exporters/toolkit/metrics_page.h"

namespace {

using exporters::Flag;
using exporters::FlagType;
using exporters::ParsedFlags;

const std::string kConnection = "Connection";  // NOLINT(cert-err58-cpp): headings of --help.
const std::string kTls = "TLS to the server";  // NOLINT(cert-err58-cpp)
const std::string kMetrics = "Metrics";        // NOLINT(cert-err58-cpp)

std::vector<Flag> Flags() {
  return {
      {.name = "redis.addr",
       .default_value = "redis://localhost:6379",
       .env = "REDIS_ADDR",
       .group = kConnection,
       .help = "The server: redis://, rediss:// (TLS), valkey://, valkeys:// or unix:///path; "
               "redis://localhost:6379 by default.",
       .secret = true,
       .value_name = "ADDRESS"},
      {.name = "redis.user",
       .env = "REDIS_USER",
       .group = kConnection,
       .help = "User of an ACL (Redis 6.0)."},
      {.name = "redis.password",
       .env = "REDIS_PASSWORD",
       .group = kConnection,
       .help = "Password. Others on this machine can see it on the command line; the variable or "
               "the file is better.",
       .secret = true},
      {.name = "redis.password-file",
       .env = "REDIS_PASSWORD_FILE",
       .group = kConnection,
       .help = "File with the password, or with a JSON object of addresses and passwords. Read at "
               "each connect.",
       .value_name = "FILE"},
      {.name = "connection-timeout",
       .type = FlagType::kDuration,
       .default_value = "15s",
       .env = "REDIS_EXPORTER_CONNECTION_TIMEOUT",
       .group = kConnection,
       .help = "How long a scrape may take with this server in all, if Prometheus waits longer."},
      {.name = "set-client-name",
       .type = FlagType::kBool,
       .default_value = "true",
       .env = "REDIS_EXPORTER_SET_CLIENT_NAME",
       .group = kConnection,
       .help = "Name the connection tarsier-redis in CLIENT LIST."},
      {.name = "ping-on-connect",
       .type = FlagType::kBool,
       .env = "REDIS_EXPORTER_PING_ON_CONNECT",
       .group = kConnection,
       .help = "Measure how long PING takes, in a round trip of its own."},
      {.name = "tls-client-cert-file",
       .env = "REDIS_EXPORTER_TLS_CLIENT_CERT_FILE",
       .group = kTls,
       .help = "Certificate to show to the server (PEM).",
       .value_name = "FILE"},
      {.name = "tls-client-key-file",
       .env = "REDIS_EXPORTER_TLS_CLIENT_KEY_FILE",
       .group = kTls,
       .help = "Its key (PEM).",
       .value_name = "FILE"},
      {.name = "tls-ca-cert-file",
       .env = "REDIS_EXPORTER_TLS_CA_CERT_FILE",
       .group = kTls,
       .help = "Authorities that may sign the server's certificate (PEM); the system's by default.",
       .value_name = "FILE"},
      {.name = "tls-server-name",
       .env = "REDIS_EXPORTER_TLS_SERVER_NAME",
       .group = kTls,
       .help = "Name the certificate must be made out to; the host's by default.",
       .value_name = "NAME"},
      {.name = "skip-tls-verification",
       .type = FlagType::kBool,
       .env = "REDIS_EXPORTER_SKIP_TLS_VERIFICATION",
       .group = kTls,
       .help = "Trust whatever certificate the server shows."},
      {.name = "namespace",
       .default_value = "redis",
       .env = "REDIS_EXPORTER_NAMESPACE",
       .group = kMetrics,
       .help = "First word of the metric names."},
      {.name = "config-command",
       .default_value = "CONFIG",
       .env = "REDIS_EXPORTER_CONFIG_COMMAND",
       .group = kMetrics,
       .help = "What CONFIG is called on this server; - reads no settings.",
       .value_name = "COMMAND"},
      {.name = "include-config-metrics",
       .type = FlagType::kBool,
       .env = "REDIS_EXPORTER_INCL_CONFIG_METRICS",
       .group = kMetrics,
       .help = "Expose every setting but those that hold secrets."},
      {.name = "redact-config-metrics",
       .type = FlagType::kBool,
       .default_value = "true",
       .env = "REDIS_EXPORTER_REDACT_CONFIG_METRICS",
       .group = kMetrics,
       .help = "Always so: settings that hold secrets are never exposed.",
       .hidden = true},
      {.name = "include-system-metrics",
       .type = FlagType::kBool,
       .default_value = "true",
       .env = "REDIS_EXPORTER_INCL_SYSTEM_METRICS",
       .group = kMetrics,
       .help = "Expose the memory of the server's machine."},
      {.name = "include-metrics-for-empty-databases",
       .type = FlagType::kBool,
       .default_value = "true",
       .env = "REDIS_EXPORTER_INCL_METRICS_FOR_EMPTY_DATABASES",
       .group = kMetrics,
       .help = "Expose databases without keys, as 0."},
      {.name = "exclude-latency-histogram-metrics",
       .type = FlagType::kBool,
       .env = "REDIS_EXPORTER_EXCLUDE_LATENCY_HISTOGRAM_METRICS",
       .group = kMetrics,
       .help = "Do not ask for LATENCY HISTOGRAM, the dearest command of a scrape."},
  };
}

std::vector<Flag> AllFlags() {
  std::vector<Flag> flags = Flags();
  std::vector<exporters::CollectorRow> rows;
  for (const auto* collector : exporters::redis::AllCollectors()) {
    rows.push_back({.name = collector->name,
                    .help = collector->help,
                    .enabled_by_default = collector->enabled_by_default});
  }
  for (Flag& flag : exporters::CollectorFlags(rows)) {
    flags.push_back(std::move(flag));
  }
  return flags;
}

exporters::Selection ReadSelection(const ParsedFlags& flags) {
  exporters::Selection selection;
  for (const auto* collector : exporters::redis::AllCollectors()) {
    const std::string flag = "collector." + std::string(collector->name);
    if (flags.IsSet(flag)) {
      selection.named.emplace(collector->name, flags.Bool(flag));
    }
  }
  return selection;
}

base::Error BadFlag(std::string message) {
  return base::Error(std::move(message), base::ErrorKind::kInvalidArgument);
}

// The flags beat what the address says.
base::Result<exporters::redis::Address> ReadAddress(const ParsedFlags& flags) {
  ASSIGN_OR_RETURN(exporters::redis::Address address,
                   exporters::redis::ParseAddress(flags.Secret("redis.addr").Reveal()));
  if (flags.IsSet("redis.user")) {
    address.user = flags.String("redis.user");
  }
  if (flags.IsSet("redis.password")) {
    address.password = flags.Secret("redis.password");
  }
  return address;
}

base::Result<exporters::redis::Options> ReadOptions(const ParsedFlags& flags) {
  exporters::redis::Options options;
  ASSIGN_OR_RETURN(options.address, ReadAddress(flags));
  if (!flags.Bool("redact-config-metrics")) {
    return BadFlag("flag --redact-config-metrics: passwords are never exposed; leave it out");
  }
  options.password_file = flags.String("redis.password-file");
  options.tls = {.verify = flags.Bool("skip-tls-verification") ? exporters::TlsVerify::kNone
                                                               : exporters::TlsVerify::kServerName,
                 .ca_file = flags.String("tls-ca-cert-file"),
                 .cert_file = flags.String("tls-client-cert-file"),
                 .key_file = flags.String("tls-client-key-file"),
                 .server_name = flags.String("tls-server-name")};
  options.connection_timeout = flags.Duration("connection-timeout");
  if (options.connection_timeout <= std::chrono::milliseconds(0)) {
    return BadFlag("flag --connection-timeout: more than 0s is expected");
  }
  options.metric_namespace = flags.String("namespace");
  options.client_name = flags.Bool("set-client-name") ? "tarsier-redis" : "";
  options.config_command = flags.String("config-command");
  options.ping_on_connect = flags.Bool("ping-on-connect");
  options.include_config_metrics = flags.Bool("include-config-metrics");
  options.include_system_metrics = flags.Bool("include-system-metrics");
  options.include_empty_databases = flags.Bool("include-metrics-for-empty-databases");
  options.latency_histogram = !flags.Bool("exclude-latency-histogram-metrics");
  options.collectors = ReadSelection(flags);
  return options;
}

base::Result<exporters::ExporterInstance> Make(const ParsedFlags& flags,
                                               const base::Logger& logger) {
  ASSIGN_OR_RETURN(exporters::redis::Options options, ReadOptions(flags));
  return exporters::ExporterInstance{
      .exporter = std::make_unique<exporters::redis::RedisExporter>(std::move(options), logger)};
}

bool Doctor(const ParsedFlags& flags, const base::Logger& /*logger*/, std::string* report) {
  const auto options = ReadOptions(flags);
  if (!options.ok()) {
    *report += options.error().message() + "\n";
    return false;
  }
  return exporters::redis::Diagnose(
      *options, std::chrono::steady_clock::now() + exporters::kDefaultScrapeTimeout, report);
}

}  // namespace

int main(int argc, char** argv) {
  const exporters::ExporterProgram program{
      .name = "tarsier-redis",
      .description = "Exposes metrics of a Redis or Valkey server to Prometheus.",
      .official_name = "redis_exporter",
      .default_port = 9121,
      .telemetry_path_env = "REDIS_EXPORTER_WEB_TELEMETRY_PATH",
      .listen_address_env = "REDIS_EXPORTER_WEB_LISTEN_ADDRESS",
      .flags = AllFlags(),
      .examples =
          "  tarsier-redis --redis.addr=redis://cache1:6379\n"
          "  tarsier-redis doctor --redis.addr=unix:///run/redis/redis-server.sock\n",
      .make = Make,
      .doctor = Doctor};
  return exporters::ExporterMain(program, argc, argv);
}
