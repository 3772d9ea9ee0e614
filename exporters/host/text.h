// Reading the kernel's text files: lines, fields, and numbers of a given base. All pure.
#pragma once

#include <charconv>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace exporters::host {

// Takes the text up to the next newline (which is dropped) off `rest`.
inline std::string_view NextLine(std::string_view* rest) {
  const size_t end = rest->find('\n');
  const std::string_view line = rest->substr(0, end);
  rest->remove_prefix(end == std::string_view::npos ? rest->size() : end + 1);
  return line;
}

inline constexpr bool IsBlank(char c) { return c == ' ' || c == '\t'; }

// Takes the next run of other bytes than space and tab off `rest`; "" at the end.
inline std::string_view NextField(std::string_view* rest) {
  const char* begin = rest->data();
  const char* const end = begin + rest->size();
  while (begin != end && IsBlank(*begin)) {
    ++begin;
  }
  const char* after = begin;
  while (after != end && !IsBlank(*after)) {
    ++after;
  }
  *rest = {after, static_cast<size_t>(end - after)};
  return {begin, static_cast<size_t>(after - begin)};
}

inline std::vector<std::string_view> SplitFields(std::string_view line) {
  std::vector<std::string_view> fields;
  for (std::string_view field = NextField(&line); !field.empty(); field = NextField(&line)) {
    fields.push_back(field);
  }
  return fields;
}

// The whole field as a number; the kernel writes neither signs nor prefixes here.
inline std::optional<uint64_t> ParseNumber(std::string_view field, int base = 10) {
  uint64_t value = 0;
  const char* const end = field.data() + field.size();
  const auto [at, error] = std::from_chars(field.data(), end, value, base);
  return error == std::errc() && at == end && !field.empty() ? std::optional(value) : std::nullopt;
}

// As many numbers as `values` has room for; how many fields were numbers before the first that was
// none.
template <typename Values>
size_t ParseNumbers(std::string_view line, Values* values) {
  size_t count = 0;
  while (count < values->size()) {
    const std::optional<uint64_t> value = ParseNumber(NextField(&line));
    if (!value) {
      break;
    }
    (*values)[count++] = *value;
  }
  return count;
}

}  // namespace exporters::host
