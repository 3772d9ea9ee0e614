// Lua's patterns (section 6.4.1 of its manual), which redis_exporter's users group keys with. Run
// here, not in the server, and with a limit on steps: some patterns take exponential time.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "lib/base/result.h"

namespace exporters::redis {

inline constexpr size_t kMaxPatternSteps = 20'000;
inline constexpr size_t kMaxPatternBytes = 1024;
inline constexpr size_t kMaxCaptures = 32;

class LuaPattern {
 public:
  // Errors: kInvalidArgument; back-references (%1) and frontiers (%f) are not taken.
  static base::Result<LuaPattern> Parse(std::string_view pattern);

  // The captures of the first match anywhere in `text`, joined; the whole match when the pattern
  // captures nothing. Nothing when there is no match, or none within the limit of steps.
  std::optional<std::string> Group(std::string_view text) const;

 private:
  explicit LuaPattern(std::string pattern) : pattern_(std::move(pattern)) {}

  std::string pattern_;  // Well-formed.
};

}  // namespace exporters::redis
