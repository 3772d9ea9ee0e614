// Text to tokens. Words are keywords in any case, except inside braces, where they are label names.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "agent/promql/operators.h"

namespace promql {

enum class TokenKind : uint8_t {
  kEnd,
  kError,             // `value` says what is wrong.
  kIdentifier,        // No colon in it.
  kMetricIdentifier,  // With a colon.
  kNumber,            // `number` is the value.
  kDuration,          // `number` is the value in seconds.
  kString,            // `value` is the text without quotes and escapes.
  kOperator,          // `op` is the operator.
  kAssign,            // =
  kMatchRegex,        // =~
  kMatchNotRegex,     // !~
  kLeftParen,
  kRightParen,
  kLeftBrace,
  kRightBrace,
  kLeftBracket,
  kRightBracket,
  kComma,
  kColon,
  kAt,
  kAggregator,  // A row of aggregations.h.
  kOffset,
  kBy,
  kWithout,
  kOn,
  kIgnoring,
  kGroupLeft,
  kGroupRight,
  kBool,
  kStart,
  kEndWord,  // `end`, as in @ end().
};

struct Token {
  TokenKind kind = TokenKind::kEnd;
  size_t position = 0;  // Byte offset.
  std::string_view text;
  std::string value = {};
  double number = 0;
  const Operator* op = nullptr;

  size_t end() const { return position + text.size(); }
  bool is_word() const;  // Usable as a label name.
  // As Prometheus names it in "unexpected …".
  std::string Describe() const;
};

// Always ends with kEnd or kError. The tokens point into `text`.
std::vector<Token> Lex(std::string_view text);

}  // namespace promql
