#include "agent/template/humanize.h"

#include <cmath>
#include <cstdint>
#include <span>

#include <fmt/format.h>

#include "agent/template/format.h"
#include "agent/template/value.h"

namespace tmpl {
namespace {

constexpr const char* kLarge[] = {"k", "M", "G", "T", "P", "E", "Z", "Y"};
constexpr const char* kLargeBinary[] = {"ki", "Mi", "Gi", "Ti", "Pi", "Ei", "Zi", "Yi"};
constexpr const char* kSmall[] = {"m", "u", "n", "p", "f", "a", "z", "y"};

std::string FourDigits(double value) { return FormatFloat(value, 'g', 4); }

// Divided by `base` until it is below it, with the prefix that says how often.
std::string ScaleDown(double value, double base, std::span<const char* const> prefixes) {
  const char* prefix = "";
  for (const char* const next : prefixes) {
    if (std::fabs(value) < base) {
      break;
    }
    prefix = next;
    value /= base;
  }
  return FourDigits(value) + prefix;
}

std::string ScaleUp(double value) {
  const char* prefix = "";
  for (const char* const next : kSmall) {
    if (std::fabs(value) >= 1) {
      break;
    }
    prefix = next;
    value *= 1000;
  }
  return FourDigits(value) + prefix;
}

}  // namespace

std::string Humanize(double value) {
  if (value == 0 || !std::isfinite(value)) {
    return FourDigits(value);
  }
  return std::fabs(value) >= 1 ? ScaleDown(value, 1000, kLarge) : ScaleUp(value);
}

std::string Humanize1024(double value) {
  if (std::fabs(value) <= 1 || !std::isfinite(value)) {
    return FourDigits(value);
  }
  return ScaleDown(value, 1024, kLargeBinary);
}

std::string HumanizeDuration(double seconds) {
  if (!std::isfinite(seconds)) {
    return FourDigits(seconds);
  }
  if (seconds == 0) {
    return "0s";
  }
  if (std::fabs(seconds) < 1) {
    return ScaleUp(seconds) + "s";
  }
  const char* const sign = seconds < 0 ? "-" : "";
  constexpr double kMaxWhole = 9.2e18;  // Of what int64 holds.
  const auto whole = static_cast<int64_t>(std::fmin(std::fabs(seconds), kMaxWhole));
  const int64_t minutes = whole / 60;
  const int64_t hours = minutes / 60;
  const int64_t days = hours / 24;
  if (days != 0) {
    return fmt::format("{}{}d {}h {}m {}s", sign, days, hours % 24, minutes % 60, whole % 60);
  }
  if (hours != 0) {
    return fmt::format("{}{}h {}m {}s", sign, hours, minutes % 60, whole % 60);
  }
  if (minutes != 0) {
    return fmt::format("{}{}m {}s", sign, minutes, whole % 60);
  }
  return fmt::format("{}{}s", sign, FourDigits(std::fabs(seconds)));
}

std::string HumanizePercentage(double ratio) { return FourDigits(ratio * 100) + "%"; }

base::Result<std::string> HumanizeTimestamp(double unix_seconds) {
  if (!std::isfinite(unix_seconds)) {
    return FourDigits(unix_seconds);
  }
  if (std::fabs(unix_seconds) > 9.2233720368e9) {
    return base::Error(fmt::format("{} cannot be represented as a nanoseconds timestamp since it "
                                   "overflows int64",
                                   FormatFloat(unix_seconds, 'g', kShortest)),
                       base::ErrorKind::kInvalidArgument);
  }
  return FormatTime({.unix_ms = static_cast<int64_t>(std::floor(unix_seconds * 1000))});
}

}  // namespace tmpl
