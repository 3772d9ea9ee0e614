// Rule files: whatever is in one, groups or errors that name the file; never both.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "agent/rules/rule_file.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const rules::RuleFile file = rules::ParseRuleFile(text, "f.yml", [](std::string_view expression) {
    return base::Result<rules::Expression>(
        rules::Expression{.text = std::string(expression), .query = nullptr});
  });
  if (!file.errors.empty() && !file.groups.empty()) {
    std::abort();
  }
  for (const base::Error& error : file.errors) {
    if (!error.message().starts_with("f.yml:")) {
      std::abort();
    }
  }
  for (const rules::GroupSpec& group : file.groups) {
    for (const rules::RuleSpec& rule : group.rules) {
      if (rule.name.empty() || rule.expression.empty()) {
        std::abort();
      }
    }
  }
  return 0;
}
