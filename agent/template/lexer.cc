#include "agent/template/lexer.h"

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <optional>
#include <utility>

#include <fmt/format.h>

namespace tmpl {
namespace {

constexpr std::string_view kOpenMark = "{{";
constexpr std::string_view kCloseMark = "}}";
constexpr std::string_view kSpaces = " \t\r\n";
constexpr std::string_view kKeywords[] = {"block", "break", "continue", "define",   "else",
                                          "end",   "if",    "range",    "template", "with"};

bool IsSpace(char c) { return kSpaces.find(c) != std::string_view::npos; }
bool IsDigit(char c) { return c >= '0' && c <= '9'; }
bool IsWordByte(char c) {
  return IsDigit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
         static_cast<unsigned char>(c) >= 0x80;
}

std::string_view TrimLeft(std::string_view text) {
  const size_t first = text.find_first_not_of(kSpaces);
  return first == std::string_view::npos ? std::string_view() : text.substr(first);
}
std::string_view TrimRight(std::string_view text) {
  return text.substr(0, text.find_last_not_of(kSpaces) + 1);
}

// "- " after "{{": the text before loses its trailing space.
bool HasLeftTrim(std::string_view after_open) {
  return after_open.size() >= 2 && after_open[0] == '-' && IsSpace(after_open[1]);
}

void AppendUtf8(uint32_t c, std::string* out) {
  const auto tail = [c](int shift) { return static_cast<char>(0x80 | ((c >> shift) & 0x3f)); };
  if (c < 0x80) {
    *out += static_cast<char>(c);
  } else if (c < 0x800) {
    *out += {static_cast<char>(0xc0 | (c >> 6)), tail(0)};
  } else if (c < 0x10000) {
    *out += {static_cast<char>(0xe0 | (c >> 12)), tail(6), tail(0)};
  } else {
    *out += {static_cast<char>(0xf0 | (c >> 18)), tail(12), tail(6), tail(0)};
  }
}

std::optional<uint32_t> ParseDigits(std::string_view text, uint32_t base) {
  uint32_t value = 0;
  for (const char c : text) {
    const uint32_t digit = IsDigit(c)             ? static_cast<uint32_t>(c - '0')
                           : c >= 'a' && c <= 'f' ? static_cast<uint32_t>(c - 'a' + 10)
                           : c >= 'A' && c <= 'F' ? static_cast<uint32_t>(c - 'A' + 10)
                                                  : base;
    if (digit >= base) {
      return std::nullopt;
    }
    value = value * base + digit;
  }
  return value;
}

struct NumericEscape {
  char letter;
  size_t digits;
};
constexpr NumericEscape kNumericEscapes[] = {{'x', 2}, {'u', 4}, {'U', 8}};
constexpr std::pair<char, char> kPlainEscapes[] = {{'a', '\a'}, {'b', '\b'}, {'f', '\f'},
                                                   {'n', '\n'}, {'r', '\r'}, {'t', '\t'},
                                                   {'v', '\v'}, {'\\', '\\'}};

// The escape that starts `text` (after its backslash) appended to `out`; its length, 0 if it is
// none.
size_t Unescape(std::string_view text, char quote, std::string* out) {
  if (text.empty()) {
    return 0;
  }
  if (text[0] == quote) {
    *out += quote;
    return 1;
  }
  for (const auto& [letter, character] : kPlainEscapes) {
    if (text[0] == letter) {
      *out += character;
      return 1;
    }
  }
  for (const auto& [letter, digits] : kNumericEscapes) {
    if (text[0] == letter && text.size() > digits) {
      const auto code = ParseDigits(text.substr(1, digits), 16);
      if (!code || *code > 0x10ffff || (*code >= 0xd800 && *code < 0xe000)) {
        return 0;
      }
      if (letter == 'x') {
        *out += static_cast<char>(*code);
      } else {
        AppendUtf8(*code, out);
      }
      return digits + 1;
    }
  }
  if (text.size() >= 3) {
    const auto code = ParseDigits(text.substr(0, 3), 8);
    if (code && *code < 256) {
      *out += static_cast<char>(*code);
      return 3;
    }
  }
  return 0;
}

// The code point that `text` consists of.
std::optional<uint32_t> SingleRune(std::string_view text) {
  if (text.empty()) {
    return std::nullopt;
  }
  const auto lead = static_cast<unsigned char>(text[0]);
  const size_t length = lead < 0x80 ? 1 : lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
  if (text.size() != length) {
    return std::nullopt;
  }
  uint32_t code = length == 1 ? lead : lead & (0xffU >> (length + 1));
  for (size_t i = 1; i < length; ++i) {
    code = code << 6 | (static_cast<unsigned char>(text[i]) & 0x3fU);
  }
  return code;
}

}  // namespace

Token Lexer::Make(Token::Kind kind, size_t begin, std::string text) {
  return {.kind = kind,
          .text = std::move(text),
          .line = line_,
          .begin = begin,
          .end = at_,
          .space_before = std::exchange(space_before_, false)};
}

Token Lexer::Fail(std::string message) {
  failed_ = true;
  failure_ = std::move(message);
  return Make(Token::Kind::kError, at_, failure_);
}

void Lexer::AdvanceTo(size_t position) {
  line_ +=
      static_cast<int>(std::count(input_.begin() + static_cast<std::ptrdiff_t>(at_),
                                  input_.begin() + static_cast<std::ptrdiff_t>(position), '\n'));
  at_ = position;
}

Token Lexer::Next() {
  if (failed_) {
    return Make(Token::Kind::kError, at_, failure_);
  }
  return in_action_ ? NextInAction() : NextText();
}

Token Lexer::NextText() {
  for (;;) {
    const size_t begin = at_;
    const size_t open = std::min(input_.find(kOpenMark, at_), input_.size());
    std::string_view text = input_.substr(begin, open - begin);
    if (std::exchange(trim_next_text_, false)) {
      text = TrimLeft(text);
    }
    if (open < input_.size() && HasLeftTrim(input_.substr(open + kOpenMark.size()))) {
      text = TrimRight(text);
    }
    const int line = line_;
    AdvanceTo(open);
    if (!text.empty()) {
      Token token = Make(Token::Kind::kText, begin, std::string(text));
      token.line = line;
      return token;
    }
    if (open == input_.size()) {
      return Make(Token::Kind::kEnd, open, "");
    }
    bool trims_after = false;
    const size_t comments_begin = at_;
    if (!SkipComment(&trims_after)) {
      return failed_ ? Make(Token::Kind::kError, at_, failure_) : Open(comments_begin);
    }
    trim_next_text_ = trims_after;
  }
}

Token Lexer::Open(size_t begin) {
  AdvanceTo(at_ + kOpenMark.size());
  if (HasLeftTrim(input_.substr(at_))) {
    AdvanceTo(at_ + 2);
  }
  in_action_ = true;
  return Make(Token::Kind::kOpen, begin, std::string(kOpenMark));
}

// Skips "{{/* … */}}", with or without trim marks. False when there is no comment here, or when it
// is malformed and the lexer has failed.
bool Lexer::SkipComment(bool* trims_after) {
  size_t at = at_ + kOpenMark.size();
  if (HasLeftTrim(input_.substr(at))) {
    at += 2;
  }
  if (input_.substr(at, 2) != "/*") {
    return false;
  }
  const size_t end = input_.find("*/", at + 2);
  if (end == std::string_view::npos) {
    Fail("unclosed comment");
    return false;
  }
  at = end + 2;
  const std::string_view rest = input_.substr(at);
  *trims_after = rest.size() >= 4 && IsSpace(rest[0]) && rest.substr(1, 3) == "-}}";
  if (*trims_after) {
    at += 2;
  }
  if (input_.substr(at, kCloseMark.size()) != kCloseMark) {
    Fail("comment ends before closing delimiter");
    return false;
  }
  AdvanceTo(at + kCloseMark.size());
  return true;
}

bool Lexer::AtTrimmedClose() const { return space_before_ && input_.substr(at_, 3) == "-}}"; }

Token Lexer::NextInAction() {
  while (at_ < input_.size() && IsSpace(input_[at_])) {
    space_before_ = true;
    AdvanceTo(at_ + 1);
  }
  const bool trimmed = AtTrimmedClose();
  if (trimmed || input_.substr(at_, kCloseMark.size()) == kCloseMark) {
    const size_t begin = at_;
    AdvanceTo(at_ + kCloseMark.size() + (trimmed ? 1 : 0));
    in_action_ = false;
    trim_next_text_ = trimmed;
    return Make(Token::Kind::kClose, begin, std::string(kCloseMark));
  }
  if (at_ == input_.size()) {
    return Fail("unclosed action");
  }
  const char c = input_[at_];
  const bool digit_follows = at_ + 1 < input_.size() && IsDigit(input_[at_ + 1]);
  if (c == '"') {
    return Quoted();
  }
  if (c == '`') {
    return RawString();
  }
  if (c == '\'') {
    return Rune();
  }
  if (c == '$') {
    return Variable();
  }
  if (IsDigit(c) || ((c == '+' || c == '-' || c == '.') && digit_follows)) {
    return Number();
  }
  if (c == '.') {
    return FieldOrDot();
  }
  return IsWordByte(c) ? Word() : Symbol();
}

Token Lexer::Quoted() {
  const size_t begin = at_;
  std::string text;
  for (size_t at = at_ + 1; at < input_.size() && input_[at] != '\n'; ++at) {
    if (input_[at] == '"') {
      AdvanceTo(at + 1);
      return Make(Token::Kind::kString, begin, std::move(text));
    }
    if (input_[at] != '\\') {
      text += input_[at];
      continue;
    }
    const size_t length = Unescape(input_.substr(at + 1), '"', &text);
    if (length == 0) {
      return Fail("invalid escape in string");
    }
    at += length;
  }
  return Fail("unterminated quoted string");
}

Token Lexer::RawString() {
  const size_t begin = at_;
  const size_t end = input_.find('`', at_ + 1);
  if (end == std::string_view::npos) {
    return Fail("unterminated raw quoted string");
  }
  const int line = line_;
  AdvanceTo(end + 1);
  Token token =
      Make(Token::Kind::kString, begin, std::string(input_.substr(begin + 1, end - begin - 1)));
  token.line = line;
  return token;
}

Token Lexer::Rune() {
  const size_t begin = at_;
  std::string text;
  for (size_t at = at_ + 1; at < input_.size() && input_[at] != '\n'; ++at) {
    if (input_[at] == '\'') {
      const auto code = SingleRune(text);
      if (!code) {
        return Fail("malformed character constant");
      }
      AdvanceTo(at + 1);
      return Make(Token::Kind::kRune, begin, std::to_string(*code));
    }
    if (input_[at] != '\\') {
      text += input_[at];
      continue;
    }
    const size_t length = Unescape(input_.substr(at + 1), '\'', &text);
    if (length == 0) {
      return Fail("malformed character constant");
    }
    at += length;
  }
  return Fail("unterminated character constant");
}

Token Lexer::Number() {
  const size_t begin = at_;
  size_t at = at_;
  const auto is_exponent = [this](size_t i) {
    return (input_[i] == 'e' || input_[i] == 'E') && input_.substr(at_, 2) != "0x" &&
           input_.substr(at_, 2) != "0X";
  };
  ++at;
  while (at < input_.size() &&
         (IsWordByte(input_[at]) || input_[at] == '.' ||
          ((input_[at] == '+' || input_[at] == '-') && is_exponent(at - 1)))) {
    ++at;
  }
  AdvanceTo(at);
  return Make(Token::Kind::kNumber, begin, std::string(input_.substr(begin, at - begin)));
}

Token Lexer::Word() {
  const size_t begin = at_;
  size_t at = at_;
  while (at < input_.size() && IsWordByte(input_[at])) {
    ++at;
  }
  AdvanceTo(at);
  std::string word(input_.substr(begin, at - begin));
  const bool keyword =
      std::find(std::begin(kKeywords), std::end(kKeywords), word) != std::end(kKeywords);
  const Token::Kind kind = keyword                             ? Token::Kind::kKeyword
                           : word == "true" || word == "false" ? Token::Kind::kBool
                           : word == "nil"                     ? Token::Kind::kNil
                                                               : Token::Kind::kIdentifier;
  return Make(kind, begin, std::move(word));
}

Token Lexer::FieldOrDot() {
  const size_t begin = at_;
  size_t at = at_ + 1;
  while (at < input_.size() && IsWordByte(input_[at])) {
    ++at;
  }
  AdvanceTo(at);
  const bool dot = at == begin + 1;
  return Make(dot ? Token::Kind::kDot : Token::Kind::kField, begin,
              std::string(input_.substr(begin + 1, at - begin - 1)));
}

Token Lexer::Variable() {
  const size_t begin = at_;
  size_t at = at_ + 1;
  while (at < input_.size() && IsWordByte(input_[at])) {
    ++at;
  }
  AdvanceTo(at);
  return Make(Token::Kind::kVariable, begin, std::string(input_.substr(begin, at - begin)));
}

Token Lexer::Symbol() {
  struct Row {
    std::string_view text;
    Token::Kind kind;
  };
  constexpr Row kSymbols[] = {
      {":=", Token::Kind::kDeclare},  {"=", Token::Kind::kAssign},
      {"|", Token::Kind::kPipe},      {",", Token::Kind::kComma},
      {"(", Token::Kind::kLeftParen}, {")", Token::Kind::kRightParen},
  };
  for (const Row& row : kSymbols) {
    if (input_.substr(at_, row.text.size()) == row.text) {
      const size_t begin = at_;
      AdvanceTo(at_ + row.text.size());
      return Make(row.kind, begin, std::string(row.text));
    }
  }
  const unsigned char c = static_cast<unsigned char>(input_[at_]);
  return Fail(c >= 0x20 && c < 0x7f ? fmt::format("unexpected '{}' in action", input_[at_])
                                    : fmt::format("unexpected byte 0x{:02x} in action", c));
}

}  // namespace tmpl
