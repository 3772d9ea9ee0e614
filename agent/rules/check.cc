#include "agent/rules/check.h"

#include <map>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "lib/base/file.h"
#include "lib/model/labels.h"

namespace rules {
namespace {

constexpr std::string_view kStandardInput = "-";

// Rules that produce the same series or alerts, by what they produce, with their lines.
using Duplicates = std::vector<std::pair<model::Labels, std::vector<int>>>;

Duplicates FindDuplicates(const std::vector<GroupSpec>& groups) {
  std::map<model::Labels, std::vector<int>> lines;
  for (const GroupSpec& group : groups) {
    for (const RuleSpec& rule : group.rules) {
      model::LabelsBuilder builder;
      for (const auto& [name, text] : rule.labels) {
        builder.Set(name, text);
      }
      builder.Set(model::kMetricNameLabel, rule.name);
      lines[builder.Build()].push_back(rule.line);
    }
  }
  Duplicates duplicates;
  for (auto& [identity, at] : lines) {
    if (at.size() > 1) {
      duplicates.emplace_back(identity, std::move(at));
    }
  }
  return duplicates;
}

void PrintDuplicates(const Duplicates& duplicates, std::ostream& err) {
  err << fmt::format("  FAILED:\nlint error {} duplicate rule(s) found.\n", duplicates.size());
  for (const auto& [identity, lines] : duplicates) {
    err << fmt::format("Metric: {}\nLines: {}\nLabel(s):\n", identity.MetricName(),
                       fmt::join(lines, ", "));
    for (const model::Label label : identity) {
      if (label.name != model::kMetricNameLabel) {
        err << fmt::format("\t{}: {}\n", label.name, label.value);
      }
    }
  }
  err << "Might cause inconsistency while recording expressions\n";
}

base::Result<std::string> ReadInput(const std::string& file) {
  return file == kStandardInput ? base::ReadFile("/dev/stdin", kMaxRuleFileBytes)
                                : base::ReadFile(file, kMaxRuleFileBytes);
}

int CheckText(const std::string& file, const ParseFunc& parse, const CheckOptions& options,
              std::ostream& out, std::ostream& err) {
  const auto text = ReadInput(file);
  if (!text.ok()) {
    err << fmt::format("  FAILED:\n{}\n", text.error().message());
    return kCheckFailed;
  }
  const RuleFile parsed = ParseRuleFile(*text, file, parse, options.unknown_fields);
  if (!parsed.errors.empty()) {
    err << "  FAILED:\n";
    for (const base::Error& error : parsed.errors) {
      err << error.message() << "\n";
    }
    return kCheckFailed;
  }
  const Duplicates duplicates =
      options.duplicate_rules ? FindDuplicates(parsed.groups) : Duplicates();
  if (!duplicates.empty()) {
    PrintDuplicates(duplicates, err);
    return options.lint_fatal ? kCheckLint : kCheckFine;
  }
  size_t rules = 0;
  for (const GroupSpec& group : parsed.groups) {
    rules += group.rules.size();
  }
  out << fmt::format("  SUCCESS: {} rules found\n", rules);
  return kCheckFine;
}

}  // namespace

bool ParseLint(std::string_view lint, std::ostream& out) {
  if (lint == "all" || lint == "duplicate-rules") {
    return true;
  }
  if (lint != "none") {
    out << fmt::format("WARNING: unknown lint option {}\n", lint);
  }
  return false;
}

int WorseCheck(int a, int b) {
  if (a == kCheckFailed || b == kCheckFailed) {
    return kCheckFailed;
  }
  return a == kCheckLint ? a : b;
}

int CheckRuleFile(const std::string& file, const ParseFunc& parse, const CheckOptions& options,
                  std::ostream& out, std::ostream& err) {
  out << fmt::format("Checking {}\n", file == kStandardInput ? "standard input" : file);
  const int code = CheckText(file, parse, options, out, err);
  out << "\n";
  return code;
}

int CheckRulesCommand(std::span<const std::string> files, const ParseFunc& parse,
                      const CheckOptions& options, std::ostream& out, std::ostream& err) {
  int code = kCheckFine;
  for (const std::string& pattern : files) {
    std::vector<std::string> matches = base::Glob(pattern);
    if (matches.empty()) {
      matches.push_back(pattern);  // Reading it says what is wrong.
    }
    for (const std::string& file : matches) {
      code = WorseCheck(code, CheckRuleFile(file, parse, options, out, err));
    }
  }
  return code;
}

}  // namespace rules
