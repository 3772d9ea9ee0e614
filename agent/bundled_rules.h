// The rule files of alerts/, built into the binary.
#pragma once

#include <span>
#include <string_view>

namespace agent {

struct BundledRuleFile {
  std::string_view name;  // "postgresql.yml"
  std::string_view text;
};

std::span<const BundledRuleFile> BundledRuleFiles();

}  // namespace agent
