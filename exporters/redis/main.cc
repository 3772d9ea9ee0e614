// tarsier-redis: takes redis_exporter's place.
#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "exporters/redis/collectors.h"
#include "exporters/redis/doctor.h"
#include "exporters/redis/exporter.h"
#include "exporters/redis/options.h"
#include "exporters/redis/targets.h"
#include "exporters/toolkit/exporter_main.h"
#include "exporters/toolkit/flags.h"
#include "exporters/toolkit/metrics_page.h"
#include "lib/base/strings.h"

namespace {

using exporters::Flag;
using exporters::FlagType;
using exporters::ParsedFlags;

const std::string kConnection = "Connection";  // NOLINT(cert-err58-cpp): headings of --help.
const std::string kTls = "TLS to the server";  // NOLINT(cert-err58-cpp)
const std::string kMetrics = "Metrics";        // NOLINT(cert-err58-cpp)
const std::string kKeys = "Keys and queues";   // NOLINT(cert-err58-cpp)
const std::string kTargets = "Targets";        // NOLINT(cert-err58-cpp)
const std::string kRefused = "Refused";        // NOLINT(cert-err58-cpp)

// What redis_exporter takes and this does not, with what to do instead.
struct RefusedFlag {
  const char* name;
  const char* env;
  FlagType type;
  const char* why;
};

constexpr RefusedFlag kRefusedFlags[] = {
    {"script", "REDIS_EXPORTER_SCRIPT", FlagType::kString,
     "a script stops the server for as long as it runs; --check-keys, --count-keys and "
     "--check-key-groups count without one"},
    {"lua-script-read-only", "REDIS_EXPORTER_LUA_SCRIPT_READ_ONLY", FlagType::kBool,
     "no scripts are run"},
    {"is-tile38", "REDIS_EXPORTER_IS_TILE38", FlagType::kBool, "Tile38 is not supported"},
    {"include-search-indexes-metrics", "REDIS_EXPORTER_INCL_SEARCH_INDEXES_METRICS",
     FlagType::kBool,
     "indexes are not read one by one; --include-modules-metrics has their totals"},
    {"check-search-indexes", "REDIS_EXPORTER_CHECK_SEARCH_INDEXES", FlagType::kString,
     "indexes are not read one by one; --include-modules-metrics has their totals"},
    {"include-rdb-file-size-metric", "REDIS_EXPORTER_INCL_RDB_FILE_SIZE_METRIC", FlagType::kBool,
     "the file belongs to the server's machine: tarsier-host there, or "
     "redis_rdb_last_cow_size_bytes"},
    {"append-instance-role-label", "REDIS_EXPORTER_APPEND_INSTANCE_ROLE_LABEL", FlagType::kBool,
     "every series would change its name at a failover; join with redis_instance_info{role}"},
    {"include-sentinel-peer-info", "REDIS_EXPORTER_INCL_SENTINEL_PEER_INFO", FlagType::kBool,
     "redis_sentinel_master_ok_sentinels counts the peers that are well"},
    {"include-go-runtime-metrics", "REDIS_EXPORTER_INCLUDE_GO_RUNTIME_METRICS", FlagType::kBool,
     "there is no Go runtime here"},
    {"basic-auth-username", "REDIS_EXPORTER_BASIC_AUTH_USERNAME", FlagType::kString,
     "basic_auth_users in --web.config.file does this"},
    {"basic-auth-password", "REDIS_EXPORTER_BASIC_AUTH_PASSWORD", FlagType::kString,
     "basic_auth_users in --web.config.file does this"},
    {"basic-auth-hash-password", "REDIS_EXPORTER_BASIC_AUTH_HASH_PASSWORD", FlagType::kString,
     "basic_auth_users in --web.config.file does this"},
    {"debug", "REDIS_EXPORTER_DEBUG", FlagType::kBool, "--log.level=debug does this"},
    {"log-level", "REDIS_EXPORTER_LOG_LEVEL", FlagType::kString, "--log.level does this"},
    {"log-format", "REDIS_EXPORTER_LOG_FORMAT", FlagType::kString,
     "--log.format does this: logfmt or json"},
    {"redis-only-metrics", "REDIS_EXPORTER_REDIS_ONLY_METRICS", FlagType::kBool,
     "--web.disable-exporter-metrics does this"},
    {"tls-server-min-version", "REDIS_EXPORTER_TLS_SERVER_MIN_VERSION", FlagType::kString,
     "tls_server_config in --web.config.file does this"},
    {"tls-server-cert-file", "REDIS_EXPORTER_TLS_SERVER_CERT_FILE", FlagType::kString,
     "tls_server_config in --web.config.file does this"},
    {"tls-server-key-file", "REDIS_EXPORTER_TLS_SERVER_KEY_FILE", FlagType::kString,
     "tls_server_config in --web.config.file does this"},
    {"tls-server-ca-cert-file", "REDIS_EXPORTER_TLS_SERVER_CA_CERT_FILE", FlagType::kString,
     "tls_server_config in --web.config.file does this"},
};

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
      {.name = "include-modules-metrics",
       .type = FlagType::kBool,
       .env = "REDIS_EXPORTER_INCL_MODULES_METRICS",
       .group = kMetrics,
       .help = "Expose the loaded modules and what they add to INFO."},
      {.name = "export-client-list",
       .type = FlagType::kBool,
       .env = "REDIS_EXPORTER_EXPORT_CLIENT_LIST",
       .group = kMetrics,
       .help = "Expose series for each connection, while there are no more than 2000."},
      {.name = "export-client-port",
       .type = FlagType::kBool,
       .env = "REDIS_EXPORTER_EXPORT_CLIENT_PORT",
       .group = kMetrics,
       .help = "With the client's port as a label."},
      {.name = "check-keys",
       .env = "REDIS_EXPORTER_CHECK_KEYS",
       .group = kKeys,
       .help = "Patterns of keys to expose size and memory of, as in db3=user:*,db0=cart; found by "
               "a walk in the background.",
       .value_name = "LIST"},
      {.name = "check-single-keys",
       .env = "REDIS_EXPORTER_CHECK_SINGLE_KEYS",
       .group = kKeys,
       .help = "Keys to expose size, memory and value of, read in each scrape.",
       .value_name = "LIST"},
      {.name = "check-streams",
       .env = "REDIS_EXPORTER_CHECK_STREAMS",
       .group = kKeys,
       .help = "Patterns of streams to expose, with groups and consumers; found by that walk.",
       .value_name = "LIST"},
      {.name = "check-single-streams",
       .env = "REDIS_EXPORTER_CHECK_SINGLE_STREAMS",
       .group = kKeys,
       .help = "Streams to expose, read in each scrape.",
       .value_name = "LIST"},
      {.name = "streams-exclude-consumer-metrics",
       .type = FlagType::kBool,
       .env = "REDIS_EXPORTER_STREAMS_EXCLUDE_CONSUMER_METRICS",
       .group = kKeys,
       .help = "Leave out the consumers of streams."},
      {.name = "count-keys",
       .env = "REDIS_EXPORTER_COUNT_KEYS",
       .group = kKeys,
       .help = "Patterns of keys to count; by that walk.",
       .value_name = "LIST"},
      {.name = "check-key-groups",
       .env = "REDIS_EXPORTER_CHECK_KEY_GROUPS",
       .group = kKeys,
       .help = "Lua patterns that group all keys by what they capture, with number and memory; by "
               "that walk, never by a script in the server.",
       .value_name = "LIST"},
      {.name = "max-distinct-key-groups",
       .type = FlagType::kInt,
       .default_value = "100",
       .env = "REDIS_EXPORTER_MAX_DISTINCT_KEY_GROUPS",
       .group = kKeys,
       .help = "Groups shown of each database, the biggest; the others are \"overflow\"."},
      {.name = "check-keys-batch-size",
       .type = FlagType::kInt,
       .default_value = "1000",
       .env = "REDIS_EXPORTER_CHECK_KEYS_BATCH_SIZE",
       .group = kKeys,
       .help = "COUNT of each SCAN of the walk."},
      {.name = "scan-interval",
       .type = FlagType::kDuration,
       .default_value = "30s",
       .env = "REDIS_EXPORTER_SCAN_INTERVAL",
       .group = kKeys,
       .help = "From the start of a walk to that of the next. A walk takes at most a twentieth of "
               "the server's time."},
      {.name = "disable-exporting-key-values",
       .type = FlagType::kBool,
       .env = "REDIS_EXPORTER_DISABLE_EXPORTING_KEY_VALUES",
       .group = kKeys,
       .help = "Do not expose what is in short strings."},
      {.name = "skip-checkkeys-for-role-master",
       .type = FlagType::kBool,
       .env = "REDIS_EXPORTER_SKIP_CHECKKEYS_FOR_ROLE_MASTER",
       .group = kKeys,
       .help = "Expose keys and streams of replicas only."},
      {.name = "queues",
       .env = "REDIS_EXPORTER_QUEUES",
       .group = kKeys,
       .help = "Job queues to watch: sidekiq, rq, laravel:KEY, horizon:PREFIX, bullmq:bull:NAME, "
               "celery:NAME, each with dbN= in front if need be.",
       .value_name = "LIST"},
      {.name = "discover-queues",
       .type = FlagType::kBool,
       .env = "REDIS_EXPORTER_DISCOVER_QUEUES",
       .group = kKeys,
       .help = "Find job queues of all those systems by the names of their keys; by that walk."},
      {.name = "is-cluster",
       .type = FlagType::kBool,
       .env = "REDIS_EXPORTER_IS_CLUSTER",
       .group = kTargets,
       .help = "Look for keys on all nodes of the cluster, and serve /discover-cluster-nodes."},
      {.name = "cluster-discover-hostnames",
       .type = FlagType::kBool,
       .env = "REDIS_EXPORTER_CLUSTER_DISCOVER_HOSTNAMES",
       .group = kTargets,
       .help = "Name the nodes by the host names they announce."},
      {.name = "scrape.allow-target",
       .group = kTargets,
       .help = "Pattern of HOST:PORT (or unix:///path) that /scrape may name; any TCP address by "
               "default. Passwords go only to addresses they are bound to, whatever this says.",
       .repeatable = true,
       .value_name = "PATTERN"},
      {.name = "disable-scrape-endpoint",
       .type = FlagType::kBool,
       .env = "REDIS_EXPORTER_DISABLE_SCRAPE_ENDPOINT",
       .group = kTargets,
       .help = "Do not serve /scrape."},
  };
}

std::vector<Flag> AllFlags() {
  std::vector<Flag> flags = Flags();
  for (const RefusedFlag& refused : kRefusedFlags) {
    flags.push_back(
        {.name = refused.name,
         .type = refused.type,
         .env = refused.env,
         .group = kRefused,
         .help = std::string("Refused: ") + refused.why + ".",
         .secret = std::string_view(refused.name).find("pass") != std::string_view::npos,
         .hidden = true});
  }
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

base::Result<void> CheckRefused(const ParsedFlags& flags) {
  for (const RefusedFlag& refused : kRefusedFlags) {
    const bool is_false = refused.type == FlagType::kBool && !flags.Bool(refused.name);
    if (flags.IsSet(refused.name) && !is_false) {
      return BadFlag(std::string("flag --") + refused.name + ": " + refused.why);
    }
  }
  return {};
}

struct SelectorFlag {
  const char* name;
  std::vector<exporters::redis::KeySelector> exporters::redis::KeyOptions::*list;
};

using exporters::redis::KeyOptions;
constexpr SelectorFlag kSelectorFlags[] = {
    {"check-keys", &KeyOptions::patterns},   {"check-single-keys", &KeyOptions::single_keys},
    {"check-streams", &KeyOptions::streams}, {"check-single-streams", &KeyOptions::single_streams},
    {"count-keys", &KeyOptions::counts},
};

base::Result<int64_t> ReadCount(const ParsedFlags& flags, const char* name, int64_t most) {
  const int64_t value = flags.Int(name);
  if (value < 1 || value > most) {
    return BadFlag(std::string("flag --") + name + ": 1 to " + std::to_string(most) +
                   " is expected");
  }
  return value;
}

base::Result<void> ReadKeyOptions(const ParsedFlags& flags, exporters::redis::Options* options) {
  for (const SelectorFlag& flag : kSelectorFlags) {
    auto selectors = exporters::redis::ParseKeySelectors(flags.String(flag.name));
    if (!selectors.ok()) {
      return selectors.error().WithContext(std::string("flag --") + flag.name);
    }
    options->keys.*flag.list = std::move(selectors).value();
  }
  for (const std::string_view group : base::Split(flags.String("check-key-groups"), ',')) {
    if (!base::TrimSpace(group).empty()) {
      options->keys.groups.emplace_back(base::TrimSpace(group));
    }
  }
  ASSIGN_OR_RETURN(const int64_t groups, ReadCount(flags, "max-distinct-key-groups", 10'000));
  ASSIGN_OR_RETURN(const int64_t batch, ReadCount(flags, "check-keys-batch-size", 10'000));
  options->keys.max_groups = static_cast<size_t>(groups);
  options->keys.batch_size = static_cast<size_t>(batch);
  options->keys.stream_consumers = !flags.Bool("streams-exclude-consumer-metrics");
  options->keys.values = !flags.Bool("disable-exporting-key-values");
  options->keys_on_masters = !flags.Bool("skip-checkkeys-for-role-master");
  auto queues = exporters::redis::ParseQueueSelectors(flags.String("queues"));
  if (!queues.ok()) {
    return queues.error().WithContext("flag --queues");
  }
  options->queues = {.named = std::move(queues).value(), .discover = flags.Bool("discover-queues")};
  options->scan_interval = flags.Duration("scan-interval");
  if (options->scan_interval < std::chrono::seconds(1)) {
    return BadFlag("flag --scan-interval: 1s or more is expected");
  }
  return {};
}

base::Result<exporters::redis::Options> ReadOptions(const ParsedFlags& flags) {
  RETURN_IF_ERROR(CheckRefused(flags));
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
  options.include_modules = flags.Bool("include-modules-metrics");
  options.client_list = flags.Bool("export-client-list");
  options.client_port = flags.Bool("export-client-port");
  options.is_cluster = flags.Bool("is-cluster");
  options.collectors = ReadSelection(flags);
  RETURN_IF_ERROR(ReadKeyOptions(flags, &options));
  RETURN_IF_ERROR(exporters::redis::CheckOptions(options));
  return options;
}

base::Result<exporters::ExporterInstance> Make(const ParsedFlags& flags,
                                               const base::Logger& logger) {
  ASSIGN_OR_RETURN(exporters::redis::Options options, ReadOptions(flags));
  if (!flags.Bool("disable-scrape-endpoint")) {
    options.target_errors = std::make_shared<std::atomic<uint64_t>>(0);
  }
  exporters::redis::TargetOptions targets{.base = options,
                                          .allowed = flags.List("scrape.allow-target")};
  std::vector<exporters::Route> routes =
      exporters::redis::MakeTargetRoutes(std::move(targets), !flags.Bool("disable-scrape-endpoint"),
                                         flags.Bool("cluster-discover-hostnames"), logger);
  return exporters::ExporterInstance{
      .exporter = std::make_unique<exporters::redis::RedisExporter>(std::move(options), logger),
      .routes = std::move(routes)};
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
