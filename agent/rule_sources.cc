#include "agent/rule_sources.h"

#include <utility>

#include "agent/bundled_rules.h"

namespace agent {

rules::ParseFunc MakeParseFunc(const promql::Engine& engine, const storage::Queryable* store) {
  return [&engine, store](std::string_view text) -> base::Result<rules::Expression> {
    ASSIGN_OR_RETURN(const promql::Query query, engine.Parse(text));
    rules::Expression expression{.text = query.ToString(), .query = nullptr};
    if (store != nullptr) {
      expression.query = [&engine, store, query](int64_t at_ms) {
        return engine.Instant(query, *store, at_ms);
      };
    }
    return expression;
  };
}

base::Result<std::vector<rules::GroupSpec>> LoadRules(std::span<const std::string> patterns,
                                                      bool bundled, const rules::ParseFunc& parse) {
  ASSIGN_OR_RETURN(std::vector<rules::GroupSpec> groups, rules::LoadRuleFiles(patterns, parse));
  if (!bundled) {
    return groups;
  }
  for (const BundledRuleFile& file : BundledRuleFiles()) {
    rules::RuleFile parsed =
        rules::ParseRuleFile(file.text, "bundled/" + std::string(file.name), parse);
    if (!parsed.errors.empty()) {
      return base::Error(parsed.errors.front().message(), base::ErrorKind::kInvalidArgument);
    }
    for (rules::GroupSpec& group : parsed.groups) {
      groups.push_back(std::move(group));
    }
  }
  return groups;
}

}  // namespace agent
