// `tarsier-agent check rules FILE…`, with promtool's report and exit codes.
#pragma once

#include <ostream>
#include <span>
#include <string>
#include <string_view>

#include "agent/rules/expression.h"
#include "agent/rules/rule_file.h"

namespace rules {

inline constexpr int kCheckFine = 0;
inline constexpr int kCheckFailed = 1;  // A file cannot be read or is wrong.
inline constexpr int kCheckLint = 3;    // Every file loads, but a rule is dubious; with lint_fatal.

struct CheckOptions {
  bool duplicate_rules = true;  // Whether rules that produce the same are lint.
  bool lint_fatal = false;
  UnknownFields unknown_fields = UnknownFields::kRefused;
};

// "all", "duplicate-rules" or "none"; another word warns and checks nothing, as in promtool.
bool ParseLint(std::string_view lint, std::ostream& out);

// Reads one file to its end; `-` is standard input. Appends what is found to `out`, what is wrong
// to `err`:
//   Checking alerts/redis.yml
//     SUCCESS: 7 rules found
int CheckRuleFile(const std::string& file, const ParseFunc& parse, const CheckOptions& options,
                  std::ostream& out, std::ostream& err);

// Checks every file; patterns are expanded. The exit code is the worst one.
int CheckRulesCommand(std::span<const std::string> files, const ParseFunc& parse,
                      const CheckOptions& options, std::ostream& out, std::ostream& err);

// A failure outweighs lint.
int WorseCheck(int a, int b);

}  // namespace rules
