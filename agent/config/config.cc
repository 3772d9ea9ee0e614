#include "agent/config/config.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <set>
#include <utility>

#include <fmt/format.h>

#include "agent/config/fields.h"
#include "agent/config/http_fields.h"
#include "agent/config/relabel_fields.h"
#include "agent/config/scrape_fields.h"
#include "lib/base/duration.h"
#include "lib/base/file.h"
#include "lib/base/strings.h"

namespace config {

// Found by the rows of kHttpFields.
static scrape::Auth& AuthOf(AlertmanagerConfig& config) { return config.auth; }
static http::ClientOptions& HttpOf(AlertmanagerConfig& config) { return config.http; }

namespace {

using scrape::Limits;
using std::chrono::milliseconds;
using yaml::Into;

constexpr milliseconds kDefaultScrapeInterval{60'000};
constexpr milliseconds kDefaultScrapeTimeout{10'000};
constexpr milliseconds kDefaultEvaluationInterval{60'000};

constexpr yaml::Field<GlobalConfig> kGlobalFields[] = {
    {"scrape_interval", Into<&GlobalConfig::scrape_interval>},
    {"scrape_timeout", Into<&GlobalConfig::scrape_timeout>},
    {"evaluation_interval", Into<&GlobalConfig::evaluation_interval>},
    {"rule_query_offset", Into<&GlobalConfig::rule_query_offset>},
    {"external_labels", Into<&GlobalConfig::external_labels>},
    {"extra_scrape_metrics", Into<&GlobalConfig::extra_scrape_metrics>},
    {"scrape_protocols",
     [](const yaml::Reader& reader, const yaml::Node& node, GlobalConfig& global) {
       return ReadProtocols(reader, node, global.scrape_protocols);
     }},
    {"body_size_limit",
     [](const yaml::Reader& reader, const yaml::Node& node, GlobalConfig& global) {
       return ReadBytes(reader, node, global.limits.body_bytes);
     }},
    {"sample_limit", Into<&GlobalConfig::limits, &Limits::samples>},
    {"target_limit", Into<&GlobalConfig::limits, &Limits::targets>},
    {"label_limit", Into<&GlobalConfig::limits, &Limits::labels>},
    {"label_name_length_limit", Into<&GlobalConfig::limits, &Limits::label_name_bytes>},
    {"label_value_length_limit", Into<&GlobalConfig::limits, &Limits::label_value_bytes>},
    {"keep_dropped_targets", Into<&GlobalConfig::limits, &Limits::keep_dropped_targets>},
    {"scrape_native_histograms", OffOnly<GlobalConfig>},
    {"convert_classic_histograms_to_nhcb", OffOnly<GlobalConfig>},
    {"always_scrape_classic_histograms", EitherWay<GlobalConfig>},
    {"metric_name_validation_scheme"},
    {"metric_name_escaping_scheme"},
    {"query_log_file"},
    {"scrape_failure_log_file"},
};

base::Result<void> ReadApiVersion(const yaml::Reader& reader, const yaml::Node& node,
                                  AlertmanagerConfig& /*config*/) {
  std::string version;
  RETURN_IF_ERROR(reader.Read(node, version));
  return version == "v2" ? base::Result<void>()
                         : base::Result<void>(reader.ErrorAt(node, "api_version must be v2"));
}

constexpr auto kAlertmanagerOnlyFields = std::to_array<yaml::Field<AlertmanagerConfig>>({
    {"scheme", Into<&AlertmanagerConfig::scheme>},
    {"path_prefix", Into<&AlertmanagerConfig::path_prefix>},
    {"timeout", Into<&AlertmanagerConfig::timeout>},
    {"api_version", ReadApiVersion},
    {"static_configs",
     [](const yaml::Reader& reader, const yaml::Node& node, AlertmanagerConfig& config) {
       return ReadStaticConfigs(reader, node, config.static_configs);
     }},
    {"relabel_configs"},
    {"alert_relabel_configs"},
    {"sigv4"},
    {"file_sd_configs"},
    {"http_sd_configs"},
    {"dns_sd_configs"},
    {"kubernetes_sd_configs"},
    {"consul_sd_configs"},
    {"ec2_sd_configs"},
});
constexpr auto kAlertmanagerFields =
    Concat(kAlertmanagerOnlyFields, kHttpFields<AlertmanagerConfig>);

base::Result<void> ReadAlertmanager(const yaml::Reader& reader, const yaml::Node& node,
                                    AlertmanagerConfig& config) {
  config.http.follow_redirects = true;
  RETURN_IF_ERROR(reader.ReadMap<AlertmanagerConfig>(node, kAlertmanagerFields, &config));
  if (config.scheme != "http" && config.scheme != "https") {
    return reader.ErrorAt(node, "scheme must be http or https");
  }
  if (config.timeout.count() == 0) {
    return reader.ErrorAt(node, "timeout must be longer than 0");
  }
  for (const discovery::TargetGroup& group : config.static_configs) {
    for (const std::string& target : group.targets) {
      if (target.empty() || target.find('/') != std::string::npos) {
        return reader.ErrorAt(
            node,
            fmt::format("Alertmanager \"{}\" must be host:port, without scheme or path", target));
      }
    }
  }
  return {};
}

constexpr yaml::Field<Config> kAlertingFields[] = {
    {"alert_relabel_configs",
     [](const yaml::Reader& reader, const yaml::Node& node, Config& config) {
       return ReadRelabelRules(reader, node, config.alert_relabel_configs);
     }},
    {"alertmanagers",
     [](const yaml::Reader& reader, const yaml::Node& node, Config& config) {
       return reader.ReadList(node, &config.alertmanagers, ReadAlertmanager);
     }},
};

base::Result<void> ReadPatterns(const yaml::Reader& reader, const yaml::Node& node,
                                std::vector<std::string>& patterns) {
  RETURN_IF_ERROR(reader.Read(node, patterns));
  for (std::string& pattern : patterns) {
    if (pattern.empty()) {
      return reader.ErrorAt(node, "a file pattern is empty");
    }
    pattern = reader.Resolve(pattern);
  }
  return {};
}

constexpr yaml::Field<Config> kConfigFields[] = {
    {"global",
     [](const yaml::Reader& reader, const yaml::Node& node, Config& config) {
       return reader.ReadMap<GlobalConfig>(node, kGlobalFields, &config.global);
     }},
    {"rule_files", [](const yaml::Reader& reader, const yaml::Node& node,
                      Config& config) { return ReadPatterns(reader, node, config.rule_files); }},
    {"scrape_config_files",
     [](const yaml::Reader& reader, const yaml::Node& node, Config& config) {
       return ReadPatterns(reader, node, config.scrape_config_files);
     }},
    {"scrape_configs",
     [](const yaml::Reader& reader, const yaml::Node& node, Config& config) {
       return ReadScrapeConfigs(reader, node, config.scrape_configs);
     }},
    {"alerting",
     [](const yaml::Reader& reader, const yaml::Node& node, Config& config) {
       return reader.ReadMap<Config>(node, kAlertingFields, &config);
     }},
    {"remote_write"},
    {"remote_read"},
    {"storage"},
    {"tracing"},
    {"otlp"},
    {"runtime"},
};

// The only key of the files that scrape_config_files names.
constexpr yaml::Field<std::vector<ScrapeConfig>> kScrapeFileFields[] = {
    {"scrape_configs", ReadScrapeConfigs},
};

base::Error Invalid(const std::string& file, std::string_view why) {
  return base::Error(fmt::format("{}: {}", file, why), base::ErrorKind::kInvalidArgument);
}

base::Result<void> FinishGlobal(const std::string& file, GlobalConfig* global) {
  const auto or_default = [](milliseconds value, milliseconds fallback) {
    return value.count() == 0 ? fallback : value;
  };
  global->scrape_interval = or_default(global->scrape_interval, kDefaultScrapeInterval);
  global->evaluation_interval = or_default(global->evaluation_interval, kDefaultEvaluationInterval);
  global->scrape_timeout =
      or_default(global->scrape_timeout, std::min(kDefaultScrapeTimeout, global->scrape_interval));
  if (global->scrape_timeout > global->scrape_interval) {
    return Invalid(file, fmt::format("global scrape_timeout {} is longer than scrape_interval {}",
                                     base::FormatDuration(global->scrape_timeout),
                                     base::FormatDuration(global->scrape_interval)));
  }
  return {};
}

// "$NAME" and "${NAME}"; "$$" is a dollar sign. An unset variable is empty, with a warning.
std::string ExpandVariables(std::string_view text, const EnvironmentFunc& environment,
                            std::vector<std::string>* missing) {
  const auto is_word = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
  };
  std::string out;
  for (size_t i = 0; i < text.size();) {
    if (text[i] != '$' || i + 1 == text.size()) {
      out += text[i++];
      continue;
    }
    size_t end = ++i;
    std::string_view name;
    if (text[i] == '$') {
      out += '$';
      ++i;
      continue;
    }
    if (text[i] == '{') {
      end = std::min(text.find('}', i), text.size());
      name = text.substr(i + 1, end - i - 1);
      i = std::min(end + 1, text.size());
    } else {
      while (end < text.size() && is_word(text[end])) {
        ++end;
      }
      name = text.substr(i, end - i);
      i = end;
    }
    if (name.empty()) {
      out += '$';
      continue;
    }
    const auto value = environment(std::string(name));
    if (!value) {
      missing->emplace_back(name);
    }
    out += value.value_or("");
  }
  return out;
}

void ExpandExternalLabels(const std::string& file, const EnvironmentFunc& environment,
                          Config* config) {
  model::LabelsBuilder expanded;
  for (const model::Label label : config->global.external_labels) {
    std::vector<std::string> missing;
    expanded.Set(label.name, ExpandVariables(label.value, environment, &missing));
    for (const std::string& name : missing) {
      config->warnings.push_back(
          fmt::format("{}: external_labels: {}: the environment variable {} is empty or not set",
                      file, label.name, name));
    }
  }
  config->global.external_labels = expanded.Build();
}

base::Result<void> FinishJobs(const std::string& file, Config* config) {
  std::set<std::string, std::less<>> names;
  for (ScrapeConfig& scrape_config : config->scrape_configs) {
    RETURN_IF_ERROR(ApplyDefaults(config->global, file, &scrape_config));
    if (!names.insert(scrape_config.job.name).second) {
      return Invalid(file, fmt::format("job_name \"{}\" is given to two scrape configs",
                                       scrape_config.job.name));
    }
  }
  return {};
}

base::Result<Config> ParseUnfinished(std::string_view text, const std::string& file) {
  ASSIGN_OR_RETURN(const yaml::Node root, yaml::Parse(text, file));
  Config config;
  RETURN_IF_ERROR(yaml::Reader(file).ReadMap<Config>(root, kConfigFields, &config));
  return config;
}

base::Result<Config> Finish(Config config, const std::string& file,
                            const EnvironmentFunc& environment) {
  RETURN_IF_ERROR(FinishGlobal(file, &config.global));
  ExpandExternalLabels(file, environment, &config);
  RETURN_IF_ERROR(FinishJobs(file, &config));
  return config;
}

base::Result<void> LoadScrapeConfigFiles(Config* config) {
  for (const std::string& pattern : config->scrape_config_files) {
    for (const std::string& path : base::Glob(pattern)) {
      ASSIGN_OR_RETURN(const std::string text, base::ReadFile(path));
      ASSIGN_OR_RETURN(const yaml::Node root, yaml::Parse(text, path));
      RETURN_IF_ERROR(yaml::Reader(path).ReadMap<std::vector<ScrapeConfig>>(
          root, kScrapeFileFields, &config->scrape_configs));
    }
  }
  return {};
}

struct ByteUnit {
  std::string_view name;
  double bytes;
};
constexpr double kKilo = 1024;
constexpr ByteUnit kByteUnits[] = {
    {"B", 1},
    {"KB", kKilo},
    {"KiB", kKilo},
    {"MB", kKilo* kKilo},
    {"MiB", kKilo* kKilo},
    {"GB", kKilo* kKilo* kKilo},
    {"GiB", kKilo* kKilo* kKilo},
    {"TB", kKilo* kKilo* kKilo* kKilo},
    {"TiB", kKilo* kKilo* kKilo* kKilo},
};

}  // namespace

std::optional<uint64_t> ParseBytes(std::string_view text) {
  if (text == "0") {
    return 0;
  }
  const size_t unit_at = std::min(text.find_first_not_of("0123456789."), text.size());
  const auto number = base::ParseDouble(text.substr(0, unit_at));
  const std::string_view unit = text.substr(unit_at);
  const ByteUnit* known = std::find_if(std::begin(kByteUnits), std::end(kByteUnits),
                                       [unit](const ByteUnit& row) { return row.name == unit; });
  if (!number || known == std::end(kByteUnits) || *number * known->bytes > 1e18) {
    return std::nullopt;
  }
  return static_cast<uint64_t>(std::llround(*number * known->bytes));
}

base::Result<void> ReadBytes(const yaml::Reader& reader, const yaml::Node& node, uint64_t& target) {
  std::string text;
  RETURN_IF_ERROR(reader.Read(node, text));
  const std::optional<uint64_t> bytes = ParseBytes(text);
  if (!bytes) {
    return reader.ErrorAt(node, fmt::format("a size such as 10MB is expected, not \"{}\"", text));
  }
  target = *bytes;
  return {};
}

base::Result<Config> Parse(std::string_view text, const std::string& file,
                           const EnvironmentFunc& environment) {
  ASSIGN_OR_RETURN(Config config, ParseUnfinished(text, file));
  return Finish(std::move(config), file, environment);
}

base::Result<Config> Load(const std::string& file) {
  ASSIGN_OR_RETURN(const std::string text, base::ReadFile(file));
  ASSIGN_OR_RETURN(Config config, ParseUnfinished(text, file));
  RETURN_IF_ERROR(LoadScrapeConfigFiles(&config));
  return Finish(std::move(config), file,
                [](const std::string& name) { return base::GetEnv(name.c_str()); });
}

}  // namespace config
