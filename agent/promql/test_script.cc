#include "agent/promql/test_script.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <utility>

#include <fmt/format.h>

#include "agent/promql/histogram_literal.h"
#include "agent/promql/parser.h"
#include "agent/promql/quote.h"
#include "lib/base/duration.h"
#include "lib/base/strings.h"
#include "lib/model/sample.h"

namespace promql {
namespace {

using base::Error;
using base::ErrorKind;
using base::Result;

// One value token may not stand for more values than this.
constexpr uint64_t kMaxRepeat = 1'000'000;
constexpr uint64_t kMaxHistogramSteps = 10'000;
constexpr std::string_view kSpace = " \t";

Error Bad(std::string message) { return Error(std::move(message), ErrorKind::kInvalidArgument); }

std::string_view TakeWord(std::string_view* rest) {
  *rest = base::TrimSpace(*rest);
  const size_t length = std::min(rest->find_first_of(kSpace), rest->size());
  const std::string_view word = rest->substr(0, length);
  *rest = base::TrimSpace(rest->substr(length));
  return word;
}

// A token of values; a native histogram {{…}} may contain spaces.
std::string_view TakeValue(std::string_view* rest) {
  size_t length = 0;
  bool inside = false;
  while (length < rest->size() &&
         (inside || kSpace.find((*rest)[length]) == std::string_view::npos)) {
    if (rest->substr(length, 2) == "{{") {
      inside = true;
    } else if (rest->substr(length, 2) == "}}") {
      inside = false;
      ++length;
    }
    ++length;
  }
  length = std::min(length, rest->size());
  const std::string_view token = rest->substr(0, length);
  *rest = base::TrimSpace(rest->substr(length));
  return token;
}

std::optional<double> ParseValue(std::string_view text) {
  if (text == "stale") {
    return model::kStaleNaN;
  }
  const auto value = base::ParseDouble(text);
  return value && std::isnan(*value) ? std::optional(model::kNormalNaN) : value;
}

// Where the increment of "a+b" or "a-b" starts: a sign that neither leads nor follows an exponent.
size_t FindIncrement(std::string_view text) {
  for (size_t i = 1; i < text.size(); ++i) {
    const char before = text[i - 1];
    if ((text[i] == '+' || text[i] == '-') && before != 'e' && before != 'E') {
      return i;
    }
  }
  return std::string_view::npos;
}

// Cuts "xN" off a token that ends with it. 0 times: once.
Result<uint64_t> TakeTimes(std::string_view* token, bool* given) {
  const size_t times = token->rfind('x');
  *given = times != std::string_view::npos && token->find("}}", times) == std::string_view::npos;
  if (!*given) {
    return 0;
  }
  const auto count = base::ParseUint(token->substr(times + 1));
  if (!count || *count > kMaxRepeat) {
    return Bad(fmt::format("bad value {}", Quote(*token)));
  }
  *token = token->substr(0, times);
  return *count;
}

// "{{…}}", "{{…}}x3", "{{…}}+{{…}}x3", "{{…}}-{{…}}x3".
Result<void> AppendHistograms(std::string_view token, std::vector<ScriptValue>* values) {
  bool repeats = false;
  std::string_view rest = token;
  ASSIGN_OR_RETURN(const uint64_t times, TakeTimes(&rest, &repeats));
  const size_t first_end = std::min(rest.find("}}") + 2, rest.size());
  ASSIGN_OR_RETURN(const HistogramLiteral first, ParseHistogramLiteral(rest.substr(0, first_end)));
  rest.remove_prefix(first_end);
  auto current = std::make_shared<const model::NativeHistogram>(first.histogram);
  if (rest.empty()) {
    values->insert(values->end(), times + 1, {std::nullopt, current, first.says_reset});
    return {};
  }
  const char sign = rest.front();
  if (!repeats || (sign != '+' && sign != '-') || times > kMaxHistogramSteps) {
    return Bad(fmt::format("bad value {}", Quote(token)));
  }
  ASSIGN_OR_RETURN(const HistogramLiteral step, ParseHistogramLiteral(rest.substr(1)));
  for (uint64_t i = 0; i <= times; ++i) {
    values->push_back({std::nullopt, current, first.says_reset});
    auto next = std::make_shared<model::NativeHistogram>(*current);
    const auto combine = sign == '+' ? model::Add : model::Subtract;
    if (combine(step.histogram, next.get()) != model::HistogramMismatch::kNone) {
      return Bad(fmt::format("the histograms of {} do not fit together", Quote(token)));
    }
    current = std::move(next);
  }
  return {};
}

// "1", "_", "stale", "1x3", "1+2x3", "_x3".
Result<void> AppendToken(std::string_view token, std::vector<ScriptValue>* values) {
  if (token.starts_with("{{")) {
    return AppendHistograms(token, values);
  }
  const Error bad = Bad(fmt::format("bad value {}", Quote(token)));
  std::string_view first = token;
  bool repeats = false;
  ASSIGN_OR_RETURN(const uint64_t times, TakeTimes(&first, &repeats));
  if (first == "_") {
    values->insert(values->end(), repeats ? times : 1, ScriptValue());
    return {};
  }
  const size_t at = FindIncrement(first);
  if (at != std::string_view::npos && !repeats) {
    return bad;
  }
  const auto value = ParseValue(first.substr(0, at));
  const auto increment =
      at == std::string_view::npos ? std::optional<double>(0) : ParseValue(first.substr(at));
  if (!value || !increment) {
    return bad;
  }
  double current = *value;
  for (uint64_t i = 0; i <= times; ++i) {
    values->push_back({current});
    if (at != std::string_view::npos) {
      current += *increment;
    }
  }
  return {};
}

// The metric at the start of a line: up to the brace that closes it, or the first space.
size_t MetricLength(std::string_view line) {
  const size_t open = line.find('{');
  const size_t space = line.find_first_of(kSpace);
  const bool has_braces =
      open != std::string_view::npos &&
      line.substr(0, open).find_first_not_of(kSpace, space) == std::string_view::npos;
  if (!has_braces || line.substr(open, 2) == "{{") {
    return std::min(space, line.size());
  }
  char quote = '\0';
  for (size_t i = open; i < line.size(); ++i) {
    const char c = line[i];
    if (quote != '\0') {
      if (c == '\\' && quote != '`') {
        ++i;
      } else if (c == quote) {
        quote = '\0';
      }
    } else if (c == '"' || c == '\'' || c == '`') {
      quote = c;
    } else if (c == '}') {
      return i + 1;
    }
  }
  return line.size();
}

Result<model::Labels> ParseMetric(std::string_view text) {
  const std::string_view trimmed = base::TrimSpace(text);
  if (trimmed.starts_with('{') && trimmed.ends_with('}') &&
      base::TrimSpace(trimmed.substr(1, trimmed.size() - 2)).empty()) {
    return model::Labels();
  }
  ASSIGN_OR_RETURN(const std::vector<model::Matcher> matchers, ParseSelector(text));
  model::LabelsBuilder builder;
  for (const model::Matcher& matcher : matchers) {
    if (matcher.type() != model::MatchType::kEqual) {
      return Bad(fmt::format("a series is described with = only: {}", text));
    }
    builder.Set(matcher.name(), matcher.value());
  }
  return builder.Build();
}

Result<int64_t> ParseTime(std::string_view text) {
  const bool negative = text.starts_with('-');
  ASSIGN_OR_RETURN(const auto duration, base::ParseDuration(text.substr(negative ? 1 : 0)));
  return negative ? -duration.count() : duration.count();
}

Result<void> ExpectWord(std::string_view* rest, std::string_view word) {
  if (TakeWord(rest) != word) {
    return Bad(fmt::format("\"{}\" expected", word));
  }
  return {};
}

// "from A to B step S", the rest stays.
Result<Range> TakeRange(std::string_view* rest) {
  Range range;
  RETURN_IF_ERROR(ExpectWord(rest, "from"));
  ASSIGN_OR_RETURN(range.start_ms, ParseTime(TakeWord(rest)));
  RETURN_IF_ERROR(ExpectWord(rest, "to"));
  ASSIGN_OR_RETURN(range.end_ms, ParseTime(TakeWord(rest)));
  RETURN_IF_ERROR(ExpectWord(rest, "step"));
  ASSIGN_OR_RETURN(range.step_ms, ParseTime(TakeWord(rest)));
  return range;
}

Result<std::string> ParseQuoted(std::string_view text) {
  const bool quoted = text.size() >= 2 && text.front() == text.back() &&
                      (text.front() == '"' || text.front() == '\'' || text.front() == '`');
  if (!quoted) {
    return Bad("a quoted string expected");
  }
  const std::string_view inside = text.substr(1, text.size() - 2);
  return text.front() == '`' ? Result<std::string>(std::string(inside))
                             : Unescape(inside, text.front());
}

Result<TextPattern> ParsePattern(std::string_view rest) {
  TextPattern pattern;
  if (rest.empty()) {
    return pattern;
  }
  const size_t colon = rest.find(':');
  const std::string_view kind = rest.substr(0, colon);
  const std::string text(colon == std::string_view::npos ? ""
                                                         : base::TrimSpace(rest.substr(colon + 1)));
  if (kind == "msg") {
    pattern.exact = text;
  } else if (kind == "regex") {
    pattern.regex = text;
  } else {
    return Bad("\"msg:\" or \"regex:\" expected");
  }
  return pattern;
}

Result<void> AddPattern(std::string_view rest, std::optional<std::vector<TextPattern>>* patterns) {
  ASSIGN_OR_RETURN(TextPattern pattern, ParsePattern(rest));
  if (!*patterns) {
    patterns->emplace();
  }
  (*patterns)->push_back(std::move(pattern));
  return {};
}

// A line that starts with "expect ".
Result<void> ParseExpect(std::string_view rest, EvalCommand* eval) {
  const std::string_view what = TakeWord(&rest);
  if (what == "fail") {
    eval->expect_fail = true;
    ASSIGN_OR_RETURN(eval->fail, ParsePattern(rest));
    return {};
  }
  if (what == "warn") {
    return AddPattern(rest, &eval->warnings);
  }
  if (what == "info") {
    return AddPattern(rest, &eval->infos);
  }
  if (what == "no_warn") {
    eval->warnings.emplace();
    return {};
  }
  if (what == "no_info") {
    eval->infos.emplace();
    return {};
  }
  if (what == "ordered") {
    eval->ordered = true;
    return {};
  }
  if (what == "string") {
    ASSIGN_OR_RETURN(eval->text, ParseQuoted(rest));
    return {};
  }
  if (what == "range") {
    RETURN_IF_ERROR(ExpectWord(&rest, "vector"));
    ASSIGN_OR_RETURN(eval->range_vector, TakeRange(&rest));
    return {};
  }
  return Bad(fmt::format("unknown expectation \"{}\"", what));
}

// What `eval_X` of older scripts means: X must be, and nothing else may be.
Result<void> ApplyLegacySuffix(std::string_view suffix, EvalCommand* eval) {
  if (suffix == "fail") {
    eval->expect_fail = true;
  } else if (suffix == "ordered") {
    eval->ordered = true;
  } else if (suffix == "warn") {
    eval->warnings = {TextPattern()};
  } else if (suffix == "info") {
    eval->infos = {TextPattern()};
  } else if (!suffix.empty()) {
    return Bad(fmt::format("unknown command \"eval_{}\"", suffix));
  }
  return {};
}

Result<void> ParseResultLine(std::string_view line, EvalCommand* eval) {
  std::string_view rest = line;
  const std::string_view word = TakeWord(&rest);
  if (word == "expect") {
    return ParseExpect(rest, eval);
  }
  if (word == "expected_fail_message") {
    eval->fail.exact = std::string(rest);
    return {};
  }
  if (word == "expected_fail_regexp") {
    eval->fail.regex = std::string(rest);
    return {};
  }
  if (const auto scalar = base::ParseDouble(line)) {
    eval->scalar = scalar;
    return {};
  }
  ASSIGN_OR_RETURN(SeriesValues series, ParseSeriesValues(line));
  const bool one_value = eval->instant && !eval->range_vector;
  if (one_value && series.values.size() != 1) {
    return Bad("an instant eval expects one value per series");
  }
  eval->series.push_back(std::move(series));
  return {};
}

class ScriptParser {
 public:
  explicit ScriptParser(std::string_view script) {
    for (const std::string_view line : base::Split(script, '\n')) {
      const std::string_view trimmed = base::TrimSpace(line);
      lines_.push_back(trimmed.starts_with('#') ? std::string_view() : trimmed);
    }
  }

  Result<std::vector<TestCommand>> Run() {
    std::vector<TestCommand> commands;
    while (at_ < lines_.size()) {
      if (lines_[at_].empty()) {
        ++at_;
        continue;
      }
      auto command = Command();
      if (!command) {
        return command.error().WithContext(fmt::format("line {}", at_ + 1));
      }
      commands.push_back(*std::move(command));
    }
    return commands;
  }

 private:
  Result<TestCommand> Command() {
    std::string_view rest = lines_[at_];
    const std::string_view word = TakeWord(&rest);
    if (word == "clear") {
      ++at_;
      return TestCommand(ClearCommand());
    }
    if (word == "load" || word == "load_with_nhcb") {
      return Load(word != "load", rest);
    }
    if (word == "eval" || word.starts_with("eval_")) {
      return Eval(word.substr(std::min(word.size(), size_t{5})), rest);
    }
    return Bad(fmt::format("unknown command \"{}\"", word));
  }

  Result<TestCommand> Load(bool with_nhcb, std::string_view rest) {
    LoadCommand load{.with_nhcb = with_nhcb};
    ASSIGN_OR_RETURN(load.step_ms, ParseTime(rest));
    for (++at_; at_ < lines_.size() && !lines_[at_].empty(); ++at_) {
      ASSIGN_OR_RETURN(SeriesValues series, ParseSeriesValues(lines_[at_]));
      load.series.push_back(std::move(series));
    }
    return TestCommand(std::move(load));
  }

  Result<TestCommand> Eval(std::string_view suffix, std::string_view rest) {
    EvalCommand eval{.line = at_ + 1};
    RETURN_IF_ERROR(ApplyLegacySuffix(suffix, &eval));
    const std::string_view kind = TakeWord(&rest);
    if (kind == "instant") {
      RETURN_IF_ERROR(ExpectWord(&rest, "at"));
      ASSIGN_OR_RETURN(eval.range.start_ms, ParseTime(TakeWord(&rest)));
      eval.range.end_ms = eval.range.start_ms;
    } else if (kind == "range") {
      eval.instant = false;
      ASSIGN_OR_RETURN(eval.range, TakeRange(&rest));
    } else {
      return Bad("\"instant\" or \"range\" expected");
    }
    eval.expr = std::string(rest);
    bool says_expect = false;
    for (++at_; at_ < lines_.size() && !lines_[at_].empty(); ++at_) {
      says_expect = says_expect || lines_[at_].starts_with("expect ");
      RETURN_IF_ERROR(ParseResultLine(lines_[at_], &eval));
    }
    if (!says_expect) {
      // Scripts without expectations are strict about annotations.
      eval.warnings = eval.warnings.value_or(std::vector<TextPattern>());
      eval.infos = eval.infos.value_or(std::vector<TextPattern>());
    }
    return TestCommand(std::move(eval));
  }

  std::vector<std::string_view> lines_;
  size_t at_ = 0;
};

}  // namespace

bool SeriesValues::has_histograms() const {
  return std::any_of(values.begin(), values.end(),
                     [](const ScriptValue& value) { return value.histogram != nullptr; });
}

Result<std::vector<TestCommand>> ParseTestScript(std::string_view script) {
  return ScriptParser(script).Run();
}

Result<SeriesValues> ParseSeriesValues(std::string_view line) {
  SeriesValues series;
  const size_t length = MetricLength(line);
  ASSIGN_OR_RETURN(series.labels, ParseMetric(line.substr(0, length)));
  ASSIGN_OR_RETURN(series.values, ParseValues(line.substr(length)));
  return series;
}

Result<std::vector<ScriptValue>> ParseValues(std::string_view text) {
  std::vector<ScriptValue> values;
  std::string_view rest = base::TrimSpace(text);
  while (!rest.empty()) {
    RETURN_IF_ERROR(AppendToken(TakeValue(&rest), &values));
  }
  return values;
}

}  // namespace promql
