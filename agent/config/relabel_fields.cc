#include "agent/config/relabel_fields.h"

#include <string>

namespace config {
namespace {

base::Result<void> ReadAction(const yaml::Reader& reader, const yaml::Node& node,
                              relabel::RuleSpec& spec) {
  std::string name;
  RETURN_IF_ERROR(reader.Read(node, name));
  const auto action = relabel::ParseAction(name);
  if (!action.ok()) {
    return reader.ErrorAt(node, action.error());
  }
  spec.action = *action;
  return {};
}

constexpr yaml::Field<relabel::RuleSpec> kRuleFields[] = {
    {"source_labels", yaml::Into<&relabel::RuleSpec::source_labels>},
    {"separator", yaml::Into<&relabel::RuleSpec::separator>},
    {"regex", yaml::Into<&relabel::RuleSpec::regex>},
    {"modulus", yaml::Into<&relabel::RuleSpec::modulus>},
    {"target_label", yaml::Into<&relabel::RuleSpec::target_label>},
    {"replacement", yaml::Into<&relabel::RuleSpec::replacement>},
    {"action", ReadAction},
};

}  // namespace

base::Result<void> ReadRelabelRules(const yaml::Reader& reader, const yaml::Node& node,
                                    std::vector<relabel::Rule>& rules) {
  RETURN_IF_ERROR(reader.Expect(node, yaml::Node::Kind::kSequence));
  for (const yaml::Node& item : node.items) {
    if (item.is_null()) {
      return reader.ErrorAt(item, "empty relabel rule");
    }
    relabel::RuleSpec spec;
    RETURN_IF_ERROR(reader.ReadMap<relabel::RuleSpec>(item, kRuleFields, &spec));
    auto rule = relabel::Rule::Make(std::move(spec));
    if (!rule.ok()) {
      return reader.ErrorAt(item, rule.error());
    }
    rules.push_back(*std::move(rule));
  }
  return {};
}

}  // namespace config
