// Cuts a template into text and the tokens of its actions.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace tmpl {

struct Token {
  enum class Kind {
    kText,
    kOpen,   // {{
    kClose,  // }}
    kIdentifier,
    kKeyword,   // if, else, end, …
    kField,     // .name
    kDot,       // .
    kVariable,  // $ or $name
    kString,    // "…", escapes undone in `text`.
    kRune,      // 'x', as a decimal number in `text`.
    kNumber,
    kBool,
    kNil,
    kPipe,
    kComma,
    kDeclare,  // :=
    kAssign,   // =
    kLeftParen,
    kRightParen,
    kEnd,
    kError,  // `text` says what is wrong.
  };
  Kind kind = Kind::kEnd;
  std::string text;
  int line = 1;
  size_t begin = 0;  // Offsets into the template.
  size_t end = 0;
  bool space_before = false;
};

// After kEnd or kError it gives the same token again.
class Lexer {
 public:
  explicit Lexer(std::string_view input) : input_(input) {}

  Token Next();

 private:
  Token NextText();
  Token NextInAction();
  Token Open(size_t begin);
  bool SkipComment(bool* trims_after);
  Token Quoted();
  Token RawString();
  Token Rune();
  Token Number();
  Token Word();
  Token FieldOrDot();
  Token Variable();
  Token Symbol();
  Token Make(Token::Kind kind, size_t begin, std::string text);
  Token Fail(std::string message);
  void AdvanceTo(size_t position);
  bool AtTrimmedClose() const;

  const std::string_view input_;
  size_t at_ = 0;
  int line_ = 1;
  bool in_action_ = false;
  bool trim_next_text_ = false;
  bool space_before_ = false;
  bool failed_ = false;
  std::string failure_;
};

}  // namespace tmpl
