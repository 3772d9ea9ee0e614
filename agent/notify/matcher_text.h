// Matchers as an Alertmanager configuration, its API and amtool write them:
//   {alertname="X", severity=~"page|ticket", "any name"!=other}
// The newer grammar takes any UTF-8 name and unquoted values. The classic one, which the newer does
// not replace entirely (`a=b c`, `a="x" y`), is tried too, and decides where the two disagree.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "lib/base/result.h"
#include "lib/model/matcher.h"

namespace notify {

inline constexpr size_t kMaxMatchersBytes = 64 << 10;

using Matchers = std::vector<model::Matcher>;

// One matcher or several, with or without braces. Errors: kInvalidArgument.
base::Result<Matchers> ParseMatchers(std::string_view text);
// Exactly one.
base::Result<model::Matcher> ParseMatcher(std::string_view text);

bool MatchesAll(const Matchers& matchers, const model::Labels& labels);

// Sorted by name, value and type, as keys of groups need it.
void SortMatchers(Matchers* matchers);
// {a="b",c=~"d"}
std::string FormatMatchers(const Matchers& matchers);
std::string FormatMatcher(const model::Matcher& matcher);

}  // namespace notify
