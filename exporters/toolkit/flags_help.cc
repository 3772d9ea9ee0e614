// The texts of --help and --version.
#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "exporters/toolkit/flags.h"
#include "lib/base/strings.h"
#include "lib/base/version.h"

namespace exporters {
namespace {

constexpr size_t kWidth = 96;

// Breaks at spaces; every line starts with `indent` spaces.
void AppendWrapped(std::string_view text, size_t indent, std::string* out) {
  std::string line;
  for (const std::string_view word : base::Split(text, ' ')) {
    if (!line.empty() && indent + line.size() + 1 + word.size() > kWidth) {
      fmt::format_to(std::back_inserter(*out), "{:{}}{}\n", "", indent, line);
      line.clear();
    }
    line += line.empty() ? "" : " ";
    line += word;
  }
  fmt::format_to(std::back_inserter(*out), "{:{}}{}\n", "", indent, line);
}

std::string_view ValueName(const Flag& flag) {
  if (!flag.value_name.empty()) {
    return flag.value_name;
  }
  switch (flag.type) {
    case FlagType::kBool:
      return "";
    case FlagType::kInt:
    case FlagType::kDouble:
      return "NUMBER";
    case FlagType::kDuration:
      return "DURATION";
    case FlagType::kString:
      return "TEXT";
  }
  return "";
}

std::string Explanation(const Flag& flag) {
  std::string text = flag.help;
  if (flag.repeatable) {
    text += " May be repeated.";
  }
  if (flag.type == FlagType::kBool) {
    text += flag.default_value == "true" ? fmt::format(" On; --no-{} switches it off.", flag.name)
                                         : std::string(" Off.");
  } else if (!flag.default_value.empty() && !flag.secret) {
    text += fmt::format(" Default: {}", flag.default_value);
  }
  if (!flag.env.empty()) {
    text += fmt::format(" [env {}]", flag.env);
  }
  return text;
}

void AppendFlag(const Flag& flag, std::string* out) {
  const std::string_view value = ValueName(flag);
  *out += fmt::format("  --{}{}{}\n", flag.name, value.empty() ? "" : " ", value);
  AppendWrapped(Explanation(flag), 6, out);
}

void AppendCommands(const CommandLine& line, std::string* out) {
  *out += fmt::format("\nUsage:\n  {} [flags]\n", line.program);
  for (const Command& command : line.commands) {
    *out += fmt::format("  {} {}{}{} [flags]\n", line.program, command.name,
                        command.arguments.empty() ? "" : " ", command.arguments);
    AppendWrapped(command.help, 6, out);
  }
}

std::vector<std::string_view> Groups(const CommandLine& line) {
  std::vector<std::string_view> groups;
  for (const Flag& flag : line.flags) {
    if (!flag.hidden && std::find(groups.begin(), groups.end(), flag.group) == groups.end()) {
      groups.push_back(flag.group);
    }
  }
  return groups;
}

}  // namespace

std::string HelpText(const CommandLine& line) {
  std::string text;
  AppendWrapped(fmt::format("{}: {}", line.program, line.summary), 0, &text);
  AppendCommands(line, &text);
  for (const std::string_view group : Groups(line)) {
    text += fmt::format("\n{}:\n", group);
    for (const Flag& flag : line.flags) {
      if (!flag.hidden && flag.group == group) {
        AppendFlag(flag, &text);
      }
    }
  }
  text += "\nOther:\n  -h, --help\n      This text.\n  --version\n      What was built.\n";
  if (!line.examples.empty()) {
    text += fmt::format("\nExamples:\n{}", line.examples);
    text += line.examples.back() == '\n' ? "" : "\n";
  }
  return text;
}

std::string VersionText(std::string_view program) {
  return fmt::format("{}, version {} (branch: {}, revision: {})\n  compiler: {}\n", program,
                     base::Version(), base::Branch(), base::Revision(), base::Compiler());
}

}  // namespace exporters
