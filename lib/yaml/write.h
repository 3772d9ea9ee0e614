// Nodes to YAML text.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "lib/yaml/yaml.h"

namespace yaml {

// Block style, two spaces a level, strings quoted where they must be. The values of `secret_keys`
// are replaced by <secret>, and user and password are taken out of every URL.
std::string Write(const Node& node, std::span<const std::string_view> secret_keys);

}  // namespace yaml
