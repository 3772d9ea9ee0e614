// Small string operations the standard library lacks. All pure.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace base {

std::string_view TrimSpace(std::string_view text);

// Splits at every `separator`; "a,,b" has three parts, "" has one empty part.
std::vector<std::string_view> Split(std::string_view text, char separator);

std::string Join(std::span<const std::string> parts, std::string_view separator);

std::string ToLower(std::string_view text);
bool EqualsIgnoreCase(std::string_view a, std::string_view b);
std::string ReplaceAll(std::string_view text, std::string_view from, std::string_view to);

// The whole text as a number; no surrounding space, no trailing bytes. `ParseDouble` also takes a
// leading '+' and inf/infinity/nan in any case; hexadecimal is refused.
std::optional<int64_t> ParseInt(std::string_view text);
std::optional<uint64_t> ParseUint(std::string_view text);
std::optional<double> ParseDouble(std::string_view text);
// 1/0, t/f, true/false, yes/no, on/off in any case.
std::optional<bool> ParseBool(std::string_view text);

// The shortest text that reads back as the same double: "1", "0.1", "1e+21", "NaN", "+Inf", "-Inf".
std::string FormatDouble(double value);
// The same, appended. Whole numbers below 1e21 are written without an exponent, as Prometheus does.
void AppendDouble(double value, std::string* out);

bool IsValidUtf8(std::string_view text);
// Every byte that is not part of a well-formed character becomes U+FFFD.
std::string ToValidUtf8(std::string_view text);

// The candidate that differs least from `word`, if it is near enough to be what was meant.
std::optional<std::string_view> NearestName(std::string_view word,
                                            std::span<const std::string> candidates);

// The value of an environment variable that is set and not empty.
std::optional<std::string> GetEnv(const char* name);

}  // namespace base
