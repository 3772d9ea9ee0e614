#include "agent/config/scrape_fields.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "agent/config/fields.h"
#include "agent/config/http_fields.h"
#include "agent/config/relabel_fields.h"
#include "lib/base/duration.h"
#include "lib/base/strings.h"

namespace config {

// Found by the rows of kHttpFields.
static scrape::Auth& AuthOf(ScrapeConfig& config) { return config.job.auth; }
static http::ClientOptions& HttpOf(ScrapeConfig& config) { return config.job.http; }

namespace {

using scrape::JobOptions;
using scrape::Limits;
using scrape::Protocol;
using yaml::Into;

base::Result<void> ReadParams(const yaml::Reader& reader, const yaml::Node& node,
                              ScrapeConfig& config) {
  RETURN_IF_ERROR(reader.Expect(node, yaml::Node::Kind::kMap));
  for (const auto& [name, value] : node.members) {
    std::vector<std::string> values;
    RETURN_IF_ERROR(reader.Read(value, values));
    config.job.params.emplace_back(name, std::move(values));
  }
  return {};
}

base::Result<void> ReadScheme(const yaml::Reader& reader, const yaml::Node& node,
                              ScrapeConfig& config) {
  RETURN_IF_ERROR(reader.Read(node, config.job.scheme));
  if (config.job.scheme != "http" && config.job.scheme != "https") {
    return reader.ErrorAt(
        node, fmt::format("scheme must be http or https, not \"{}\"", config.job.scheme));
  }
  return {};
}

struct ProtocolName {
  std::string_view name;
  Protocol protocol;
};
constexpr ProtocolName kProtocols[] = {
    {"OpenMetricsText1.0.0", Protocol::kOpenMetrics1},
    {"OpenMetricsText0.0.1", Protocol::kOpenMetrics0},
    {"PrometheusText1.0.0", Protocol::kText1},
    {"PrometheusText0.0.4", Protocol::kText0},
};

base::Result<void> ReadProtocol(const yaml::Reader& reader, const yaml::Node& node,
                                Protocol& protocol) {
  std::string name;
  RETURN_IF_ERROR(reader.Read(node, name));
  std::vector<std::string> known;
  for (const ProtocolName& candidate : kProtocols) {
    if (candidate.name == name) {
      protocol = candidate.protocol;
      return {};
    }
    known.emplace_back(candidate.name);
  }
  if (name == "PrometheusProto") {
    return reader.ErrorAt(node, "scrape protocol \"PrometheusProto\" is not supported yet");
  }
  return reader.ErrorAt(node, fmt::format("unknown scrape protocol \"{}\"; known are {}", name,
                                          base::Join(known, ", ")));
}

base::Result<void> ReadFallback(const yaml::Reader& reader, const yaml::Node& node,
                                ScrapeConfig& config) {
  Protocol protocol{};
  RETURN_IF_ERROR(ReadProtocol(reader, node, protocol));
  const bool text = protocol == Protocol::kText0 || protocol == Protocol::kText1;
  config.job.fallback_format = text ? exposition::Format::kText : exposition::Format::kOpenMetrics;
  return {};
}

base::Result<void> ReadNameValidation(const yaml::Reader& reader, const yaml::Node& node,
                                      ScrapeConfig& /*config*/) {
  std::string scheme;
  RETURN_IF_ERROR(reader.Read(node, scheme));
  if (scheme != "utf8") {
    return reader.ErrorAt(node, fmt::format("\"{}\" is not supported yet; \"utf8\" is", scheme));
  }
  return {};
}

base::Result<void> ReadNameEscaping(const yaml::Reader& reader, const yaml::Node& node,
                                    ScrapeConfig& /*config*/) {
  std::string scheme;
  RETURN_IF_ERROR(reader.Read(node, scheme));
  if (scheme != "allow-utf-8") {
    return reader.ErrorAt(node,
                          fmt::format("\"{}\" is not supported yet; \"allow-utf-8\" is", scheme));
  }
  return {};
}

constexpr yaml::Field<discovery::TargetGroup> kGroupFields[] = {
    {"targets", Into<&discovery::TargetGroup::targets>},
    {"labels", Into<&discovery::TargetGroup::labels>},
};

base::Result<void> ReadFilePatterns(const yaml::Reader& reader, const yaml::Node& node,
                                    discovery::FileSdOptions& options) {
  RETURN_IF_ERROR(reader.Read(node, options.patterns));
  for (std::string& pattern : options.patterns) {
    if (const auto checked = discovery::CheckFileSdPattern(pattern); !checked.ok()) {
      return reader.ErrorAt(node, checked.error());
    }
    pattern = reader.Resolve(pattern);
  }
  return {};
}

constexpr yaml::Field<discovery::FileSdOptions> kFileSdFields[] = {
    {"files", ReadFilePatterns},
    {"refresh_interval", Into<&discovery::FileSdOptions::refresh_interval>},
};

base::Result<void> ReadFileSdConfigs(const yaml::Reader& reader, const yaml::Node& node,
                                     ScrapeConfig& config) {
  return reader.ReadList(
      node, &config.file_sd_configs,
      [](const yaml::Reader& r, const yaml::Node& item,
         discovery::FileSdOptions& options) -> base::Result<void> {
        RETURN_IF_ERROR(r.ReadMap<discovery::FileSdOptions>(item, kFileSdFields, &options));
        if (options.patterns.empty()) {
          return r.ErrorAt(item, "file_sd_configs needs at least one file");
        }
        if (options.refresh_interval.count() == 0) {
          return r.ErrorAt(item, "refresh_interval must be longer than 0");
        }
        return {};
      });
}

constexpr auto kScrapeOnlyFields = std::to_array<yaml::Field<ScrapeConfig>>({
    {"job_name", Into<&ScrapeConfig::job, &JobOptions::name>},
    {"scrape_interval", Into<&ScrapeConfig::job, &JobOptions::interval>},
    {"scrape_timeout", Into<&ScrapeConfig::job, &JobOptions::timeout>},
    {"honor_labels", Into<&ScrapeConfig::job, &JobOptions::honor_labels>},
    {"honor_timestamps", Into<&ScrapeConfig::job, &JobOptions::honor_timestamps>},
    {"track_timestamps_staleness",
     Into<&ScrapeConfig::job, &JobOptions::track_timestamps_staleness>},
    {"enable_compression", Into<&ScrapeConfig::job, &JobOptions::enable_compression>},
    {"extra_scrape_metrics", Into<&ScrapeConfig::job, &JobOptions::extra_metrics>},
    {"metrics_path", Into<&ScrapeConfig::job, &JobOptions::metrics_path>},
    {"scheme", ReadScheme},
    {"params", ReadParams},
    {"scrape_protocols",
     [](const yaml::Reader& reader, const yaml::Node& node, ScrapeConfig& config) {
       return ReadProtocols(reader, node, config.job.protocols);
     }},
    {"fallback_scrape_protocol", ReadFallback},
    {"body_size_limit",
     [](const yaml::Reader& reader, const yaml::Node& node, ScrapeConfig& config) {
       return ReadBytes(reader, node, config.job.limits.body_bytes);
     }},
    {"sample_limit", Into<&ScrapeConfig::job, &JobOptions::limits, &Limits::samples>},
    {"target_limit", Into<&ScrapeConfig::job, &JobOptions::limits, &Limits::targets>},
    {"label_limit", Into<&ScrapeConfig::job, &JobOptions::limits, &Limits::labels>},
    {"label_name_length_limit",
     Into<&ScrapeConfig::job, &JobOptions::limits, &Limits::label_name_bytes>},
    {"label_value_length_limit",
     Into<&ScrapeConfig::job, &JobOptions::limits, &Limits::label_value_bytes>},
    {"keep_dropped_targets",
     Into<&ScrapeConfig::job, &JobOptions::limits, &Limits::keep_dropped_targets>},
    {"relabel_configs",
     [](const yaml::Reader& reader, const yaml::Node& node, ScrapeConfig& config) {
       return ReadRelabelRules(reader, node, config.job.relabel_rules);
     }},
    {"metric_relabel_configs",
     [](const yaml::Reader& reader, const yaml::Node& node, ScrapeConfig& config) {
       return ReadRelabelRules(reader, node, config.job.metric_relabel_rules);
     }},
    {"static_configs",
     [](const yaml::Reader& reader, const yaml::Node& node, ScrapeConfig& config) {
       return ReadStaticConfigs(reader, node, config.static_configs);
     }},
    {"file_sd_configs", ReadFileSdConfigs},
    {"metric_name_validation_scheme", ReadNameValidation},
    {"metric_name_escaping_scheme", ReadNameEscaping},
    {"scrape_native_histograms", OffOnly<ScrapeConfig>},
    {"convert_classic_histograms_to_nhcb", OffOnly<ScrapeConfig>},
    // Classic histograms are what this agent stores, asked or not.
    {"scrape_classic_histograms", EitherWay<ScrapeConfig>},
    {"always_scrape_classic_histograms", EitherWay<ScrapeConfig>},
    {"native_histogram_bucket_limit"},
    {"native_histogram_min_bucket_factor"},
    {"scrape_failure_log_file"},
    {"aws_sd_configs"},
    {"azure_sd_configs"},
    {"consul_sd_configs"},
    {"digitalocean_sd_configs"},
    {"dns_sd_configs"},
    {"docker_sd_configs"},
    {"dockerswarm_sd_configs"},
    {"ec2_sd_configs"},
    {"ecs_sd_configs"},
    {"elasticache_sd_configs"},
    {"eureka_sd_configs"},
    {"gce_sd_configs"},
    {"hetzner_sd_configs"},
    {"http_sd_configs"},
    {"ionos_sd_configs"},
    {"kubernetes_sd_configs"},
    {"kuma_sd_configs"},
    {"lightsail_sd_configs"},
    {"linode_sd_configs"},
    {"marathon_sd_configs"},
    {"msk_sd_configs"},
    {"nerve_sd_configs"},
    {"nomad_sd_configs"},
    {"openstack_sd_configs"},
    {"outscale_sd_configs"},
    {"ovhcloud_sd_configs"},
    {"puppetdb_sd_configs"},
    {"rds_sd_configs"},
    {"scaleway_sd_configs"},
    {"serverset_sd_configs"},
    {"stackit_sd_configs"},
    {"triton_sd_configs"},
    {"uyuni_sd_configs"},
    {"vultr_sd_configs"},
});
constexpr auto kScrapeFields = Concat(kScrapeOnlyFields, kHttpFields<ScrapeConfig>);

// Without relabelling, what is written is what is dialled.
base::Result<void> CheckAddresses(const yaml::Reader& reader, const yaml::Node& node,
                                  const ScrapeConfig& config) {
  for (const discovery::TargetGroup& group : config.static_configs) {
    for (const std::string& target : group.targets) {
      if (config.job.relabel_rules.empty() && target.find('/') != std::string::npos) {
        return reader.ErrorAt(
            node, fmt::format("job \"{}\": target \"{}\" must be host:port, without scheme or path",
                              config.job.name, target));
      }
    }
  }
  return {};
}

base::Result<void> ReadScrapeConfig(const yaml::Reader& reader, const yaml::Node& node,
                                    ScrapeConfig& config) {
  if (node.is_null()) {
    return reader.ErrorAt(node, "empty scrape config");
  }
  config.job.http.follow_redirects = true;
  RETURN_IF_ERROR(reader.ReadMap<ScrapeConfig>(node, kScrapeFields, &config));
  if (config.job.name.empty()) {
    return reader.ErrorAt(node, "job_name is missing");
  }
  return CheckAddresses(reader, node, config);
}

void Inherit(uint64_t inherited, uint64_t* value) {
  if (*value == 0) {
    *value = inherited;
  }
}

void InheritLimits(const Limits& global, Limits* limits) {
  Inherit(global.body_bytes, &limits->body_bytes);
  Inherit(global.samples, &limits->samples);
  Inherit(global.targets, &limits->targets);
  Inherit(global.labels, &limits->labels);
  Inherit(global.label_name_bytes, &limits->label_name_bytes);
  Inherit(global.label_value_bytes, &limits->label_value_bytes);
  Inherit(global.keep_dropped_targets, &limits->keep_dropped_targets);
}

}  // namespace

base::Result<void> ReadScrapeConfigs(const yaml::Reader& reader, const yaml::Node& node,
                                     std::vector<ScrapeConfig>& configs) {
  return reader.ReadList(node, &configs, ReadScrapeConfig);
}

base::Result<void> ReadStaticConfigs(const yaml::Reader& reader, const yaml::Node& node,
                                     std::vector<discovery::TargetGroup>& groups) {
  return reader.ReadList(
      node, &groups,
      [](const yaml::Reader& r, const yaml::Node& item, discovery::TargetGroup& group) {
        return r.ReadMap<discovery::TargetGroup>(item, kGroupFields, &group);
      });
}

base::Result<void> ReadProtocols(const yaml::Reader& reader, const yaml::Node& node,
                                 std::vector<Protocol>& protocols) {
  protocols.clear();
  RETURN_IF_ERROR(reader.ReadList(node, &protocols, ReadProtocol));
  for (auto at = protocols.begin(); at != protocols.end(); ++at) {
    if (std::find(protocols.begin(), at, *at) != at) {
      return reader.ErrorAt(node, "a scrape protocol is listed twice");
    }
  }
  if (protocols.empty()) {
    return reader.ErrorAt(node, "at least one scrape protocol is needed");
  }
  return {};
}

base::Result<void> ApplyDefaults(const GlobalConfig& global, const std::string& file,
                                 ScrapeConfig* config) {
  JobOptions& job = config->job;
  if (job.interval.count() == 0) {
    job.interval = global.scrape_interval;
  }
  if (job.timeout > job.interval) {
    return base::Error(
        fmt::format("{}: job \"{}\": scrape_timeout {} is longer than scrape_interval {}", file,
                    job.name, base::FormatDuration(job.timeout),
                    base::FormatDuration(job.interval)),
        base::ErrorKind::kInvalidArgument);
  }
  if (job.timeout.count() == 0) {
    job.timeout = std::min(global.scrape_timeout, job.interval);
  }
  job.extra_metrics = job.extra_metrics || global.extra_scrape_metrics;
  if (job.protocols == JobOptions().protocols) {
    job.protocols = global.scrape_protocols;
  }
  InheritLimits(global.limits, &job.limits);
  return {};
}

}  // namespace config
