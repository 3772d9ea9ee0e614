#include "lib/exposition/number.h"

#include <charconv>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <string>
#include <system_error>

#include "lib/base/strings.h"
#include "lib/model/sample.h"

namespace exposition {
namespace {

constexpr size_t kExactDigits = 15;  // Any such integer is a double.

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

// Most values are short whole numbers.
std::optional<double> ParseShortInteger(std::string_view text) {
  if (text.empty() || text.size() > kExactDigits) {
    return std::nullopt;
  }
  int64_t value = 0;
  for (const char c : text) {
    if (!IsDigit(c)) {
      return std::nullopt;
    }
    value = 10 * value + (c - '0');
  }
  return static_cast<double>(value);
}

// Digits with an optional fraction and exponent, no sign.
std::optional<double> ParseDecimal(std::string_view text) {
  double value = 0;
  const char* const end = text.data() + text.size();
  const auto [next, error] = std::from_chars(text.data(), end, value);
  if (next != end) {
    return std::nullopt;
  }
  if (error == std::errc::result_out_of_range) {
    value = std::strtod(std::string(text).c_str(), nullptr);
    return std::isinf(value) ? std::nullopt : std::optional(value);
  }
  return error == std::errc{} ? std::optional(value) : std::nullopt;
}

}  // namespace

std::optional<double> ParseValue(std::string_view text) {
  if (const std::optional<double> value = ParseShortInteger(text); value.has_value()) {
    return value;
  }
  if (base::EqualsIgnoreCase(text, "nan")) {
    return model::kNormalNaN;
  }
  const bool negative = !text.empty() && text.front() == '-';
  if (negative || (!text.empty() && text.front() == '+')) {
    text.remove_prefix(1);
  }
  if (text.empty()) {
    return std::nullopt;
  }
  std::optional<double> magnitude;
  if (IsDigit(text.front()) || text.front() == '.') {
    magnitude = ParseDecimal(text);
  } else if (base::EqualsIgnoreCase(text, "inf") || base::EqualsIgnoreCase(text, "infinity")) {
    magnitude = std::numeric_limits<double>::infinity();
  }
  return magnitude.has_value() && negative ? std::optional(-*magnitude) : magnitude;
}

std::optional<int64_t> ParseSeconds(std::string_view text) {
  const std::optional<double> seconds = ParseValue(text);
  if (!seconds.has_value() || !std::isfinite(*seconds)) {
    return std::nullopt;
  }
  constexpr double kEnd = 9223372036854775808.0;  // 2^63
  const double ms = std::round(*seconds * 1000);
  if (ms >= kEnd) {
    return std::numeric_limits<int64_t>::max();
  }
  return ms < -kEnd ? std::numeric_limits<int64_t>::min() : static_cast<int64_t>(ms);
}

}  // namespace exposition
