#include "agent/promql/lexer.h"

#include <algorithm>
#include <charconv>
#include <limits>
#include <optional>

#include <fmt/format.h>

#include "agent/promql/aggregations.h"
#include "agent/promql/quote.h"
#include "lib/base/duration.h"
#include "lib/base/strings.h"

namespace promql {
namespace {

struct Keyword {
  std::string_view text;
  TokenKind kind;
};
constexpr Keyword kKeywords[] = {
    {"offset", TokenKind::kOffset},
    {"by", TokenKind::kBy},
    {"without", TokenKind::kWithout},
    {"on", TokenKind::kOn},
    {"ignoring", TokenKind::kIgnoring},
    {"group_left", TokenKind::kGroupLeft},
    {"group_right", TokenKind::kGroupRight},
    {"bool", TokenKind::kBool},
    {"start", TokenKind::kStart},
    {"end", TokenKind::kEndWord},
};

struct Punctuation {
  char character;
  TokenKind kind;
};
constexpr Punctuation kPunctuation[] = {
    {'(', TokenKind::kLeftParen},  {')', TokenKind::kRightParen},  {'{', TokenKind::kLeftBrace},
    {'}', TokenKind::kRightBrace}, {'[', TokenKind::kLeftBracket}, {']', TokenKind::kRightBracket},
    {',', TokenKind::kComma},      {'@', TokenKind::kAt},
};

bool IsSpace(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }
bool IsDigit(char c) { return c >= '0' && c <= '9'; }
bool IsAlpha(char c) { return c == '_' || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool IsWordChar(char c) { return IsAlpha(c) || IsDigit(c); }

// Underscores may stand between digits. Integers take 0x and a leading 0 for octal, as in Go.
std::optional<double> ParseNumber(std::string_view text) {
  std::string digits;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '_') {
      digits += text[i];
    } else if (i == 0 || i + 1 == text.size() || !IsWordChar(text[i - 1]) || text[i - 1] == '_') {
      return std::nullopt;
    }
  }
  const auto whole = [](std::string_view part, int base) -> std::optional<double> {
    uint64_t value = 0;
    const char* end = part.data() + part.size();
    const auto [at, ec] = std::from_chars(part.data(), end, value, base);
    if (part.empty() || ec != std::errc{} || at != end) {
      return std::nullopt;
    }
    return static_cast<double>(value);
  };
  if (digits.size() > 1 && digits[0] == '0') {
    if (digits[1] == 'x' || digits[1] == 'X') {
      return whole(std::string_view(digits).substr(2), 16);
    }
    if (const auto octal = whole(digits, 8)) {
      return octal;
    }
  }
  return base::ParseDouble(digits);
}

// A byte that is no UTF-8 stands for itself.
std::string_view FirstRune(std::string_view text) {
  return text.substr(0, std::max<size_t>(1, RuneLength(text.substr(0, 4))));
}

class Lexer {
 public:
  explicit Lexer(std::string_view text) : text_(text) {}

  std::vector<Token> Run() {
    while (Step()) {
    }
    return std::move(tokens_);
  }

 private:
  char Peek(size_t ahead = 0) const {
    return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\0';
  }
  bool AtEnd() const { return at_ >= text_.size(); }
  std::string_view RuneHere() const { return FirstRune(text_.substr(at_)); }
  // The one after the next, quoted, for errors.
  std::string NextRune() const {
    const std::string_view rest = text_.substr(at_ + 1);
    return rest.empty() ? "end of input" : QuoteRune(FirstRune(rest));
  }

  Token& Emit(TokenKind kind, size_t length) {
    tokens_.push_back({.kind = kind, .position = at_, .text = text_.substr(at_, length)});
    at_ += length;
    return tokens_.back();
  }

  bool Fail(std::string message) { return FailAt(at_, std::move(message)); }
  bool FailAt(size_t position, std::string message) {
    tokens_.push_back(
        {.kind = TokenKind::kError, .position = position, .value = std::move(message)});
    return false;
  }

  void SkipSpaceAndComments() {
    while (!AtEnd() && (IsSpace(Peek()) || Peek() == '#')) {
      at_ = Peek() == '#' ? std::min(text_.find('\n', at_), text_.size()) : at_ + 1;
    }
  }

  // One token; false at the end or on an error.
  bool Step() {
    SkipSpaceAndComments();
    if (AtEnd()) {
      return Finish();
    }
    const char c = Peek();
    if (c == '"' || c == '\'') {
      return QuotedString(c);
    }
    if (c == '`') {
      return RawString();
    }
    if (in_braces_) {
      return InsideBraces(c);
    }
    if (IsDigit(c) || (c == '.' && IsDigit(Peek(1)))) {
      return NumberOrDuration();
    }
    if (c == ':' && in_brackets_) {
      return Colon();
    }
    if (IsAlpha(c) || c == ':') {
      return Word();
    }
    return Symbol(c);
  }

  bool Finish() {
    if (in_braces_) {
      return Fail("unexpected end of input inside braces");
    }
    if (parens_ > 0) {
      return Fail("unclosed left parenthesis");
    }
    if (in_brackets_) {
      return Fail("unclosed left bracket");
    }
    Emit(TokenKind::kEnd, 0);
    return false;
  }

  bool Colon() {
    if (got_colon_) {
      return Fail("unexpected colon ':'");
    }
    got_colon_ = true;
    Emit(TokenKind::kColon, 1);
    return true;
  }

  bool Symbol(char c) {
    for (const size_t length : {size_t{2}, size_t{1}}) {
      const std::string_view symbol = text_.substr(at_, length);
      if (const Operator* op = FindOperator(symbol)) {
        Emit(TokenKind::kOperator, symbol.size()).op = op;
        return true;
      }
    }
    if (c == '=') {
      if (Peek(1) == '~') {
        return Fail("unexpected character after '=': '~'");
      }
      Emit(TokenKind::kAssign, 1);
      return true;
    }
    if (c == '!') {
      return Fail("unexpected character after '!': " + NextRune());
    }
    return Bracket(c);
  }

  bool Bracket(char c) {
    const auto* found = std::find_if(std::begin(kPunctuation), std::end(kPunctuation),
                                     [c](const Punctuation& p) { return p.character == c; });
    if (found == std::end(kPunctuation)) {
      return Fail("unexpected character: " + QuoteRune(RuneHere()));
    }
    switch (found->kind) {
      case TokenKind::kLeftParen:
        ++parens_;
        break;
      case TokenKind::kRightParen:
        if (--parens_ < 0) {
          return FailAt(at_ + 1, "unexpected right parenthesis ')'");
        }
        break;
      case TokenKind::kLeftBrace:
        in_braces_ = true;
        break;
      case TokenKind::kRightBrace:
        return Fail("unexpected character: '}'");
      case TokenKind::kLeftBracket:
        if (in_brackets_) {
          return Fail("unexpected left bracket '['");
        }
        in_brackets_ = true;
        got_colon_ = false;
        break;
      case TokenKind::kRightBracket:
        if (!in_brackets_) {
          return Fail("unexpected right bracket ']'");
        }
        in_brackets_ = false;
        break;
      default:
        break;
    }
    Emit(found->kind, 1);
    return true;
  }

  bool InsideBraces(char c) {
    if (IsAlpha(c)) {
      size_t length = 1;
      while (IsWordChar(Peek(length))) {
        ++length;
      }
      Emit(TokenKind::kIdentifier, length);
      return true;
    }
    switch (c) {
      case ',':
        Emit(TokenKind::kComma, 1);
        return true;
      case '}':
        in_braces_ = false;
        Emit(TokenKind::kRightBrace, 1);
        return true;
      case '{':
        return Fail("unexpected left brace '{'");
      case '=':
        Peek(1) == '~' ? Emit(TokenKind::kMatchRegex, 2) : Emit(TokenKind::kAssign, 1);
        return true;
      case '!':
        return NegatedMatch();
      default:
        return Fail("unexpected character inside braces: " + QuoteRune(RuneHere()));
    }
  }

  bool NegatedMatch() {
    if (Peek(1) == '~') {
      Emit(TokenKind::kMatchNotRegex, 2);
      return true;
    }
    if (Peek(1) == '=') {
      Emit(TokenKind::kOperator, 2).op = FindOperator("!=");
      return true;
    }
    return Fail("unexpected character after '!' inside braces: " + NextRune());
  }

  bool Word() {
    size_t length = 1;
    while (IsWordChar(Peek(length)) || Peek(length) == ':') {
      ++length;
    }
    const std::string_view text = text_.substr(at_, length);
    const std::string word = base::ToLower(text);
    if (const Operator* op = FindOperator(word)) {
      Emit(TokenKind::kOperator, length).op = op;
      return true;
    }
    if (FindAggregation(word) != nullptr) {
      Emit(TokenKind::kAggregator, length).value = word;
      return true;
    }
    if (word == "inf" || word == "nan") {
      Emit(TokenKind::kNumber, length).number = word == "inf"
                                                    ? std::numeric_limits<double>::infinity()
                                                    : std::numeric_limits<double>::quiet_NaN();
      return true;
    }
    for (const Keyword& keyword : kKeywords) {
      if (keyword.text == word) {
        Emit(keyword.kind, length);
        return true;
      }
    }
    Emit(text.find(':') == std::string_view::npos ? TokenKind::kIdentifier
                                                  : TokenKind::kMetricIdentifier,
         length);
    return true;
  }

  bool NumberOrDuration() {
    const bool hex = Peek() == '0' && (Peek(1) == 'x' || Peek(1) == 'X');
    size_t length = 0;
    for (bool point = false;; ++length) {
      const char c = Peek(length);
      const bool sign = (c == '+' || c == '-') && length > 0 && !hex &&
                        (Peek(length - 1) == 'e' || Peek(length - 1) == 'E');
      if (!IsWordChar(c) && !(c == '.' && !point) && !sign) {
        break;
      }
      point = point || c == '.';
    }
    const std::string_view text = text_.substr(at_, length);
    if (const auto number = ParseNumber(text)) {
      Emit(TokenKind::kNumber, length).number = *number;
      return true;
    }
    if (const auto duration = base::ParseDuration(text)) {
      Emit(TokenKind::kDuration, length).number = static_cast<double>(duration->count()) / 1000;
      return true;
    }
    const size_t digits = std::min(text.find_first_not_of(hex ? "0x" : "0123456789."), text.size());
    return Fail(fmt::format("bad number or duration syntax: {}", Quote(text.substr(0, digits))));
  }

  bool QuotedString(char quote) {
    size_t length = 1;
    while (Peek(length) != quote) {
      if (at_ + length >= text_.size() || Peek(length) == '\n') {
        return Fail("unterminated quoted string");
      }
      length += size_t{Peek(length) == '\\' ? 2U : 1U};
    }
    auto value = Unescape(text_.substr(at_ + 1, length - 1), quote);
    if (!value) {
      return Fail(value.error().message());
    }
    Emit(TokenKind::kString, length + 1).value = *std::move(value);
    return true;
  }

  bool RawString() {
    const size_t close = text_.find('`', at_ + 1);
    if (close == std::string_view::npos) {
      return Fail("unterminated raw string");
    }
    const std::string_view inside = text_.substr(at_ + 1, close - at_ - 1);
    Emit(TokenKind::kString, inside.size() + 2).value = std::string(inside);
    return true;
  }

  std::string_view text_;
  size_t at_ = 0;
  int parens_ = 0;
  bool in_braces_ = false;
  bool in_brackets_ = false;
  bool got_colon_ = false;
  std::vector<Token> tokens_;
};

}  // namespace

bool Token::is_word() const {
  switch (kind) {
    case TokenKind::kIdentifier:
    case TokenKind::kAggregator:
    case TokenKind::kOffset:
    case TokenKind::kBy:
    case TokenKind::kWithout:
    case TokenKind::kOn:
    case TokenKind::kIgnoring:
    case TokenKind::kGroupLeft:
    case TokenKind::kGroupRight:
    case TokenKind::kBool:
    case TokenKind::kStart:
    case TokenKind::kEndWord:
      return true;
    case TokenKind::kOperator:
    case TokenKind::kNumber:
      return !text.empty() && IsAlpha(text.front());
    default:
      return false;
  }
}

std::string Token::Describe() const {
  switch (kind) {
    case TokenKind::kEnd:
      return "end of input";
    case TokenKind::kIdentifier:
      return "identifier " + Quote(text);
    case TokenKind::kMetricIdentifier:
      return "metric identifier " + Quote(text);
    case TokenKind::kNumber:
      return "number " + Quote(text);
    case TokenKind::kDuration:
      return "duration " + Quote(text);
    case TokenKind::kString:
      return "string " + Quote(text);
    case TokenKind::kOperator:
      return fmt::format("<op:{}>", text);
    case TokenKind::kAggregator:
      return fmt::format("<aggr:{}>", text);
    default:
      return is_word() ? fmt::format("<{}>", text) : Quote(text);
  }
}

std::vector<Token> Lex(std::string_view text) { return Lexer(text).Run(); }

}  // namespace promql
