#include "lib/model/matcher.h"

#include <algorithm>
#include <cstdint>

#include <fmt/format.h>
#include <re2/re2.h>

#include "lib/base/json_writer.h"
#include "lib/base/strings.h"

namespace model {
namespace {

constexpr int64_t kRegexMemoryBytes = 8 << 20;

std::optional<std::vector<std::string>> LiteralAlternatives(std::string_view pattern) {
  if (pattern.find_first_of("\\.+*?()[]{}^$") != std::string_view::npos) {
    return std::nullopt;
  }
  std::vector<std::string> words;
  for (const std::string_view word : base::Split(pattern, '|')) {
    words.emplace_back(word);
  }
  std::sort(words.begin(), words.end());
  words.erase(std::unique(words.begin(), words.end()), words.end());
  return words;
}

RE2::Options RegexOptions() {
  RE2::Options options(RE2::Quiet);
  options.set_dot_nl(true);
  options.set_max_mem(kRegexMemoryBytes);
  return options;
}

}  // namespace

struct Matcher::Regex {
  explicit Regex(const std::string& pattern) : re("^(?s:" + pattern + ")$", RegexOptions()) {}
  RE2 re;
};

std::string_view MatchOperator(MatchType type) {
  switch (type) {
    case MatchType::kEqual:
      return "=";
    case MatchType::kNotEqual:
      return "!=";
    case MatchType::kRegex:
      return "=~";
    case MatchType::kNotRegex:
      return "!~";
  }
  return "=";
}

base::Result<Matcher> Matcher::Make(MatchType type, std::string name, std::string value) {
  Matcher matcher(type, std::move(name), std::move(value));
  if (type == MatchType::kEqual || type == MatchType::kNotEqual) {
    return matcher;
  }
  if (matcher.value_.size() > kMaxRegexBytes) {
    return base::Error(fmt::format("regular expression for label {}: longer than {} bytes",
                                   matcher.name_, kMaxRegexBytes),
                       base::ErrorKind::kInvalidArgument);
  }
  matcher.literals_ = LiteralAlternatives(matcher.value_);
  if (!matcher.literals_) {
    auto regex = std::make_shared<const Regex>(matcher.value_);
    if (!regex->re.ok()) {
      return base::Error(fmt::format("error parsing regexp: {}", regex->re.error()),
                         base::ErrorKind::kInvalidArgument);
    }
    matcher.regex_ = std::move(regex);
  }
  return matcher;
}

Matcher Matcher::Equal(std::string name, std::string value) {
  return Matcher(MatchType::kEqual, std::move(name), std::move(value));
}

bool Matcher::Matches(std::string_view value) const {
  switch (type_) {
    case MatchType::kEqual:
      return value == value_;
    case MatchType::kNotEqual:
      return value != value_;
    case MatchType::kRegex:
    case MatchType::kNotRegex:
      break;
  }
  const bool found = literals_
                         ? std::binary_search(literals_->begin(), literals_->end(), value)
                         : RE2::FullMatch(re2::StringPiece(value.data(), value.size()), regex_->re);
  return found == (type_ == MatchType::kRegex);
}

std::string Matcher::ToString() const {
  std::string out = name_;
  out += MatchOperator(type_);
  base::AppendJsonString(value_, &out);
  return out;
}

}  // namespace model
