#include "agent/notify/matcher_text.h"

#include <algorithm>
#include <optional>
#include <tuple>
#include <utility>

#include <fmt/format.h>

#include "lib/base/strings.h"

namespace notify {
namespace {

using model::MatchType;

struct Raw {
  MatchType type = MatchType::kEqual;
  std::string name;
  std::string value;
  bool operator==(const Raw&) const = default;
};
using RawMatchers = std::vector<Raw>;

constexpr std::string_view kSpace = " \t\r\n\f\v";
constexpr std::string_view kReserved = "{}!=~,\\\"'`";

struct Operator {
  std::string_view text;
  MatchType type;
};
constexpr Operator kOperators[] = {{"=~", MatchType::kRegex},
                                   {"!~", MatchType::kNotRegex},
                                   {"!=", MatchType::kNotEqual},
                                   {"=", MatchType::kEqual}};

base::Error Bad(std::string_view text, std::string_view why) {
  return base::Error(fmt::format("bad matcher format: {}: {}", text, why),
                     base::ErrorKind::kInvalidArgument);
}

bool IsReserved(char c) {
  return kReserved.find(c) != std::string_view::npos || kSpace.find(c) != std::string_view::npos;
}

// The newer grammar.
class Utf8Parser {
 public:
  explicit Utf8Parser(std::string_view text) : text_(text), rest_(text) {}

  base::Result<RawMatchers> Run() {
    const bool open = Take("{");
    RawMatchers matchers;
    while (!AtEnd() && !Peek('}')) {
      ASSIGN_OR_RETURN(Raw matcher, ParseOne());
      matchers.push_back(std::move(matcher));
      if (!Take(",")) {
        break;
      }
    }
    if (Take("}") != open) {
      return Bad(text_, open ? "expected a closing brace" : "unexpected closing brace");
    }
    return AtEnd() ? base::Result<RawMatchers>(std::move(matchers))
                   : Bad(text_, fmt::format("unexpected \"{}\"", rest_.substr(0, 8)));
  }

 private:
  void SkipSpace() { rest_.remove_prefix(std::min(rest_.find_first_not_of(kSpace), rest_.size())); }
  bool AtEnd() {
    SkipSpace();
    return rest_.empty();
  }
  bool Peek(char c) { return !AtEnd() && rest_.front() == c; }
  bool Take(std::string_view token) {
    SkipSpace();
    if (!rest_.starts_with(token)) {
      return false;
    }
    rest_.remove_prefix(token.size());
    return true;
  }

  base::Result<Raw> ParseOne() {
    Raw matcher;
    ASSIGN_OR_RETURN(matcher.name, ParseWord("a label name"));
    const auto* const found = std::find_if(std::begin(kOperators), std::end(kOperators),
                                           [this](const Operator& op) { return Take(op.text); });
    if (found == std::end(kOperators)) {
      return Bad(text_, "expected an operator such as '=', '!=', '=~' or '!~'");
    }
    matcher.type = found->type;
    ASSIGN_OR_RETURN(matcher.value, ParseWord("a label value"));
    return matcher;
  }

  base::Result<std::string> ParseWord(std::string_view what) {
    if (Peek('"')) {
      return ParseQuoted();
    }
    size_t end = 0;
    while (end < rest_.size() && !IsReserved(rest_[end])) {
      ++end;
    }
    if (end == 0) {
      return Bad(text_, fmt::format("expected {}", what));
    }
    std::string word(rest_.substr(0, end));
    rest_.remove_prefix(end);
    return word;
  }

  base::Result<std::string> ParseQuoted() {
    std::string word;
    for (size_t i = 1; i < rest_.size(); ++i) {
      if (rest_[i] == '"') {
        rest_.remove_prefix(i + 1);
        return word;
      }
      if (rest_[i] == '\\') {
        const std::optional<char> c = i + 1 < rest_.size() ? Unescape(rest_[++i]) : std::nullopt;
        if (!c) {
          return Bad(text_, "invalid escape sequence");
        }
        word += *c;
      } else {
        word += rest_[i];
      }
    }
    return Bad(text_, "unterminated quoted text");
  }

  static std::optional<char> Unescape(char c) {
    constexpr std::string_view kFrom = "abfnrtv\\\"";
    constexpr std::string_view kTo = "\a\b\f\n\r\t\v\\\"";
    const size_t at = kFrom.find(c);
    return at == std::string_view::npos ? std::nullopt : std::optional(kTo[at]);
  }

  const std::string_view text_;
  std::string_view rest_;
};

// Text of the classic grammar at its commas outside quotes.
std::vector<std::string_view> SplitClassic(std::string_view text) {
  std::vector<std::string_view> parts;
  bool quoted = false;
  bool escaped = false;
  size_t start = 0;
  for (size_t i = 0; i <= text.size(); ++i) {
    if (i == text.size() || (text[i] == ',' && !quoted)) {
      parts.push_back(base::TrimSpace(text.substr(start, i - start)));
      start = i + 1;
      continue;
    }
    quoted = text[i] == '"' && !escaped ? !quoted : quoted;
    escaped = text[i] == '\\' && !escaped;
  }
  if (!parts.empty() && parts.back().empty()) {
    parts.pop_back();
  }
  return parts;
}

// Only \n, \" and \\ are escapes; every other backslash is itself.
base::Result<std::string> ClassicValue(std::string_view text, std::string_view value) {
  const bool quoted = value.starts_with('"');
  if (quoted && (value.size() < 2 || !value.ends_with('"'))) {
    return Bad(text, "unterminated quoted text");
  }
  const std::string_view inner = quoted ? value.substr(1, value.size() - 2) : value;
  std::string out;
  for (size_t i = 0; i < inner.size(); ++i) {
    const char next = i + 1 < inner.size() ? inner[i + 1] : '\0';
    if (inner[i] == '\\' && (next == 'n' || next == '"' || next == '\\')) {
      out += next == 'n' ? '\n' : next;
      ++i;
    } else if (inner[i] == '"') {
      return Bad(text, "a quote within a value needs a backslash");
    } else {
      out += inner[i];
    }
  }
  return out;
}

base::Result<RawMatchers> ParseClassic(std::string_view text) {
  std::string_view inner = base::TrimSpace(text);
  inner.remove_prefix(inner.starts_with('{') ? 1 : 0);
  inner.remove_suffix(inner.ends_with('}') ? 1 : 0);
  RawMatchers matchers;
  for (const std::string_view part : SplitClassic(inner)) {
    const size_t end = part.find_first_of("=!~ \t");
    const std::string_view name = part.substr(0, end);
    std::string_view rest =
        end == std::string_view::npos ? std::string_view() : base::TrimSpace(part.substr(end));
    const auto* const found =
        std::find_if(std::begin(kOperators), std::end(kOperators),
                     [&](const Operator& op) { return rest.starts_with(op.text); });
    if (found == std::end(kOperators) || !model::IsLegacyMetricName(name)) {
      return Bad(text, fmt::format("\"{}\" is no matcher", part));
    }
    rest = base::TrimSpace(rest.substr(found->text.size()));
    ASSIGN_OR_RETURN(std::string value, ClassicValue(text, rest));
    matchers.push_back({.type = found->type, .name = std::string(name), .value = std::move(value)});
  }
  return matchers;
}

base::Result<RawMatchers> ParseEither(std::string_view text) {
  auto utf8 = Utf8Parser(text).Run();
  auto classic = ParseClassic(text);
  if (classic.ok() && (!utf8.ok() || *classic != *utf8)) {
    return classic;
  }
  return utf8;
}

auto SortKey(const model::Matcher& matcher) {
  return std::forward_as_tuple(matcher.name(), matcher.value());
}

std::string Quoted(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    out += c == '\\' ? "\\\\" : c == '\n' ? "\\n" : c == '"' ? "\\\"" : std::string(1, c);
  }
  return out + "\"";
}

}  // namespace

base::Result<Matchers> ParseMatchers(std::string_view text) {
  if (text.size() > kMaxMatchersBytes) {
    return base::Error(fmt::format("matchers are longer than {} bytes", kMaxMatchersBytes),
                       base::ErrorKind::kInvalidArgument);
  }
  if (!base::IsValidUtf8(text)) {
    return base::Error("matchers are not valid UTF-8", base::ErrorKind::kInvalidArgument);
  }
  ASSIGN_OR_RETURN(RawMatchers raw, ParseEither(text));
  Matchers matchers;
  for (Raw& one : raw) {
    ASSIGN_OR_RETURN(model::Matcher matcher,
                     model::Matcher::Make(one.type, std::move(one.name), std::move(one.value)));
    matchers.push_back(std::move(matcher));
  }
  return matchers;
}

base::Result<model::Matcher> ParseMatcher(std::string_view text) {
  ASSIGN_OR_RETURN(Matchers matchers, ParseMatchers(text));
  if (matchers.size() != 1) {
    return Bad(text, fmt::format("one matcher is expected, not {}", matchers.size()));
  }
  return std::move(matchers.front());
}

bool MatchesAll(const Matchers& matchers, const model::Labels& labels) {
  return std::all_of(matchers.begin(), matchers.end(),
                     [&](const model::Matcher& matcher) { return matcher.Matches(labels); });
}

void SortMatchers(Matchers* matchers) {
  std::sort(matchers->begin(), matchers->end(),
            [](const model::Matcher& a, const model::Matcher& b) {
              return std::tuple_cat(SortKey(a), std::tuple(a.type())) <
                     std::tuple_cat(SortKey(b), std::tuple(b.type()));
            });
}

std::string FormatMatcher(const model::Matcher& matcher) {
  const bool plain = std::none_of(matcher.name().begin(), matcher.name().end(), IsReserved);
  return fmt::format("{}{}{}", plain ? matcher.name() : Quoted(matcher.name()),
                     model::MatchOperator(matcher.type()), Quoted(matcher.value()));
}

std::string FormatMatchers(const Matchers& matchers) {
  std::vector<std::string> parts;
  parts.reserve(matchers.size());
  for (const model::Matcher& matcher : matchers) {
    parts.push_back(FormatMatcher(matcher));
  }
  return "{" + base::Join(parts, ",") + "}";
}

}  // namespace notify
