#include "exporters/redis/lua_pattern.h"

#include <array>
#include <cctype>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

namespace exporters::redis {
namespace {

constexpr size_t kNone = std::string_view::npos;

unsigned char Byte(char c) { return static_cast<unsigned char>(c); }

// One of %a, %d, …; an upper-case letter negates; anything else stands for itself.
bool InClass(char c, char name) {
  bool in = false;
  switch (std::tolower(Byte(name))) {
    case 'a':
      in = std::isalpha(Byte(c)) != 0;
      break;
    case 'c':
      in = std::iscntrl(Byte(c)) != 0;
      break;
    case 'd':
      in = std::isdigit(Byte(c)) != 0;
      break;
    case 'g':
      in = std::isgraph(Byte(c)) != 0;
      break;
    case 'l':
      in = std::islower(Byte(c)) != 0;
      break;
    case 'p':
      in = std::ispunct(Byte(c)) != 0;
      break;
    case 's':
      in = std::isspace(Byte(c)) != 0;
      break;
    case 'u':
      in = std::isupper(Byte(c)) != 0;
      break;
    case 'w':
      in = std::isalnum(Byte(c)) != 0;
      break;
    case 'x':
      in = std::isxdigit(Byte(c)) != 0;
      break;
    default:
      return name == c;
  }
  return in != (std::isupper(Byte(name)) != 0);
}

// Where the single-character class at `p` ends; kNone when it is malformed.
size_t ClassEnd(std::string_view pattern, size_t p) {
  const char first = pattern[p++];
  if (first == '%') {
    return p < pattern.size() ? p + 1 : kNone;
  }
  if (first != '[') {
    return p;
  }
  p += p < pattern.size() && pattern[p] == '^' ? 1U : 0U;
  do {  // A ']' right at the start is a character of the set.
    if (p >= pattern.size()) {
      return kNone;
    }
    p += pattern[p] == '%' ? 2U : 1U;
  } while (p >= pattern.size() || pattern[p] != ']');
  return p + 1;
}

bool InSet(char c, std::string_view set) {
  size_t i = 1;
  const bool negated = set[i] == '^';
  i += negated ? 1U : 0U;
  for (; i + 1 < set.size(); ++i) {
    if (set[i] == '%' && i + 2 < set.size()) {
      if (InClass(c, set[++i])) {
        return !negated;
      }
    } else if (i + 3 < set.size() && set[i + 1] == '-') {
      if (Byte(set[i]) <= Byte(c) && Byte(c) <= Byte(set[i + 2])) {
        return !negated;
      }
      i += 2;
    } else if (set[i] == c) {
      return !negated;
    }
  }
  return negated;
}

bool MatchesClass(char c, std::string_view pattern_class) {
  switch (pattern_class[0]) {
    case '.':
      return true;
    case '%':
      return InClass(c, pattern_class[1]);
    case '[':
      return InSet(c, pattern_class);
    default:
      return pattern_class[0] == c;
  }
}

struct Capture {
  size_t start = 0;
  size_t end = kNone;  // Still open.
};

// One attempt at one start. Recursion is one level an element of the pattern, so at most
// kMaxPatternBytes deep.
class Matcher {
 public:
  Matcher(std::string_view pattern, std::string_view text, size_t* steps)
      : pattern_(pattern), text_(text), steps_(steps) {}

  // Where the match ends.
  size_t Match(size_t s, size_t p) {
    if (*steps_ == 0) {
      return kNone;
    }
    --*steps_;
    if (p == pattern_.size()) {
      return s;
    }
    if (pattern_[p] == '(') {
      return Open(s, p + 1);
    }
    if (pattern_[p] == ')') {
      return Close(s, p + 1);
    }
    if (pattern_[p] == '$' && p + 1 == pattern_.size()) {
      return s == text_.size() ? s : kNone;
    }
    if (pattern_[p] == '%' && pattern_[p + 1] == 'b') {
      const size_t after = Balanced(s, pattern_[p + 2], pattern_[p + 3]);
      return after == kNone ? kNone : Match(after, p + 4);
    }
    return MatchRepeated(s, p);
  }

  const std::vector<Capture>& captures() const { return captures_; }

 private:
  size_t MatchRepeated(size_t s, size_t p) {
    const size_t end = ClassEnd(pattern_, p);
    const std::string_view pattern_class = pattern_.substr(p, end - p);
    const char suffix = end < pattern_.size() ? pattern_[end] : '\0';
    switch (suffix) {
      case '?': {
        const size_t with = Fits(s, pattern_class) ? Match(s + 1, end + 1) : kNone;
        return with != kNone ? with : Match(s, end + 1);
      }
      case '+':
        return Fits(s, pattern_class) ? Longest(s + 1, pattern_class, end + 1) : kNone;
      case '*':
        return Longest(s, pattern_class, end + 1);
      case '-':
        return Shortest(s, pattern_class, end + 1);
      default:
        return Fits(s, pattern_class) ? Match(s + 1, end) : kNone;
    }
  }

  bool Fits(size_t s, std::string_view pattern_class) const {
    return s < text_.size() && MatchesClass(text_[s], pattern_class);
  }

  size_t Longest(size_t s, std::string_view pattern_class, size_t rest) {
    size_t count = 0;
    while (Fits(s + count, pattern_class)) {
      ++count;
    }
    for (size_t i = count + 1; i-- > 0;) {
      if (const size_t end = Match(s + i, rest); end != kNone) {
        return end;
      }
    }
    return kNone;
  }

  size_t Shortest(size_t s, std::string_view pattern_class, size_t rest) {
    for (;; ++s) {
      if (const size_t end = Match(s, rest); end != kNone) {
        return end;
      }
      if (*steps_ == 0 || !Fits(s, pattern_class)) {
        return kNone;
      }
    }
  }

  size_t Balanced(size_t s, char open, char close) const {
    if (s >= text_.size() || text_[s] != open) {
      return kNone;
    }
    size_t depth = 1;
    for (size_t i = s + 1; i < text_.size(); ++i) {
      if (text_[i] == close) {
        if (--depth == 0) {
          return i + 1;
        }
      } else if (text_[i] == open) {
        ++depth;
      }
    }
    return kNone;
  }

  size_t Open(size_t s, size_t p) {
    captures_.push_back({.start = s});
    const size_t end = Match(s, p);
    if (end == kNone) {
      captures_.pop_back();
    }
    return end;
  }

  size_t Close(size_t s, size_t p) {
    size_t open = captures_.size();
    while (open > 0 && captures_[open - 1].end != kNone) {
      --open;
    }
    if (open == 0) {
      return kNone;
    }
    captures_[open - 1].end = s;
    const size_t end = Match(s, p);
    if (end == kNone) {
      captures_[open - 1].end = kNone;
    }
    return end;
  }

  const std::string_view pattern_;
  const std::string_view text_;
  size_t* const steps_;
  std::vector<Capture> captures_;
};

base::Error Bad(std::string_view pattern, std::string_view why) {
  return base::Error(fmt::format("Lua pattern \"{}\": {}", pattern, why),
                     base::ErrorKind::kInvalidArgument);
}

// Nothing when the element at `p` is sound, else why not; moves `p` behind it.
const char* CheckElement(std::string_view pattern, size_t* p) {
  if (pattern[*p] == '%' && *p + 1 < pattern.size()) {
    const char name = pattern[*p + 1];
    if (std::isdigit(Byte(name)) != 0 || name == 'f') {
      return "back-references (%1) and frontiers (%f) are not supported";
    }
    if (name == 'b') {
      *p += 4;
      return *p > pattern.size() ? "%b needs two characters" : nullptr;
    }
  }
  *p = ClassEnd(pattern, *p);
  return *p == kNone || *p > pattern.size() ? "it ends in the middle of a class" : nullptr;
}

}  // namespace

base::Result<LuaPattern> LuaPattern::Parse(std::string_view pattern) {
  if (pattern.empty() || pattern.size() > kMaxPatternBytes) {
    return Bad(pattern.substr(0, 40), "1 to 1024 bytes are expected");
  }
  size_t opened = 0;
  size_t closed = 0;
  for (size_t p = 0; p < pattern.size();) {
    if (pattern[p] == '(') {
      ++opened;
      ++p;
    } else if (pattern[p] == ')') {
      ++p;
      if (++closed > opened) {
        return Bad(pattern, "a ) has no (");
      }
    } else if (const char* why = CheckElement(pattern, &p); why != nullptr) {
      return Bad(pattern, why);
    }
  }
  if (opened != closed || opened > kMaxCaptures) {
    return Bad(pattern, opened != closed ? "a ( has no )" : "more than 32 captures");
  }
  return LuaPattern(std::string(pattern));
}

std::optional<std::string> LuaPattern::Group(std::string_view text) const {
  const bool anchored = pattern_[0] == '^';
  size_t steps = kMaxPatternSteps;
  for (size_t start = 0; start <= text.size() && (start == 0 || !anchored); ++start) {
    Matcher matcher(pattern_, text, &steps);
    const size_t end = matcher.Match(start, anchored ? 1 : 0);
    if (end == kNone) {
      continue;
    }
    if (matcher.captures().empty()) {
      return std::string(text.substr(start, end - start));
    }
    std::string joined;
    for (const Capture& capture : matcher.captures()) {
      joined += text.substr(capture.start, capture.end - capture.start);
    }
    return joined;
  }
  return std::nullopt;
}

}  // namespace exporters::redis
