#include "agent/promql/test_runner.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <map>
#include <optional>
#include <utility>

#include <fmt/format.h>
#include <re2/re2.h>

#include "agent/promql/almost_equal.h"
#include "agent/promql/ast.h"
#include "agent/promql/classic_to_native.h"
#include "agent/promql/engine.h"
#include "agent/promql/functions.h"
#include "agent/promql/parser.h"
#include "agent/promql/printer.h"
#include "agent/promql/test_script.h"
#include "agent/promql/test_store.h"
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
                             .fill_modifiers = true,
                             .extended_ranges = true,
                             .delayed_name_removal = true};

constexpr ParserOptions kLanguage{
    .experimental_functions = true, .fill_modifiers = true, .extended_ranges = true};

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

using Points = std::vector<ScriptValue>;

std::string Print(const Points& points) {
  std::string text;
  for (const ScriptValue& point : points) {
    text += text.empty() ? "" : " ";
    text += point.histogram != nullptr ? model::ToString(*point.histogram)
            : point.value              ? base::FormatDouble(*point.value)
                                       : "_";
  }
  return text;
}

bool SameBuckets(model::NativeHistogram::Buckets a, model::NativeHistogram::Buckets b) {
  const auto is_empty = [](const auto& bucket) { return bucket.count == 0; };
  std::erase_if(a, is_empty);
  std::erase_if(b, is_empty);
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const auto& x, const auto& y) {
    return x.index == y.index && AlmostEqual(x.count, y.count, kTolerance);
  });
}

bool SameHistogram(const ScriptValue& expected, const model::NativeHistogram& b) {
  const model::NativeHistogram& a = *expected.histogram;
  const bool same_bounds = std::equal(
      a.custom_bounds.begin(), a.custom_bounds.end(), b.custom_bounds.begin(),
      b.custom_bounds.end(), [](double x, double y) { return AlmostEqual(x, y, kTolerance); });
  return a.schema == b.schema && same_bounds && AlmostEqual(a.count, b.count, kTolerance) &&
         AlmostEqual(a.sum, b.sum, kTolerance) &&
         AlmostEqual(a.zero_threshold, b.zero_threshold, kTolerance) &&
         AlmostEqual(a.zero_count, b.zero_count, kTolerance) &&
         SameBuckets(a.positive, b.positive) && SameBuckets(a.negative, b.negative) &&
         (!expected.says_reset || a.reset == b.reset);
}

bool SamePoint(const ScriptValue& expected, const ScriptValue& got) {
  if (expected.histogram != nullptr && got.histogram != nullptr) {
    return SameHistogram(expected, *got.histogram);
  }
  if (expected.value && got.value) {
    return AlmostEqual(*expected.value, *got.value, kTolerance);
  }
  return expected.empty() && got.empty();
}

bool SamePoints(Points expected, Points got) {
  expected.resize(std::max(expected.size(), got.size()));
  got.resize(expected.size());
  return std::equal(expected.begin(), expected.end(), got.begin(), SamePoint);
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

ScriptValue ToPoint(const VectorElement& element) {
  return element.histogram != nullptr ? ScriptValue{std::nullopt, element.histogram}
                                      : ScriptValue{element.value};
}

std::vector<Got> ToGot(const Vector& vector) {
  std::vector<Got> got;
  for (const VectorElement& element : vector) {
    got.push_back({element.labels, {ToPoint(element)}});
  }
  return got;
}

// Samples that are not at a step of `range` make a series that no expectation fits.
std::vector<Got> ToGot(const Matrix& matrix, const Range& range) {
  std::vector<Got> got;
  for (const MatrixSeries& series : matrix) {
    std::map<int64_t, ScriptValue> by_time;
    for (const model::Sample& sample : series.samples) {
      by_time[sample.timestamp_ms] = {sample.value};
    }
    for (const model::HistogramSample& sample : series.histograms) {
      by_time[sample.timestamp_ms] = {std::nullopt, sample.histogram};
    }
    Got one{series.labels, {}};
    for (const auto& [time_ms, point] : by_time) {
      const int64_t since = time_ms - range.start_ms;
      const bool on_step = since >= 0 && since % range.step_ms == 0;
      one.points.resize(on_step ? static_cast<size_t>(since / range.step_ms) : 0);
      one.points.push_back(point);
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
  const auto uses = [](const DurationPtr& duration) {
    return duration != nullptr && UsesQueryTimes(*duration);
  };
  Walk(expr, [&](const Expr& below) {
    if (const TimeShift* shift = ShiftOf(const_cast<Expr&>(below))) {
      refers = refers || shift->at == TimeShift::At::kStart || shift->at == TimeShift::At::kEnd ||
               uses(shift->offset_expr);
    }
    if (const auto* matrix = std::get_if<MatrixSelector>(&below.node)) {
      refers = refers || uses(matrix->range_expr);
    } else if (const auto* subquery = std::get_if<Subquery>(&below.node)) {
      refers = refers || uses(subquery->range_expr) || uses(subquery->step_expr);
    } else if (const auto* call = std::get_if<Call>(&below.node)) {
      refers = refers || call->function->Has(kUsesQueryTimes);
    }
  });
  return refers;
}

// The series that make up a classic histogram.
struct ClassicPart {
  std::string_view suffix;
  bool has_bound;
  void (*add)(double value, double bound, ClassicHistogram* histogram);
};
constexpr ClassicPart kClassicParts[] = {
    {"_bucket", true,
     [](double value, double bound, ClassicHistogram* histogram) {
       histogram->buckets[bound] = value;
     }},
    {"_count", false,
     [](double value, double /*bound*/, ClassicHistogram* histogram) { histogram->count = value; }},
    {"_sum", false,
     [](double value, double /*bound*/, ClassicHistogram* histogram) { histogram->sum = value; }},
};

class Runner {
 public:
  Result<void> Run(const TestCommand& command, TestReport* report) {
    if (const auto* load = std::get_if<LoadCommand>(&command)) {
      return Load(*load);
    }
    if (const auto* eval = std::get_if<EvalCommand>(&command)) {
      Eval(*eval, report);
    } else {
      store_.Clear();
    }
    return {};
  }

 private:
  Result<void> Load(const LoadCommand& load) {
    // Of a series that is there twice the last line counts.
    std::map<model::Labels, const SeriesValues*> lines;
    for (const SeriesValues& series : load.series) {
      lines[series.labels] = &series;
    }
    for (const auto& [labels, series] : lines) {
      for (size_t i = 0; i < series->values.size(); ++i) {
        RETURN_IF_ERROR(Append(labels, static_cast<int64_t>(i) * load.step_ms, series->values[i]));
      }
    }
    return load.with_nhcb ? LoadConverted(lines, load.step_ms) : Result<void>();
  }

  Result<void> Append(const model::Labels& labels, int64_t time_ms, const ScriptValue& value) {
    if (value.histogram != nullptr) {
      return store_.Append(labels, time_ms, *value.histogram);
    }
    return value.value ? store_.Append(labels, {time_ms, *value.value}) : Result<void>();
  }

  // The native histograms that the classic ones are.
  Result<void> LoadConverted(const std::map<model::Labels, const SeriesValues*>& lines,
                             int64_t step_ms) {
    std::map<model::Labels, std::map<size_t, ClassicHistogram>> converted;
    for (const auto& [labels, series] : lines) {
      for (const ClassicPart& part : kClassicParts) {
        const std::string_view name = labels.MetricName();
        const auto bound = base::ParseDouble(labels.Get("le"));
        if (!name.ends_with(part.suffix) || (part.has_bound && !bound)) {
          continue;
        }
        model::LabelsBuilder builder(labels);
        builder.Set(model::kMetricNameLabel, name.substr(0, name.size() - part.suffix.size()));
        builder.Remove("le");
        auto& histograms = converted[builder.Build()];
        for (size_t i = 0; i < series->values.size(); ++i) {
          if (const auto& value = series->values[i].value) {
            part.add(*value, bound.value_or(0), &histograms[i]);
          }
        }
      }
    }
    for (const auto& [labels, histograms] : converted) {
      for (const auto& [i, histogram] : histograms) {
        RETURN_IF_ERROR(
            store_.Append(labels, static_cast<int64_t>(i) * step_ms, ToNative(histogram)));
      }
    }
    return {};
  }

  void Eval(const EvalCommand& eval, TestReport* report) {
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
    auto fixed = ParseExpr(eval.expr, kLanguage);
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
    const auto result = engine_.Instant(*query, store_, at_ms);
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
    ASSIGN_OR_RETURN(const QueryResult result, engine_.RangeQuery(query, store_,
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
      for (const model::HistogramSample& sample : series.histograms) {
        if (sample.timestamp_ms == at_ms) {
          middle.push_back({series.labels, at_ms, 0, sample.histogram});
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
    const auto result = engine_.RangeQuery(*query, store_, eval.range);
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

  const Engine engine_{kOptions};
  TestStore store_;
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
