// scrape_configs.
#pragma once

#include <string>
#include <vector>

#include "agent/config/config.h"
#include "lib/yaml/reader.h"

namespace config {

base::Result<void> ReadScrapeConfigs(const yaml::Reader& reader, const yaml::Node& node,
                                     std::vector<ScrapeConfig>& configs);

base::Result<void> ReadStaticConfigs(const yaml::Reader& reader, const yaml::Node& node,
                                     std::vector<discovery::TargetGroup>& groups);

base::Result<void> ReadProtocols(const yaml::Reader& reader, const yaml::Node& node,
                                 std::vector<scrape::Protocol>& protocols);

// What a job does not say comes from `global`. Errors: kInvalidArgument naming the job.
base::Result<void> ApplyDefaults(const GlobalConfig& global, const std::string& file,
                                 ScrapeConfig* config);

}  // namespace config
