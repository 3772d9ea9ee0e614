// prometheus.yml as plain structs. What Prometheus knows and this agent does not do yet is refused
// by name, with file and line; nothing is skipped.
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agent/discovery/file_sd.h"
#include "agent/discovery/target_group.h"
#include "agent/relabel/relabel.h"
#include "agent/scrape/job.h"
#include "lib/base/result.h"
#include "lib/model/labels.h"

namespace config {

struct GlobalConfig {
  std::chrono::milliseconds scrape_interval{0};
  std::chrono::milliseconds scrape_timeout{0};
  std::chrono::milliseconds evaluation_interval{0};
  std::chrono::milliseconds rule_query_offset{0};
  model::Labels external_labels;
  bool extra_scrape_metrics = false;
  std::vector<scrape::Protocol> scrape_protocols = scrape::JobOptions().protocols;
  scrape::Limits limits;
};

struct ScrapeConfig {
  scrape::JobOptions job;  // The global defaults are filled in.
  std::vector<discovery::TargetGroup> static_configs;
  std::vector<discovery::FileSdOptions> file_sd_configs;
};

struct AlertmanagerConfig {
  std::string scheme = "http";
  std::string path_prefix;
  std::chrono::milliseconds timeout{10'000};
  scrape::Auth auth;
  http::ClientOptions http;
  std::vector<discovery::TargetGroup> static_configs;
};

struct Config {
  GlobalConfig global;
  std::vector<std::string> rule_files;           // Absolute patterns.
  std::vector<std::string> scrape_config_files;  // Likewise; Load has read them already.
  std::vector<ScrapeConfig> scrape_configs;
  std::vector<relabel::Rule> alert_relabel_configs;
  std::vector<AlertmanagerConfig> alertmanagers;
  std::vector<std::string> warnings;  // "FILE:LINE: what", for the log.
};

// How ${VARIABLES} of external_labels are found; base::GetEnv in production.
using EnvironmentFunc = std::function<std::optional<std::string>(const std::string& name)>;

// Pure, but for `environment`; scrape_config_files are not read. Errors: kInvalidArgument
// "FILE:LINE: why".
base::Result<Config> Parse(std::string_view text, const std::string& file,
                           const EnvironmentFunc& environment);

// Reads the file and the scrape_config_files it names.
// "512", "10MB", "1.5GiB": both spellings of a unit are powers of 1024, as in Prometheus.
std::optional<uint64_t> ParseBytes(std::string_view text);

base::Result<Config> Load(const std::string& file);

}  // namespace config
