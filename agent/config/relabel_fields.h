// relabel_configs, metric_relabel_configs and alert_relabel_configs.
#pragma once

#include <vector>

#include "agent/relabel/relabel.h"
#include "lib/yaml/reader.h"

namespace config {

base::Result<void> ReadRelabelRules(const yaml::Reader& reader, const yaml::Node& node,
                                    std::vector<relabel::Rule>& rules);

}  // namespace config
