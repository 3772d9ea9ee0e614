#include "agent/web/api_parameters.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include <fmt/format.h>

#include "agent/promql/parser.h"
#include "lib/base/duration.h"
#include "lib/base/strings.h"

namespace web {
namespace {

using base::Error;
using base::ErrorKind;
using base::Result;

// What Prometheus' client libraries send for "since ever" and "for ever".
constexpr std::string_view kMinTimeText = "-292273086-05-16T16:47:06Z";
constexpr std::string_view kMaxTimeText = "292277025-08-18T07:12:54.999999999Z";

Error Invalid(std::string message) {
  return Error(std::move(message), ErrorKind::kInvalidArgument);
}

Error NotATime(std::string_view text) {
  return Invalid(
      fmt::format("\"{}\" is neither seconds since the epoch nor an RFC 3339 time", text));
}

// Takes `digits` digits off the front of `text`.
std::optional<int> TakeNumber(std::string_view* text, size_t digits) {
  int value = 0;
  if (text->size() < digits) {
    return std::nullopt;
  }
  const char* end = text->data() + digits;
  const auto parsed = std::from_chars(text->data(), end, value);
  if (parsed.ec != std::errc() || parsed.ptr != end || text->front() == '-') {
    return std::nullopt;
  }
  text->remove_prefix(digits);
  return value;
}

bool TakeOneOf(std::string_view* text, std::string_view choices) {
  if (text->empty() || choices.find(text->front()) == std::string_view::npos) {
    return false;
  }
  text->remove_prefix(1);
  return true;
}

// ".123456789" to milliseconds, cut off; 0 without a fraction.
std::optional<int64_t> TakeFractionMs(std::string_view* text) {
  if (!TakeOneOf(text, ".,")) {
    return 0;
  }
  int64_t ms = 0;
  size_t digits = 0;
  while (!text->empty() && text->front() >= '0' && text->front() <= '9') {
    if (digits < 3) {
      ms = ms * 10 + (text->front() - '0');
    }
    ++digits;
    text->remove_prefix(1);
  }
  for (size_t i = digits; i < 3; ++i) {
    ms *= 10;
  }
  return digits == 0 ? std::nullopt : std::optional<int64_t>(ms);
}

// "Z" or "+01:30", in minutes.
std::optional<int> TakeZone(std::string_view* text) {
  if (TakeOneOf(text, "Zz")) {
    return 0;
  }
  const bool west = !text->empty() && text->front() == '-';
  if (!TakeOneOf(text, "+-")) {
    return std::nullopt;
  }
  const auto hours = TakeNumber(text, 2);
  const bool colon = TakeOneOf(text, ":");
  const auto minutes = TakeNumber(text, 2);
  if (!hours || !colon || !minutes || *hours > 23 || *minutes > 59) {
    return std::nullopt;
  }
  const int offset = *hours * 60 + *minutes;
  return west ? -offset : offset;
}

std::optional<int64_t> ParseRfc3339(std::string_view text) {
  const auto year = TakeNumber(&text, 4);
  bool shaped = TakeOneOf(&text, "-");
  const auto month = TakeNumber(&text, 2);
  shaped = TakeOneOf(&text, "-") && shaped;
  const auto day = TakeNumber(&text, 2);
  shaped = TakeOneOf(&text, "Tt") && shaped;
  const auto hour = TakeNumber(&text, 2);
  shaped = TakeOneOf(&text, ":") && shaped;
  const auto minute = TakeNumber(&text, 2);
  shaped = TakeOneOf(&text, ":") && shaped;
  const auto second = TakeNumber(&text, 2);
  const auto fraction_ms = TakeFractionMs(&text);
  const auto zone = TakeZone(&text);
  if (!shaped || !year || !month || !day || !hour || !minute || !second || !fraction_ms || !zone ||
      !text.empty() || *hour > 23 || *minute > 59 || *second > 59) {
    return std::nullopt;
  }
  const std::chrono::year_month_day date{std::chrono::year(*year),
                                         std::chrono::month(static_cast<unsigned>(*month)),
                                         std::chrono::day(static_cast<unsigned>(*day))};
  if (!date.ok()) {
    return std::nullopt;
  }
  const auto time = std::chrono::sys_days(date) + std::chrono::hours(*hour) +
                    std::chrono::minutes(*minute - *zone) + std::chrono::seconds(*second);
  return std::chrono::duration_cast<std::chrono::milliseconds>(time.time_since_epoch()).count() +
         *fraction_ms;
}

// A UTF-8 sequence; nothing for what is no code point.
std::optional<std::string> EncodeCodePoint(uint32_t code) {
  std::string out;
  if (code < 0x80) {
    out += static_cast<char>(code);
  } else if (code < 0x800) {
    out += static_cast<char>(0xC0 | (code >> 6));
    out += static_cast<char>(0x80 | (code & 0x3F));
  } else if (code < 0x10000) {
    out += static_cast<char>(0xE0 | (code >> 12));
    out += static_cast<char>(0x80 | ((code >> 6) & 0x3F));
    out += static_cast<char>(0x80 | (code & 0x3F));
  } else {
    out += static_cast<char>(0xF0 | (code >> 18));
    out += static_cast<char>(0x80 | ((code >> 12) & 0x3F));
    out += static_cast<char>(0x80 | ((code >> 6) & 0x3F));
    out += static_cast<char>(0x80 | (code & 0x3F));
  }
  return base::IsValidUtf8(out) ? std::optional<std::string>(out) : std::nullopt;
}

}  // namespace

Result<int64_t> ParseTimeMs(std::string_view text) {
  if (text == kMinTimeText) {
    return kMinTimeMs;
  }
  if (text == kMaxTimeText) {
    return kMaxTimeMs;
  }
  if (const auto seconds = base::ParseDouble(text)) {
    const double ms = std::round(*seconds * 1000);
    if (!(ms >= static_cast<double>(kMinTimeMs) && ms <= static_cast<double>(kMaxTimeMs))) {
      return NotATime(text);
    }
    return static_cast<int64_t>(ms);
  }
  if (const auto ms = ParseRfc3339(text)) {
    return *ms;
  }
  return NotATime(text);
}

Result<std::chrono::milliseconds> ParseApiDuration(std::string_view text) {
  constexpr double kMaxMs = 1e15;
  if (const auto seconds = base::ParseDouble(text)) {
    const double ms = *seconds * 1000;
    if (!(std::fabs(ms) <= kMaxMs)) {
      return Invalid(fmt::format("\"{}\" is too long a duration", text));
    }
    return std::chrono::milliseconds(static_cast<int64_t>(ms));
  }
  return base::ParseDuration(text);
}

std::string UnescapeLabelName(std::string_view name) {
  constexpr std::string_view kMark = "U__";
  if (name.substr(0, kMark.size()) != kMark) {
    return std::string(name);
  }
  std::string_view rest = name.substr(kMark.size());
  std::string out;
  while (!rest.empty()) {
    if (rest.front() != '_') {
      out += rest.front();
      rest.remove_prefix(1);
      continue;
    }
    const size_t close = rest.find('_', 1);
    const std::string_view digits = rest.substr(1, close == std::string_view::npos ? 0 : close - 1);
    uint32_t code = 0;
    const auto parsed = std::from_chars(digits.data(), digits.data() + digits.size(), code, 16);
    if (close == 1) {
      out += '_';
    } else if (const auto bytes = EncodeCodePoint(code);
               close != std::string_view::npos && parsed.ptr == digits.data() + digits.size() &&
               parsed.ec == std::errc() && bytes) {
      out += *bytes;
    } else {
      return std::string(name);  // Not escaped after all.
    }
    rest.remove_prefix(close + 1);
  }
  return out;
}

std::optional<std::string> Parameters::Get(std::string_view name) const {
  for (const auto& [key, value] : form_) {
    if (key == name) {
      return value.empty() ? std::nullopt : std::optional<std::string>(value);
    }
  }
  return std::nullopt;
}

std::vector<std::string> Parameters::All(std::string_view name) const {
  std::vector<std::string> values;
  for (const auto& [key, value] : form_) {
    if (key == name) {
      values.push_back(value);
    }
  }
  return values;
}

Result<int64_t> Parameters::Time(std::string_view name, int64_t fallback_ms) const {
  const auto text = Get(name);
  if (!text) {
    return fallback_ms;
  }
  auto time = ParseTimeMs(*text);
  if (!time.ok()) {
    return time.error().WithContext(fmt::format("invalid parameter \"{}\"", name));
  }
  return time;
}

Result<std::optional<std::chrono::milliseconds>> Parameters::Duration(std::string_view name) const {
  const auto text = Get(name);
  if (!text) {
    return std::optional<std::chrono::milliseconds>();
  }
  auto duration = ParseApiDuration(*text);
  if (!duration.ok()) {
    return duration.error().WithContext(fmt::format("invalid parameter \"{}\"", name));
  }
  return std::optional<std::chrono::milliseconds>(*duration);
}

Result<size_t> Parameters::Limit(std::string_view name) const {
  const auto text = Get(name);
  if (!text) {
    return size_t{0};
  }
  const auto limit = base::ParseUint(*text);
  if (!limit) {
    return Invalid(
        fmt::format("invalid parameter \"{}\": \"{}\" is not a number of at least 0", name, *text));
  }
  return static_cast<size_t>(*limit);
}

Result<storage::TimeRange> Parameters::TimeRange() const {
  storage::TimeRange range;
  ASSIGN_OR_RETURN(range.start_ms, Time("start", kMinTimeMs));
  ASSIGN_OR_RETURN(range.end_ms, Time("end", kMaxTimeMs));
  if (range.end_ms < range.start_ms) {
    return Invalid("invalid parameter \"end\": it is before start");
  }
  return range;
}

Result<std::vector<std::vector<model::Matcher>>> Parameters::Selectors() const {
  const std::vector<std::string> texts = All("match[]");
  if (texts.size() > kMaxSelectors) {
    return Invalid(fmt::format("invalid parameter \"match[]\": more than {}", kMaxSelectors));
  }
  std::vector<std::vector<model::Matcher>> selectors;
  for (const std::string& text : texts) {
    auto matchers = promql::ParseSelector(text);
    if (!matchers.ok()) {
      return matchers.error().WithContext("invalid parameter \"match[]\"");
    }
    selectors.push_back(*std::move(matchers));
  }
  return selectors;
}

}  // namespace web
