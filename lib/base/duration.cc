#include "lib/base/duration.h"

#include <cstdint>
#include <limits>

#include <fmt/format.h>

#include "lib/base/strings.h"

namespace base {
namespace {

struct Unit {
  std::string_view name;
  int64_t ms;
  bool exact_only;  // Written only when it divides the rest: "1y1w" reads worse than "372d".
};

// Largest first, which is also the order the grammar demands.
constexpr Unit kUnits[] = {
    {"y", 365LL * 24 * 3600 * 1000, true},
    {"w", 7LL * 24 * 3600 * 1000, true},
    {"d", 24LL * 3600 * 1000, false},
    {"h", 3600LL * 1000, false},
    {"m", 60LL * 1000, false},
    {"s", 1000, false},
    {"ms", 1, false},
};

Error BadDuration(std::string_view text, std::string_view why) {
  return Error(fmt::format("not a duration: \"{}\": {}", text, why), ErrorKind::kInvalidArgument);
}

}  // namespace

Result<std::chrono::milliseconds> ParseDuration(std::string_view text) {
  if (text == "0") {
    return std::chrono::milliseconds(0);
  }
  if (text.empty()) {
    return BadDuration(text, "it is empty");
  }
  int64_t total_ms = 0;
  const Unit* next_unit = std::begin(kUnits);
  std::string_view rest = text;
  while (!rest.empty()) {
    const size_t digits = rest.find_first_not_of("0123456789");
    if (digits == 0 || digits == std::string_view::npos) {
      return BadDuration(text, "a number followed by one of ms s m h d w y is expected");
    }
    const auto count = ParseInt(rest.substr(0, digits));
    rest.remove_prefix(digits);
    const size_t unit_length = std::min(rest.find_first_of("0123456789"), rest.size());
    const std::string_view unit_name = rest.substr(0, unit_length);
    while (next_unit != std::end(kUnits) && next_unit->name != unit_name) {
      ++next_unit;
    }
    if (next_unit == std::end(kUnits)) {
      return BadDuration(text, "units are ms s m h d w y, each at most once, largest first");
    }
    int64_t part_ms = 0;
    if (!count || __builtin_mul_overflow(*count, next_unit->ms, &part_ms) ||
        __builtin_add_overflow(total_ms, part_ms, &total_ms)) {
      return BadDuration(text, "it is too long");
    }
    ++next_unit;
    rest.remove_prefix(unit_length);
  }
  return std::chrono::milliseconds(total_ms);
}

std::string FormatDuration(std::chrono::milliseconds duration) {
  int64_t rest_ms = duration.count();
  if (rest_ms == 0) {
    return "0s";
  }
  std::string text = rest_ms < 0 ? "-" : "";
  rest_ms = rest_ms < 0 ? -rest_ms : rest_ms;
  for (const Unit& unit : kUnits) {
    if (rest_ms < unit.ms || (unit.exact_only && rest_ms % unit.ms != 0)) {
      continue;
    }
    text += fmt::format("{}{}", rest_ms / unit.ms, unit.name);
    rest_ms %= unit.ms;
  }
  return text;
}

}  // namespace base
