// Label matchers: = != =~ !~. Regular expressions are RE2, anchored at both ends, and '.' also
// matches a newline (Prometheus 3.x).
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "lib/base/result.h"
#include "lib/model/labels.h"

namespace model {

enum class MatchType { kEqual, kNotEqual, kRegex, kNotRegex };

// "=", "!=", "=~", "!~".
std::string_view MatchOperator(MatchType type);

// Immutable, cheap to copy, thread-safe.
class Matcher {
 public:
  static constexpr size_t kMaxRegexBytes = 16 << 10;

  // Errors: kInvalidArgument for a regular expression that does not compile or is longer than
  // kMaxRegexBytes.
  static base::Result<Matcher> Make(MatchType type, std::string name, std::string value);
  static Matcher Equal(std::string name, std::string value);

  MatchType type() const { return type_; }
  const std::string& name() const { return name_; }
  const std::string& value() const { return value_; }

  // An absent label has the value "".
  bool Matches(std::string_view value) const;
  bool Matches(const Labels& labels) const { return Matches(labels.Get(name_)); }

  // For =~ of plain words ("a|b|c", "a"): exactly the values that can match, so that an index looks
  // them up instead of testing every value.
  const std::optional<std::vector<std::string>>& literals() const { return literals_; }

  // `name=~"value"`, escaped.
  std::string ToString() const;

 private:
  struct Regex;
  Matcher(MatchType type, std::string name, std::string value)
      : type_(type), name_(std::move(name)), value_(std::move(value)) {}

  MatchType type_;
  std::string name_;
  std::string value_;
  std::shared_ptr<const Regex> regex_;
  std::optional<std::vector<std::string>> literals_;
};

}  // namespace model
