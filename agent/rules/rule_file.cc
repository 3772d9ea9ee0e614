#include "agent/rules/rule_file.h"

#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "agent/rules/missing_data.h"
#include "agent/template/template.h"
#include "lib/base/file.h"
#include "lib/base/strings.h"
#include "lib/model/labels.h"
#include "lib/yaml/reader.h"
#include "lib/yaml/yaml.h"

namespace rules {
namespace {

using yaml::Node;
using yaml::Reader;

// A rule as written, with the nodes that errors point to.
struct RawRule {
  const Node* node = nullptr;
  std::string record;
  std::string alert;
  std::string expression;
  const Node* expression_node = nullptr;
  const Node* hold_node = nullptr;
  const Node* keep_firing_for_node = nullptr;
  const Node* annotations_node = nullptr;
  RuleSpec spec;
};

struct RawGroup {
  GroupSpec spec;
  TextPairs labels;
  std::vector<const Node*> rules;
};

struct RawFile {
  std::vector<const Node*> groups;
};

base::Result<void> ReadPairs(const Reader& reader, const Node& node, TextPairs& target) {
  RETURN_IF_ERROR(reader.Expect(node, Node::Kind::kMap));
  for (const auto& [name, value] : node.members) {
    std::string text;
    RETURN_IF_ERROR(reader.Read(value, text));
    target.emplace_back(name, std::move(text));
  }
  return {};
}

base::Result<void> ReadItems(const Reader& reader, const Node& node,
                             std::vector<const Node*>& target) {
  RETURN_IF_ERROR(reader.Expect(node, Node::Kind::kSequence));
  for (const Node& item : node.items) {
    target.push_back(&item);
  }
  return {};
}

// Zero means "as configured for all", as it does in Prometheus.
base::Result<void> ReadOptionalDuration(const Reader& reader, const Node& node,
                                        std::optional<std::chrono::milliseconds>& target) {
  std::chrono::milliseconds duration{0};
  RETURN_IF_ERROR(reader.Read(node, duration));
  if (duration.count() > 0) {
    target = duration;
  }
  return {};
}

constexpr yaml::Field<RawRule> kRuleFields[] = {
    {"record", yaml::Into<&RawRule::record>},
    {"alert", yaml::Into<&RawRule::alert>},
    {"expr",
     [](const Reader& reader, const Node& node, RawRule& rule) {
       rule.expression_node = &node;
       return reader.Read(node, rule.expression);
     }},
    {"for",
     [](const Reader& reader, const Node& node, RawRule& rule) {
       rule.hold_node = &node;
       return reader.Read(node, rule.spec.hold);
     }},
    {"keep_firing_for",
     [](const Reader& reader, const Node& node, RawRule& rule) {
       rule.keep_firing_for_node = &node;
       return reader.Read(node, rule.spec.keep_firing_for);
     }},
    {"labels", [](const Reader& reader, const Node& node,
                  RawRule& rule) { return ReadPairs(reader, node, rule.spec.labels); }},
    {"annotations",
     [](const Reader& reader, const Node& node, RawRule& rule) {
       rule.annotations_node = &node;
       return ReadPairs(reader, node, rule.spec.annotations);
     }},
};

constexpr yaml::Field<RawGroup> kGroupFields[] = {
    {"name", yaml::Into<&RawGroup::spec, &GroupSpec::name>},
    {"interval",
     [](const Reader& reader, const Node& node, RawGroup& group) {
       return ReadOptionalDuration(reader, node, group.spec.interval);
     }},
    {"query_offset",
     [](const Reader& reader, const Node& node, RawGroup& group) -> base::Result<void> {
       std::chrono::milliseconds offset{0};
       RETURN_IF_ERROR(reader.Read(node, offset));
       group.spec.query_offset = offset;
       return {};
     }},
    {"limit",
     [](const Reader& reader, const Node& node, RawGroup& group) -> base::Result<void> {
       uint64_t limit = 0;
       RETURN_IF_ERROR(reader.Read(node, limit));
       group.spec.limit = static_cast<size_t>(limit);
       return {};
     }},
    {"labels", [](const Reader& reader, const Node& node,
                  RawGroup& group) { return ReadPairs(reader, node, group.labels); }},
    {"rules", [](const Reader& reader, const Node& node,
                 RawGroup& group) { return ReadItems(reader, node, group.rules); }},
};

constexpr yaml::Field<RawFile> kFileFields[] = {
    {"groups", [](const Reader& reader, const Node& node,
                  RawFile& file) { return ReadItems(reader, node, file.groups); }},
};

// Names are UTF-8, as in Prometheus 3.
bool IsLabelName(const std::string& name) {
  return !name.empty() && base::IsValidUtf8(name) && name != model::kMetricNameLabel;
}

bool HasLabel(const TextPairs& labels, const std::string& name) {
  return std::any_of(labels.begin(), labels.end(),
                     [&](const auto& label) { return label.first == name; });
}

// Collects all that is wrong with one file.
class FileParser {
 public:
  FileParser(const std::string& file, const ParseFunc& parse, UnknownFields unknown_fields)
      : reader_(file, unknown_fields == UnknownFields::kIgnored ? yaml::UnknownKeys::kIgnored
                                                                : yaml::UnknownKeys::kRefused),
        parse_(parse) {}

  RuleFile Run(std::string_view text) {
    const auto document = yaml::Parse(text, reader_.file());
    if (!document.ok()) {
      result_.errors.push_back(document.error());
      return std::move(result_);
    }
    RawFile file;
    if (Check(reader_.ReadMap<RawFile>(*document, kFileFields, &file))) {
      for (const Node* group : file.groups) {
        ParseGroup(*group);
      }
    }
    if (!result_.errors.empty()) {
      result_.groups.clear();
    }
    return std::move(result_);
  }

 private:
  bool Check(const base::Result<void>& result) {
    if (!result.ok()) {
      Report(result.error());
    }
    return result.ok();
  }

  void Report(base::Error error) {
    if (result_.errors.size() < kMaxRuleFileErrors) {
      result_.errors.push_back(std::move(error));
    }
  }

  void Report(const Node& node, std::string_view why) { Report(reader_.ErrorAt(node, why)); }

  void ParseGroup(const Node& node) {
    RawGroup group;
    group.spec.file = reader_.file();
    group.spec.line = node.line;
    if (!Check(reader_.ReadMap<RawGroup>(node, kGroupFields, &group))) {
      return;
    }
    if (group.spec.name.empty()) {
      Report(node, "a group needs a name");
    } else if (!names_.insert(group.spec.name).second) {
      Report(node, fmt::format("group \"{}\" is repeated in the same file", group.spec.name));
    }
    CheckLabelNames(node, group.labels);
    for (const Node* rule : group.rules) {
      if (++rules_ > kMaxRulesPerFile) {
        Report(*rule, fmt::format("more than {} rules in one file", kMaxRulesPerFile));
        return;
      }
      ParseRule(*rule, group);
    }
    result_.groups.push_back(std::move(group.spec));
  }

  void CheckLabelNames(const Node& node, const TextPairs& labels) {
    for (const auto& [name, value] : labels) {
      if (!IsLabelName(name)) {
        Report(node, fmt::format("invalid label name: \"{}\"", name));
      }
    }
  }

  void ParseRule(const Node& node, RawGroup& group) {
    RawRule rule;
    rule.node = &node;
    rule.spec.line = node.line;
    if (!Check(reader_.ReadMap<RawRule>(node, kRuleFields, &rule))) {
      return;
    }
    rule.spec.alerting = !rule.alert.empty();
    if (rule.record.empty() == rule.alert.empty()) {
      Report(node, rule.record.empty() ? "one of \"record\" and \"alert\" must be set"
                                       : "only one of \"record\" and \"alert\" must be set");
      return;
    }
    rule.spec.name = rule.spec.alerting ? rule.alert : rule.record;
    CheckExpression(rule);
    CheckLabelNames(node, rule.spec.labels);
    if (rule.spec.alerting) {
      CheckAlert(rule);
    } else {
      CheckRecord(rule);
    }
    AddGroupLabels(group.labels, &rule.spec.labels);
    group.spec.rules.push_back(std::move(rule.spec));
  }

  static void AddGroupLabels(const TextPairs& group, TextPairs* labels) {
    TextPairs merged;
    for (const auto& label : group) {
      if (!HasLabel(*labels, label.first)) {
        merged.push_back(label);
      }
    }
    merged.insert(merged.end(), labels->begin(), labels->end());
    *labels = std::move(merged);
  }

  void CheckExpression(RawRule& rule) {
    if (base::TrimSpace(rule.expression).empty()) {
      Report(*rule.node, fmt::format("rule \"{}\": \"expr\" must be set", rule.spec.name));
      return;
    }
    const auto parsed = parse_(rule.expression);
    if (!parsed.ok()) {
      Report(*rule.expression_node, fmt::format("rule \"{}\": could not parse expression: {}",
                                                rule.spec.name, parsed.error().message()));
    }
    rule.spec.expression = std::move(rule.expression);
  }

  void CheckAlert(const RawRule& rule) {
    for (const auto& [name, text] : rule.spec.annotations) {
      if (!base::IsValidUtf8(name) || name.empty()) {
        Report(*rule.annotations_node, fmt::format("invalid annotation name: \"{}\"", name));
      }
      if (name == kMissingDataAnnotation) {
        if (const auto policy = ParseMissingData(text); !policy.ok()) {
          Report(*rule.annotations_node,
                 fmt::format("annotation {}: {}", name, policy.error().message()));
        }
      }
    }
    CheckTemplates(rule, "label", rule.spec.labels);
    CheckTemplates(rule, "annotation", rule.spec.annotations);
  }

  void CheckTemplates(const RawRule& rule, std::string_view what, const TextPairs& texts) {
    for (const auto& [name, text] : texts) {
      const auto parsed = tmpl::ParseAlertTemplate("__alert_" + rule.spec.name, text);
      if (!parsed.ok()) {
        Report(*rule.node, fmt::format("rule \"{}\", {} \"{}\": {}", rule.spec.name, what, name,
                                       parsed.error().message()));
      }
    }
  }

  void CheckRecord(const RawRule& rule) {
    const auto refuse = [&](const Node* node, std::string_view field) {
      if (node != nullptr) {
        Report(*node, fmt::format("rule \"{}\": \"{}\" has no place in a recording rule",
                                  rule.spec.name, field));
      }
    };
    refuse(rule.annotations_node, "annotations");
    refuse(rule.hold_node, "for");
    refuse(rule.keep_firing_for_node, "keep_firing_for");
    if (!base::IsValidUtf8(rule.spec.name) ||
        rule.spec.name.find_first_of("{}") != std::string::npos) {
      Report(*rule.node, fmt::format("invalid recording rule name: \"{}\"", rule.spec.name));
    }
  }

  const Reader reader_;
  const ParseFunc& parse_;
  std::set<std::string> names_;
  size_t rules_ = 0;
  RuleFile result_;
};

base::Result<std::vector<std::string>> ExpandPatterns(std::span<const std::string> patterns) {
  std::vector<std::string> files;
  for (const std::string& pattern : patterns) {
    std::vector<std::string> matches = base::Glob(pattern);
    if (matches.empty() && pattern.find_first_of("*?[") == std::string::npos) {
      return base::Error(fmt::format("rule file {}: no such file", pattern),
                         base::ErrorKind::kNotFound);
    }
    for (std::string& match : matches) {
      if (std::find(files.begin(), files.end(), match) == files.end()) {
        files.push_back(std::move(match));
      }
    }
  }
  return files;
}

}  // namespace

bool RuleSpec::SameAs(const RuleSpec& other) const {
  return alerting == other.alerting && name == other.name && expression == other.expression &&
         hold == other.hold && keep_firing_for == other.keep_firing_for && labels == other.labels &&
         annotations == other.annotations;
}

bool GroupSpec::SameAs(const GroupSpec& other) const {
  return file == other.file && name == other.name && interval == other.interval &&
         query_offset == other.query_offset && limit == other.limit &&
         std::equal(rules.begin(), rules.end(), other.rules.begin(), other.rules.end(),
                    [](const RuleSpec& a, const RuleSpec& b) { return a.SameAs(b); });
}

RuleFile ParseRuleFile(std::string_view yaml, const std::string& file, const ParseFunc& parse,
                       UnknownFields unknown_fields) {
  if (yaml.size() > kMaxRuleFileBytes) {
    return {.groups = {},
            .errors = {base::Error(fmt::format("{}: longer than {} bytes", file, kMaxRuleFileBytes),
                                   base::ErrorKind::kInvalidArgument)}};
  }
  return FileParser(file, parse, unknown_fields).Run(yaml);
}

base::Result<std::vector<GroupSpec>> LoadRuleFiles(std::span<const std::string> patterns,
                                                   const ParseFunc& parse,
                                                   UnknownFields unknown_fields) {
  ASSIGN_OR_RETURN(const std::vector<std::string> files, ExpandPatterns(patterns));
  std::vector<GroupSpec> groups;
  std::vector<std::string> messages;
  for (const std::string& file : files) {
    ASSIGN_OR_RETURN(const std::string text, base::ReadFile(file, kMaxRuleFileBytes));
    RuleFile parsed = ParseRuleFile(text, file, parse, unknown_fields);
    for (const base::Error& error : parsed.errors) {
      messages.push_back(error.message());
    }
    std::move(parsed.groups.begin(), parsed.groups.end(), std::back_inserter(groups));
  }
  if (!messages.empty()) {
    return base::Error(base::Join(messages, "\n"), base::ErrorKind::kInvalidArgument);
  }
  return groups;
}

}  // namespace rules
