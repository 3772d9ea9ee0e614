// `tarsier-agent check rules FILE…`.
#pragma once

#include <span>
#include <string>

#include "agent/rules/expression.h"

namespace rules {

inline constexpr int kCheckFine = 0;
inline constexpr int kCheckFailed = 1;  // A file cannot be read or is wrong.
inline constexpr int kCheckLint = 3;    // Every file loads, but a rule is dubious.

// Checks every file (patterns are expanded) and appends a report like promtool's to `out`:
//   Checking alerts/redis.yml
//     SUCCESS: 7 rules found
// Returns the exit code.
int CheckRulesCommand(std::span<const std::string> files, const ParseFunc& parse, std::string* out);

}  // namespace rules
