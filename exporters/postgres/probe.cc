#include "exporters/postgres/probe.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "exporters/postgres/exporter.h"
#include "exporters/toolkit/metrics_page.h"
#include "lib/base/file.h"
#include "lib/base/strings.h"
#include "lib/yaml/reader.h"

namespace exporters::postgres {
namespace {

// What a request may say about a connection: nothing that names a file of this machine.
constexpr std::string_view kTargetKeywords[] = {
    "application_name",
    "connect_timeout",
    "dbname",
    "gssencmode",
    "host",
    "hostaddr",
    "password",
    "port",
    "sslmode",
    "sslsni",
    "user",
    "channel_binding",
    "options",
    "target_session_attrs",
};

// Collectors that tell nothing from one look.
constexpr std::string_view kNeedMemory[] = {"all_databases", "wait_events", "wal_clock"};

base::Error BadRequest(std::string message) {
  return base::Error(std::move(message), base::ErrorKind::kInvalidArgument);
}

base::Result<void> ReadOptions(const yaml::Reader& reader, const yaml::Node& node,
                               AuthModule& module) {
  RETURN_IF_ERROR(reader.Expect(node, yaml::Node::Kind::kMap));
  for (const auto& [key, value] : node.members) {
    RETURN_IF_ERROR(reader.Read(value, module.options[key]));
  }
  return {};
}

constexpr yaml::Field<AuthModule> kUserpassFields[] = {
    {"username", yaml::Into<&AuthModule::username>},
    {"password", yaml::Into<&AuthModule::password>},
};

constexpr yaml::Field<AuthModule> kAuthModuleFields[] = {
    {"type", yaml::Into<&AuthModule::type>},
    {"userpass",
     [](const yaml::Reader& reader, const yaml::Node& node, AuthModule& module) {
       return reader.ReadMap<AuthModule>(node, kUserpassFields, &module);
     }},
    {"options", ReadOptions},
};

base::Result<void> ReadAuthModules(const yaml::Reader& reader, const yaml::Node& node,
                                   ProbeConfig& config) {
  RETURN_IF_ERROR(reader.Expect(node, yaml::Node::Kind::kMap));
  for (const auto& [name, value] : node.members) {
    AuthModule& module = config.auth_modules[name];
    RETURN_IF_ERROR(reader.ReadMap<AuthModule>(value, kAuthModuleFields, &module));
    if (module.type != "userpass") {
      return reader.ErrorAt(value, fmt::format("auth_modules.{}: type must be userpass, not \"{}\"",
                                               name, module.type));
    }
  }
  return {};
}

constexpr yaml::Field<ProbeConfig> kConfigFields[] = {{"auth_modules", ReadAuthModules}};

base::Result<pq::Conninfo> ParseTarget(std::string_view target) {
  // "host=db1 user=me" has a '=' before anything that a host:port/database?a=b has.
  const size_t equals = target.find('=');
  const bool has_scheme = target.find("://") != std::string_view::npos;
  const bool is_pairs = equals < target.find_first_of(":/?");
  const std::string prefix = has_scheme || is_pairs ? "" : "postgresql://";
  return pq::Conninfo::Parse(base::Secret(prefix + std::string(target)));
}

// Counts itself among the probes that run, while it lives.
class ProbeSlot {
 public:
  explicit ProbeSlot(std::shared_ptr<std::atomic<size_t>> running)
      : running_(std::move(running)), before_(running_->fetch_add(1)) {}
  ~ProbeSlot() { running_->fetch_sub(1); }
  ProbeSlot(const ProbeSlot&) = delete;
  ProbeSlot& operator=(const ProbeSlot&) = delete;

  bool granted() const { return before_ < kMaxProbes; }

 private:
  const std::shared_ptr<std::atomic<size_t>> running_;
  const size_t before_;
};

base::Result<std::vector<model::MetricFamily>> Probe(const http::Request& request,
                                                     PostgresOptions options,
                                                     const ProbeConfig& config,
                                                     const base::Logger& logger) {
  const std::string_view target = request.Query("target").value_or("");
  if (target.empty()) {
    return BadRequest("the parameter target is missing: /probe?target=HOST:PORT/DATABASE");
  }
  ASSIGN_OR_RETURN(options.conninfo,
                   ProbeConninfo(config, target, request.Query("auth_module").value_or("")));
  ASSIGN_OR_RETURN(const std::unique_ptr<PostgresExporter> exporter,
                   PostgresExporter::Make(std::move(options), logger));
  return exporter->Collect(ParseScrapeRequest(request, std::chrono::steady_clock::now()));
}

}  // namespace

base::Result<ProbeConfig> ParseProbeConfig(std::string_view text, const std::string& file) {
  ASSIGN_OR_RETURN(const yaml::Node root, yaml::Parse(text, file));
  ProbeConfig config;
  RETURN_IF_ERROR(yaml::Reader(file).ReadMap<ProbeConfig>(root, kConfigFields, &config));
  return config;
}

base::Result<pq::Conninfo> ProbeConninfo(const ProbeConfig& config, std::string_view target,
                                         std::string_view auth_module) {
  base::Result<pq::Conninfo> conninfo = ParseTarget(target);
  if (!conninfo.ok()) {
    return conninfo.error().WithContext("target");
  }
  for (const auto& [keyword, value] : conninfo->keywords()) {
    if (std::find(std::begin(kTargetKeywords), std::end(kTargetKeywords), keyword) ==
        std::end(kTargetKeywords)) {
      return BadRequest(
          fmt::format("target: the parameter {} may not come from a request", keyword));
    }
  }
  if (!auth_module.empty()) {
    const auto module = config.auth_modules.find(auth_module);
    if (module == config.auth_modules.end()) {
      return BadRequest(fmt::format("auth_module \"{}\" is not in the configuration file",
                                    base::ToValidUtf8(auth_module)));
    }
    conninfo->Set("user", base::Secret(module->second.username));
    conninfo->Set("password", module->second.password);
    for (const auto& [keyword, value] : module->second.options) {
      conninfo->Set(keyword, base::Secret(value));
    }
  }
  if (!conninfo->Has("password")) {
    // Else PGPASSWORD, meant for another server, would go to whoever the request names.
    conninfo->Set("password", base::Secret());
  }
  return conninfo;
}

std::shared_ptr<const ProbeConfig> ProbeConfigFile::Now() {
  base::Result<std::string> text =
      path_.empty() ? base::Result<std::string>(std::string()) : base::ReadFile(path_);
  const base::MutexLock lock(mutex_);
  if (!text.ok() || *text == text_) {
    return config_;
  }
  text_ = *std::move(text);
  base::Result<ProbeConfig> config = ParseProbeConfig(text_, path_);
  if (config.ok()) {
    config_ = std::make_shared<const ProbeConfig>(*std::move(config));
  } else {
    logger_.Warn("the configuration is broken and the one before it stays",
                 {{"err", config.error().message()}});
  }
  return config_;
}

Route MakeProbeRoute(PostgresOptions options, std::shared_ptr<ProbeConfigFile> config,
                     const base::Logger& logger) {
  for (const std::string_view name : kNeedMemory) {
    options.selection.named[std::string(name)] = false;
  }
  const auto running = std::make_shared<std::atomic<size_t>>(0);
  return {.path = "/probe",
          .description =
              "Metrics of the server that ?target=HOST:PORT/DATABASE names, with the "
              "credentials of &auth_module=NAME.",
          .handler = [running, options = std::move(options), config = std::move(config),
                      &logger](const http::Request& request) {
            const ProbeSlot slot(running);
            if (!slot.granted()) {
              return ErrorResponse(
                  base::Error("too many probes run", base::ErrorKind::kResourceExhausted));
            }
            const auto families = Probe(request, options, *config->Now(), logger);
            return families.ok() ? MetricsResponse(request, *families)
                                 : ErrorResponse(families.error());
          }};
}

}  // namespace exporters::postgres
