#include "agent/promql/test_runner.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <utility>

#include <fmt/format.h>
#include <re2/re2.h>

#include "agent/promql/almost_equal.h"
#include "agent/promql/ast.h"
#include "agent/promql/engine.h"
#include "agent/promql/functions.h"
#include "agent/promql/parser.h"
#include "agent/promql/printer.h"
#include "agent/promql/test_script.h"
#include "agent/storage/head.h"
#include "lib/base/clock.h"
#include "lib/base/file.h"
#include "lib/base/strings.h"

namespace promql {
namespace {

using base::Error;
using base::ErrorKind;
using base::Result;

constexpr size_t kMaxScriptBytes = 64 << 20;
constexpr int64_t kMinuteMs = 60'000;
// Relative; scripts write few digits.
constexpr double kTolerance = 1e-6;

const EngineOptions kOptions{.timeout = std::chrono::seconds(100),
                             .max_samples = 10'000,
                             .max_points = 1'000'000,
                             .experimental_functions = true,
                             .delayed_name_removal = true};

bool Fits(const TextPattern& pattern, const std::string& text) {
  if (pattern.exact) {
    return text == *pattern.exact;
  }
  return !pattern.regex || RE2::PartialMatch(text, RE2(*pattern.regex, RE2::Quiet));
}

// Without the " (line:column)" that the engine appends.
std::string WithoutPosition(const std::string& note) { return note.substr(0, note.rfind(" (")); }

Error Mismatch(std::string message) {
  return Error(std::move(message), ErrorKind::kInvalidArgument);
}

Result<void> CheckNotes(std::string_view what, const std::vector<std::string>& notes,
                        const std::optional<std::vector<TextPattern>>& patterns) {
  if (!patterns) {
    return {};
  }
  if (patterns->empty() && !notes.empty()) {
    return Mismatch(fmt::format("unexpected {}: {}", what, notes.front()));
  }
  if (!patterns->empty() && notes.empty()) {
    return Mismatch(fmt::format("expected {}, got none", what));
  }
  const auto fits_any = [&patterns](const std::string& note) {
    return std::any_of(patterns->begin(), patterns->end(), [&note](const TextPattern& pattern) {
      return Fits(pattern, WithoutPosition(note));
    });
  };
  for (const std::string& note : notes) {
    if (!fits_any(note)) {
      return Mismatch(fmt::format("unexpected {}: {}", what, note));
    }
  }
  for (const TextPattern& pattern : *patterns) {
    const bool found = std::any_of(notes.begin(), notes.end(), [&pattern](const std::string& note) {
      return Fits(pattern, WithoutPosition(note));
    });
    if (!found) {
      return Mismatch(fmt::format("expected {} \"{}\"", what,
                                  pattern.exact.value_or(pattern.regex.value_or(""))));
    }
  }
  return {};
}

std::string Print(const std::vector<std::optional<double>>& values) {
  std::string text;
  for (const auto& value : values) {
    text += text.empty() ? "" : " ";
    text += value ? base::FormatDouble(*value) : "_";
  }
  return text;
}

using Points = std::vector<std::optional<double>>;

bool SamePoints(const Points& a, const Points& b) {
  const size_t size = std::max(a.size(), b.size());
  for (size_t i = 0; i < size; ++i) {
    const auto x = i < a.size() ? a[i] : std::nullopt;
    const auto y = i < b.size() ? b[i] : std::nullopt;
    if (x.has_value() != y.has_value() || (x && !AlmostEqual(*x, *y, kTolerance))) {
      return false;
    }
  }
  return true;
}

// A result and an expectation in the same form.
struct Got {
  model::Labels labels;
  Points points;
};

Result<void> CompareSeries(const EvalCommand& eval, const std::vector<Got>& got) {
  if (eval.ordered) {
    for (size_t i = 0; i < std::min(got.size(), eval.series.size()); ++i) {
      if (got[i].labels != eval.series[i].labels) {
        return Mismatch(fmt::format("expected {} at position {}, got {}",
                                    eval.series[i].labels.ToString(), i + 1,
                                    got[i].labels.ToString()));
      }
    }
  }
  std::map<model::Labels, const Points*> expected;
  for (const SeriesValues& series : eval.series) {
    expected[series.labels] = &series.values;
  }
  for (const Got& one : got) {
    const auto found = expected.find(one.labels);
    if (found == expected.end()) {
      return Mismatch(
          fmt::format("unexpected series {} {}", one.labels.ToString(), Print(one.points)));
    }
    if (!SamePoints(*found->second, one.points)) {
      return Mismatch(fmt::format("{}: expected {}, got {}", one.labels.ToString(),
                                  Print(*found->second), Print(one.points)));
    }
    expected.erase(found);
  }
  if (!expected.empty()) {
    return Mismatch(
        fmt::format("expected series {} not found", expected.begin()->first.ToString()));
  }
  return {};
}

Result<void> CompareScalar(const EvalCommand& eval, double value) {
  if (!eval.scalar) {
    return Mismatch(fmt::format("unexpected scalar {}", base::FormatDouble(value)));
  }
  if (!AlmostEqual(*eval.scalar, value, kTolerance)) {
    return Mismatch(fmt::format("expected {}, got {}", base::FormatDouble(*eval.scalar),
                                base::FormatDouble(value)));
  }
  return {};
}

std::vector<Got> ToGot(const Vector& vector) {
  std::vector<Got> got;
  for (const VectorElement& element : vector) {
    got.push_back({element.labels, {element.value}});
  }
  return got;
}

// Samples that are not at a step of `range` make a series that no expectation fits.
std::vector<Got> ToGot(const Matrix& matrix, const Range& range) {
  std::vector<Got> got;
  for (const MatrixSeries& series : matrix) {
    Got one{series.labels, {}};
    for (const model::Sample& sample : series.samples) {
      const int64_t since = sample.timestamp_ms - range.start_ms;
      const bool on_step = since >= 0 && since % range.step_ms == 0;
      one.points.resize(on_step ? static_cast<size_t>(since / range.step_ms) : 0);
      one.points.emplace_back(sample.value);
    }
    got.push_back(std::move(one));
  }
  return got;
}

Result<void> CompareInstant(const EvalCommand& eval, const Value& value) {
  if (const auto* scalar = std::get_if<Scalar>(&value)) {
    return CompareScalar(eval, scalar->value);
  }
  if (const auto* text = std::get_if<String>(&value)) {
    return eval.text == text->value
               ? Result<void>()
               : Mismatch(fmt::format("unexpected string \"{}\"", text->value));
  }
  if (eval.scalar || eval.text) {
    return Mismatch("expected a scalar or string, got a vector");
  }
  if (const auto* matrix = std::get_if<Matrix>(&value)) {
    return eval.range_vector ? CompareSeries(eval, ToGot(*matrix, *eval.range_vector))
                             : Mismatch("unexpected range vector");
  }
  return CompareSeries(eval, ToGot(std::get<Vector>(value)));
}

// Fixes selectors and subqueries by @ unless a subquery above them has done so. False when a
// function uses the evaluation time itself.
bool FixTime(Expr& expr, int64_t at_ms) {
  const auto fix = [at_ms](TimeShift& shift) {
    if (shift.at == TimeShift::At::kNone) {
      shift.at = TimeShift::At::kTimestamp;
      shift.at_ms = at_ms;
    }
  };
  bool safe = true;
  if (auto* vector = std::get_if<VectorSelector>(&expr.node)) {
    fix(vector->shift);
  } else if (auto* matrix = std::get_if<MatrixSelector>(&expr.node)) {
    fix(matrix->vector.shift);
  } else if (auto* subquery = std::get_if<Subquery>(&expr.node)) {
    fix(subquery->shift);
    Walk(expr, [&safe](const Expr& below) {
      const auto* call = std::get_if<Call>(&below.node);
      safe = safe && (call == nullptr || !call->function->Has(kUsesEvalTime));
    });
    return safe;
  } else if (const auto* call = std::get_if<Call>(&expr.node)) {
    safe = !call->function->Has(kUsesEvalTime);
  }
  for (Expr* child : Children(expr)) {
    safe = FixTime(*child, at_ms) && safe;
  }
  return safe;
}

bool RefersToQueryTimes(const Expr& expr) {
  bool refers = false;
  const auto is_relative = [](const TimeShift& shift) {
    return shift.at == TimeShift::At::kStart || shift.at == TimeShift::At::kEnd;
  };
  Walk(expr, [&](const Expr& below) {
    if (const auto* vector = std::get_if<VectorSelector>(&below.node)) {
      refers = refers || is_relative(vector->shift);
    } else if (const auto* matrix = std::get_if<MatrixSelector>(&below.node)) {
      refers = refers || is_relative(matrix->vector.shift);
    } else if (const auto* subquery = std::get_if<Subquery>(&below.node)) {
      refers = refers || is_relative(subquery->shift);
    } else if (const auto* call = std::get_if<Call>(&below.node)) {
      refers = refers || call->function->Has(kUsesQueryTimes);
    }
  });
  return refers;
}

class Runner {
 public:
  Runner() { Clear(); }

  Result<void> Run(const TestCommand& command, TestReport* report) {
    if (const auto* load = std::get_if<LoadCommand>(&command)) {
      return Load(*load);
    }
    if (const auto* eval = std::get_if<EvalCommand>(&command)) {
      Eval(*eval, report);
    } else {
      Clear();
    }
    return {};
  }

 private:
  void Clear() {
    head_ = std::make_unique<storage::Head>(
        storage::HeadOptions{.retention = std::chrono::milliseconds(0)}, clock_);
    native_.clear();
  }

  Result<void> Load(const LoadCommand& load) {
    // Of a series that is there twice the last line counts.
    std::map<model::Labels, const SeriesValues*> lines;
    for (const SeriesValues& series : load.series) {
      lines[series.labels] = &series;
    }
    const auto appender = head_->NewAppender();
    for (const auto& [labels, series] : lines) {
      if (series->native) {
        native_.push_back(labels);
        continue;
      }
      if (load.with_nhcb) {
        AddConverted(labels);
      }
      for (size_t i = 0; i < series->values.size(); ++i) {
        if (series->values[i]) {
          RETURN_IF_ERROR(
              appender->Append(labels, static_cast<int64_t>(i) * load.step_ms, *series->values[i]));
        }
      }
    }
    return appender->Commit();
  }

  // The native histogram that a classic series would become.
  void AddConverted(const model::Labels& labels) {
    for (const std::string_view suffix : {"_bucket", "_count", "_sum"}) {
      const std::string_view name = labels.MetricName();
      if (name.ends_with(suffix)) {
        model::LabelsBuilder builder(labels);
        builder.Set(model::kMetricNameLabel, name.substr(0, name.size() - suffix.size()));
        builder.Remove("le");
        native_.push_back(builder.Build());
        return;
      }
    }
  }

  bool SelectsNative(const std::vector<model::Matcher>& matchers) const {
    return std::any_of(native_.begin(), native_.end(), [&matchers](const model::Labels& labels) {
      return std::all_of(
          matchers.begin(), matchers.end(),
          [&labels](const model::Matcher& matcher) { return matcher.Matches(labels); });
    });
  }

  bool NeedsNative(const EvalCommand& eval) const {
    if (std::any_of(eval.series.begin(), eval.series.end(),
                    [](const SeriesValues& series) { return series.native; })) {
      return true;
    }
    const auto query = engine_.Parse(eval.expr);
    bool needs = false;
    if (query) {
      Walk(query->expr(), [&](const Expr& expr) {
        if (const auto* vector = std::get_if<VectorSelector>(&expr.node)) {
          needs = needs || SelectsNative(vector->matchers);
        } else if (const auto* matrix = std::get_if<MatrixSelector>(&expr.node)) {
          needs = needs || SelectsNative(matrix->vector.matchers);
        }
      });
    }
    return needs;
  }

  void Eval(const EvalCommand& eval, TestReport* report) {
    if (NeedsNative(eval)) {
      ++report->unsupported;
      return;
    }
    const auto outcome = eval.instant ? InstantEval(eval) : RangeEvalOf(eval);
    if (outcome) {
      ++report->passed;
    } else {
      report->failures.push_back(
          {eval.line, fmt::format("{}: {}", eval.expr, outcome.error().message())});
    }
  }

  Result<void> InstantEval(const EvalCommand& eval) {
    RETURN_IF_ERROR(InstantEvalAt(eval, eval.expr, eval.range.start_ms));
    auto fixed = ParseExpr(eval.expr, {.experimental_functions = true});
    const int64_t at = eval.range.start_ms;
    if (!fixed || RefersToQueryTimes(**fixed) || !FixTime(**fixed, at)) {
      return {};
    }
    const std::string text = ToString(**fixed);
    std::vector<int64_t> times{-10 * at, 0, at / 5, at, 10 * at};
    if (at == 0) {
      times = {-1000, 0, 1000};
    }
    for (const int64_t time : times) {
      const auto outcome = InstantEvalAt(eval, text, time);
      if (!outcome) {
        return outcome.error().WithContext(fmt::format("as {} at {} ms", text, time));
      }
    }
    return {};
  }

  Result<void> InstantEvalAt(const EvalCommand& eval, const std::string& text, int64_t at_ms) {
    const auto query = engine_.Parse(text);
    if (!query) {
      return CheckFailure(eval, query.error());
    }
    const auto result = engine_.Instant(*query, *head_, at_ms);
    if (!result) {
      return CheckFailure(eval, result.error());
    }
    RETURN_IF_ERROR(CheckSuccess(eval, *result));
    RETURN_IF_ERROR(CompareInstant(eval, result->value));
    const auto outcome = CheckAsRange(eval, *query, at_ms);
    return outcome ? outcome : outcome.error().WithContext("as a range query");
  }

  // The same in the middle of a range query.
  Result<void> CheckAsRange(const EvalCommand& eval, const Query& query, int64_t at_ms) {
    const ValueType type = query.expr().type;
    if (eval.ordered || RefersToQueryTimes(query.expr()) ||
        (type != ValueType::kScalar && type != ValueType::kVector)) {
      return {};
    }
    ASSIGN_OR_RETURN(const QueryResult result, engine_.RangeQuery(query, *head_,
                                                                  {.start_ms = at_ms - kMinuteMs,
                                                                   .end_ms = at_ms + kMinuteMs,
                                                                   .step_ms = kMinuteMs}));
    Vector middle;
    for (const MatrixSeries& series : std::get<Matrix>(result.value)) {
      for (const model::Sample& sample : series.samples) {
        if (sample.timestamp_ms == at_ms) {
          middle.push_back({series.labels, at_ms, sample.value});
        }
      }
    }
    if (type == ValueType::kScalar) {
      return middle.size() == 1 ? CompareScalar(eval, middle.front().value)
                                : Mismatch("expected one value");
    }
    return CompareSeries(eval, ToGot(middle));
  }

  Result<void> RangeEvalOf(const EvalCommand& eval) {
    const auto query = engine_.Parse(eval.expr);
    if (!query) {
      return CheckFailure(eval, query.error());
    }
    const auto result = engine_.RangeQuery(*query, *head_, eval.range);
    if (!result) {
      return CheckFailure(eval, result.error());
    }
    RETURN_IF_ERROR(CheckSuccess(eval, *result));
    const auto& matrix = std::get<Matrix>(result->value);
    if (!std::is_sorted(matrix.begin(), matrix.end(),
                        [](const auto& a, const auto& b) { return a.labels < b.labels; })) {
      return Mismatch("the result is not sorted by labels");
    }
    return CompareSeries(eval, ToGot(matrix, eval.range));
  }

  static Result<void> CheckFailure(const EvalCommand& eval, const Error& error) {
    if (!eval.expect_fail) {
      return Mismatch(fmt::format("failed: {}", error.message()));
    }
    if (!Fits(eval.fail, error.message())) {
      return Mismatch(fmt::format("expected the error \"{}\", got \"{}\"",
                                  eval.fail.exact.value_or(eval.fail.regex.value_or("")),
                                  error.message()));
    }
    return {};
  }

  static Result<void> CheckSuccess(const EvalCommand& eval, const QueryResult& result) {
    if (eval.expect_fail) {
      return Mismatch("expected to fail, but did not");
    }
    RETURN_IF_ERROR(CheckNotes("warning", result.warnings, eval.warnings));
    return CheckNotes("info", result.infos, eval.infos);
  }

  const base::RealClock clock_;
  const Engine engine_{kOptions};
  std::unique_ptr<storage::Head> head_;
  std::vector<model::Labels> native_;  // Series that would be native histograms.
};

std::string Counts(const TestReport& report) {
  return fmt::format("{} passed, {} failed, {} unsupported", report.passed, report.failures.size(),
                     report.unsupported);
}

}  // namespace

Result<TestReport> RunTest(std::string_view script) {
  ASSIGN_OR_RETURN(const std::vector<TestCommand> commands, ParseTestScript(script));
  TestReport report;
  Runner runner;
  for (const TestCommand& command : commands) {
    RETURN_IF_ERROR(runner.Run(command, &report));
  }
  return report;
}

Result<TestReport> RunTestFile(const std::string& path) {
  ASSIGN_OR_RETURN(const std::string script, base::ReadFile(path, kMaxScriptBytes));
  return RunTest(script);
}

int TestPromqlCommand(std::span<const std::string> paths, std::ostream& out) {
  TestReport total;
  bool broken = false;
  for (const std::string& path : paths) {
    auto report = RunTestFile(path);
    if (!report) {
      out << path << ": " << report.error().message() << '\n';
      broken = true;
      continue;
    }
    for (const TestReport::Failure& failure : report->failures) {
      out << path << ':' << failure.line << ": " << failure.message << '\n';
    }
    out << path << ": " << Counts(*report) << '\n';
    total.passed += report->passed;
    total.unsupported += report->unsupported;
    total.failures.insert(total.failures.end(), report->failures.begin(), report->failures.end());
  }
  out << Counts(total) << '\n';
  return broken || !total.failures.empty() ? 1 : 0;
}

}  // namespace promql
