#include "agent/rules/check.h"

#include <map>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "agent/rules/rule_file.h"
#include "lib/base/file.h"
#include "lib/model/labels.h"

namespace rules {
namespace {

// What makes two rules produce the same series or alerts.
std::string Identity(const RuleSpec& rule) {
  model::LabelsBuilder builder;
  for (const auto& [name, text] : rule.labels) {
    builder.Set(name, text);
  }
  builder.Set(model::kMetricNameLabel, rule.name);
  return (rule.alerting ? "alert " : "record ") + builder.Build().ToString();
}

// "alert A{severity=\"page\"}: lines 4, 9", one for each rule that is written twice.
std::vector<std::string> Duplicates(const std::vector<GroupSpec>& groups) {
  std::map<std::string, std::vector<int>> lines;
  for (const GroupSpec& group : groups) {
    for (const RuleSpec& rule : group.rules) {
      lines[Identity(rule)].push_back(rule.line);
    }
  }
  std::vector<std::string> duplicates;
  for (const auto& [identity, at] : lines) {
    if (at.size() > 1) {
      duplicates.push_back(fmt::format("{}: lines {}", identity, fmt::join(at, ", ")));
    }
  }
  return duplicates;
}

int Fail(const std::vector<std::string>& messages, std::string* out) {
  *out += "  FAILED:\n";
  for (const std::string& message : messages) {
    *out += fmt::format("    {}\n", message);
  }
  return kCheckFailed;
}

int CheckFile(const std::string& file, const ParseFunc& parse, std::string* out) {
  const auto text = base::ReadFile(file, kMaxRuleFileBytes);
  if (!text.ok()) {
    return Fail({text.error().message()}, out);
  }
  const RuleFile parsed = ParseRuleFile(*text, file, parse);
  if (!parsed.errors.empty()) {
    std::vector<std::string> messages;
    for (const base::Error& error : parsed.errors) {
      messages.push_back(error.message());
    }
    return Fail(messages, out);
  }
  size_t rules = 0;
  for (const GroupSpec& group : parsed.groups) {
    rules += group.rules.size();
  }
  const std::vector<std::string> duplicates = Duplicates(parsed.groups);
  *out += fmt::format("  SUCCESS: {} rules found\n", rules);
  for (const std::string& duplicate : duplicates) {
    *out += fmt::format("  DUPLICATE: {}\n", duplicate);
  }
  return duplicates.empty() ? kCheckFine : kCheckLint;
}

// A failure outweighs a lint.
int Worse(int a, int b) {
  if (a == kCheckFailed || b == kCheckFailed) {
    return kCheckFailed;
  }
  return a == kCheckLint ? a : b;
}

}  // namespace

int CheckRulesCommand(std::span<const std::string> files, const ParseFunc& parse,
                      std::string* out) {
  int code = kCheckFine;
  for (const std::string& pattern : files) {
    std::vector<std::string> matches = base::Glob(pattern);
    if (matches.empty()) {
      matches.push_back(pattern);  // Reading it says what is wrong.
    }
    for (const std::string& file : matches) {
      *out += fmt::format("Checking {}\n", file);
      code = Worse(code, CheckFile(file, parse, out));
      *out += "\n";
    }
  }
  return code;
}

}  // namespace rules
