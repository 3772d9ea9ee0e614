#include "agent/rules/unit_test.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <map>
#include <memory>
#include <set>
#include <utility>

#include <fmt/format.h>
#include <re2/re2.h>

#include "agent/promql/engine.h"
#include "agent/promql/quote.h"
#include "agent/promql/test_script.h"
#include "agent/rules/rule_group.h"
#include "agent/storage/head.h"
#include "agent/template/value.h"
#include "lib/base/duration.h"
#include "lib/base/file.h"
#include "lib/base/strings.h"

namespace rules {
namespace {

using std::chrono::milliseconds;

// Labels and annotations of one alert, ordered as promtool orders alerts.
using AlertTexts = std::pair<ExpectedTexts, ExpectedTexts>;

struct TextSample {
  ExpectedTexts labels;
  double value = 0;
};

ExpectedTexts ToTexts(const model::Labels& labels) {
  ExpectedTexts texts;
  for (const model::Label label : labels) {
    texts.emplace(label.name, label.value);
  }
  return texts;
}

// {__name__="up", job="a"}
std::string Format(const ExpectedTexts& texts) {
  std::vector<std::string> parts;
  for (const auto& [name, value] : texts) {
    parts.push_back(fmt::format("{}={}",
                                model::IsLegacyLabelName(name) ? name : promql::Quote(name),
                                promql::Quote(value)));
  }
  return fmt::format("{{{}}}", fmt::join(parts, ", "));
}

std::string Format(const AlertTexts& alert) {
  return fmt::format("Labels:{}\n              Annotations:{}", Format(alert.first),
                     Format(alert.second));
}

std::string Format(const std::vector<AlertTexts>& alerts) {
  if (alerts.empty()) {
    return "[]";
  }
  std::vector<std::string> entries;
  entries.reserve(alerts.size());
  for (size_t i = 0; i < alerts.size(); ++i) {
    entries.push_back(fmt::format("            {}:\n              {}", i, Format(alerts[i])));
  }
  return fmt::format("[\n{}\n            ]", fmt::join(entries, ",\n"));
}

// Go's 'E' format: "3E+00", as short as it can be read back.
std::string Format(double value) {
  if (!std::isfinite(value)) {
    return base::FormatDouble(value);
  }
  std::array<char, 32> text{};
  const auto end = std::to_chars(text.begin(), text.end(), value, std::chars_format::scientific);
  std::replace(text.begin(), end.ptr, 'e', 'E');
  return {text.begin(), end.ptr};
}

std::string Format(const std::vector<TextSample>& samples) {
  std::vector<std::string> entries;
  entries.reserve(samples.size());
  for (const TextSample& sample : samples) {
    entries.push_back(fmt::format("{} {}", Format(sample.labels), Format(sample.value)));
  }
  return entries.empty() ? "nil" : fmt::format("{}", fmt::join(entries, ", "));
}

// What only one side has, a line each: '-' expected, '+' there instead.
std::string Diff(const std::vector<AlertTexts>& expected, const std::vector<AlertTexts>& got) {
  std::vector<AlertTexts> missing;
  std::vector<AlertTexts> surplus;
  std::set_difference(expected.begin(), expected.end(), got.begin(), got.end(),
                      std::back_inserter(missing));
  std::set_difference(got.begin(), got.end(), expected.begin(), expected.end(),
                      std::back_inserter(surplus));
  std::string text;
  for (const auto& [alerts, sign] : {std::pair(&missing, '-'), std::pair(&surplus, '+')}) {
    for (const AlertTexts& alert : *alerts) {
      text += fmt::format("\n          {} Labels:{}\n          {} Annotations:{}", sign,
                          Format(alert.first), sign, Format(alert.second));
    }
  }
  return text;
}

base::Error Invalid(std::string message) {
  return base::Error(std::move(message), base::ErrorKind::kInvalidArgument);
}

// Reveals input series as time goes by: rules see nothing of what is yet to come.
class InputFeed {
 public:
  InputFeed(const UnitTest& test, storage::Head& head) : test_(test), head_(head) {}

  // Of a series that is given twice the last counts.
  base::Result<void> Parse() {
    for (const InputSeries& input : test_.inputs) {
      auto series = promql::ParseSeriesValues(input.series + " " + input.values);
      if (!series.ok()) {
        return Invalid(fmt::format("input series {} with values {}: {}",
                                   promql::Quote(input.series), promql::Quote(input.values),
                                   series.error().message()));
      }
      if (series->has_histograms()) {
        return Invalid(fmt::format("input series {}: native histograms are not supported",
                                   promql::Quote(input.series)));
      }
      if (series->values.empty()) {
        return Invalid(
            fmt::format("input series {}: it has no values", promql::Quote(input.series)));
      }
      series_[series->labels] = {.values = std::move(series->values)};
    }
    return {};
  }

  base::Result<void> AppendUntil(milliseconds now) {
    const auto appender = head_.NewAppender();
    for (auto& [labels, feed] : series_) {
      for (; feed.next < feed.values.size() && At(feed) <= now; ++feed.next) {
        const auto& value = feed.values[feed.next];
        if (value.value) {
          RETURN_IF_ERROR(
              appender->Append(labels, base::ToMillis(test_.start + At(feed)), *value.value));
        }
      }
    }
    return appender->Commit();
  }

 private:
  struct Feed {
    std::vector<promql::ScriptValue> values;
    size_t next = 0;
  };
  milliseconds At(const Feed& feed) const {
    return static_cast<int64_t>(feed.next) * test_.interval;
  }

  const UnitTest& test_;
  storage::Head& head_;
  std::map<model::Labels, Feed> series_;
};

class TestRun {
 public:
  TestRun(const UnitTest& test, const UnitTestFile& file, const UnitTestOptions& options)
      : test_(test), file_(file), options_(options) {
    engine_options_.default_subquery_step = file.evaluation_interval;
    engine_ = promql::Engine(engine_options_);
  }

  UnitTestReport Run(const std::vector<GroupSpec>& specs) {
    const auto evaluated = Evaluate(specs);
    if (!evaluated.ok()) {
      Fail(evaluated.error().message());
    } else if (*evaluated) {
      for (const ExpressionCheck& check : test_.expressions) {
        Check(check);
      }
    }
    return std::move(report_);
  }

 private:
  // Checks alerts on the way. False when a rule failed.
  base::Result<bool> Evaluate(const std::vector<GroupSpec>& specs) {
    std::vector<const AlertCheck*> checks;
    for (const AlertCheck& check : test_.alerts) {
      if (check.alertname.empty()) {
        return Invalid(
            fmt::format("an item under alert_rule_test misses required attribute "
                        "alertname at eval_time {} (in TestGroup {})",
                        base::FormatDuration(check.eval_time), test_.name));
      }
      checks.push_back(&check);
    }
    std::stable_sort(checks.begin(), checks.end(), [](const AlertCheck* a, const AlertCheck* b) {
      return a->eval_time < b->eval_time;
    });
    RETURN_IF_ERROR(MakeGroups(specs));
    RETURN_IF_ERROR(feed_.Parse());
    const milliseconds last = LastEvaluation();
    if (last / file_.evaluation_interval > kMaxUnitTestTicks) {
      return Invalid(fmt::format("eval_time {} takes more than {} evaluations",
                                 base::FormatDuration(last), kMaxUnitTestTicks));
    }
    auto check = checks.begin();
    for (milliseconds now{0}; now <= last; now += file_.evaluation_interval) {
      RETURN_IF_ERROR(feed_.AppendUntil(now));
      if (!EvaluateGroups(now)) {
        return false;
      }
      for (; check != checks.end() && (*check)->eval_time < now + file_.evaluation_interval;
           ++check) {
        Check(**check);
      }
    }
    return true;
  }

  base::Result<void> MakeGroups(const std::vector<GroupSpec>& specs) {
    for (const GroupSpec& spec : specs) {
      ASSIGN_OR_RETURN(auto group, RuleGroup::Make(spec,
                                                   {.interval = file_.evaluation_interval,
                                                    .external_labels = test_.external_labels,
                                                    .external_url = test_.external_url},
                                                   {.parse = &parse_,
                                                    .store = &head_,
                                                    .notify = &notify_,
                                                    .clock = &clock_,
                                                    .logger = &logger_}));
      groups_.push_back(std::move(group));
    }
    return {};
  }

  milliseconds LastEvaluation() const {
    milliseconds last{0};
    for (const AlertCheck& check : test_.alerts) {
      last = std::max(last, check.eval_time);
    }
    for (const ExpressionCheck& check : test_.expressions) {
      last = std::max(last, check.eval_time);
    }
    return last;
  }

  // False when a rule failed.
  bool EvaluateGroups(milliseconds now) {
    bool fine = true;
    for (const auto& group : groups_) {
      group->Evaluate({.at = test_.start + now, .elapsed = now});
      const GroupStatus status = group->Status();
      for (const RuleStatus& rule : status.rules) {
        if (rule.health == RuleHealth::kErr) {
          fine = false;
          Fail(fmt::format("    rule: {}, time: {}, err: {}", rule.name,
                           tmpl::FormatGoDuration(now), rule.last_error));
        }
        Trace(now, rule);
      }
    }
    return fine;
  }

  void Trace(milliseconds now, const RuleStatus& rule) {
    if (!options_.debug) {
      return;
    }
    for (const AlertStatus& alert : rule.alerts) {
      report_.trace +=
          fmt::format("DEBUG: {}: {} {} {}\n", base::FormatDuration(now),
                      AlertStateName(alert.state), alert.labels.ToString(), alert.value);
    }
  }

  void Check(const AlertCheck& check) {
    std::vector<AlertTexts> expected;
    for (const ExpectedAlert& alert : check.alerts) {
      expected.emplace_back(alert.labels, alert.annotations);
      expected.back().first["alertname"] = check.alertname;
    }
    std::vector<AlertTexts> got;
    for (const auto& group : groups_) {
      const GroupStatus status = group->Status();
      for (const RuleStatus& rule : status.rules) {
        for (const AlertStatus& alert : rule.alerts) {
          if (rule.name == check.alertname && alert.state == AlertState::kFiring) {
            got.emplace_back(ToTexts(alert.labels), ToTexts(alert.annotations));
          }
        }
      }
    }
    std::sort(expected.begin(), expected.end());
    std::sort(got.begin(), got.end());
    if (expected == got) {
      return;
    }
    const std::string head =
        fmt::format("{}    alertname: {}, time: {}, ",
                    test_.name.empty() ? "" : fmt::format("    name: {},\n", test_.name),
                    check.alertname, base::FormatDuration(check.eval_time));
    Fail(options_.diff ? fmt::format("{}\n        diff:{}", head, Diff(expected, got))
                       : fmt::format("{}\n        exp:{}, \n        got:{}", head, Format(expected),
                                     Format(got)));
  }

  void Check(const ExpressionCheck& check) {
    const std::string head = fmt::format("    expr: {}, time: {},", promql::Quote(check.expression),
                                         base::FormatDuration(check.eval_time));
    const auto expected = Expected(check);
    const auto got = Query(check);
    for (const auto* side : {&got, &expected}) {
      if (!side->ok()) {
        Fail(fmt::format("{} err: {}", head, side->error().message()));
        return;
      }
    }
    if (!Same(*expected, *got)) {
      Fail(fmt::format("{}\n        exp: {}\n        got: {}", head, Format(*expected),
                       Format(*got)));
    }
  }

  static void Sort(std::vector<TextSample>* samples) {
    std::stable_sort(samples->begin(), samples->end(),
                     [](const TextSample& a, const TextSample& b) { return a.labels < b.labels; });
  }

  static base::Result<std::vector<TextSample>> Expected(const ExpressionCheck& check) {
    std::vector<TextSample> samples;
    for (const ExpectedSample& sample : check.samples) {
      if (!sample.histogram.empty()) {
        return Invalid("exp_samples: native histograms are not supported");
      }
      TextSample parsed{.labels = {}, .value = sample.value};
      if (!base::TrimSpace(sample.labels).empty()) {
        ASSIGN_OR_RETURN(const promql::SeriesValues series,
                         promql::ParseSeriesValues(sample.labels));
        if (!series.values.empty()) {
          return Invalid(fmt::format("exp_samples: labels {}: only labels are expected",
                                     promql::Quote(sample.labels)));
        }
        parsed.labels = ToTexts(series.labels);
      }
      samples.push_back(std::move(parsed));
    }
    Sort(&samples);
    return samples;
  }

  base::Result<std::vector<TextSample>> Query(const ExpressionCheck& check) const {
    ASSIGN_OR_RETURN(const Expression expression, parse_(check.expression));
    ASSIGN_OR_RETURN(const promql::QueryResult result,
                     expression.query(base::ToMillis(test_.start + check.eval_time)));
    std::vector<TextSample> samples;
    if (const auto* scalar = std::get_if<promql::Scalar>(&result.value)) {
      samples.push_back({.labels = {}, .value = scalar->value});
    } else if (const auto* vector = std::get_if<promql::Vector>(&result.value)) {
      for (const promql::VectorElement& element : *vector) {
        samples.push_back({.labels = ToTexts(element.labels), .value = element.value});
      }
    } else {
      return Invalid("rule result is not a vector or scalar");
    }
    Sort(&samples);
    return samples;
  }

  bool Same(const std::vector<TextSample>& a, const std::vector<TextSample>& b) const {
    return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                      [this](const TextSample& x, const TextSample& y) {
                        return x.labels == y.labels && SameValue(x.value, y.value);
                      });
  }

  // As in promtool, NaN equals nothing.
  bool SameValue(double a, double b) const {
    return a == b || (file_.fuzzy_compare &&
                      (std::nextafter(a, -HUGE_VAL) == b || std::nextafter(a, HUGE_VAL) == b));
  }

  void Fail(std::string why) { report_.failures.push_back(std::move(why)); }

  const UnitTest& test_;
  const UnitTestFile& file_;
  const UnitTestOptions& options_;
  promql::EngineOptions engine_options_;
  promql::Engine engine_;
  base::FakeClock clock_;
  storage::Head head_{{.retention = milliseconds(0)}, clock_};
  InputFeed feed_{test_, head_};
  const ParseFunc parse_ = [this](std::string_view text) -> base::Result<Expression> {
    ASSIGN_OR_RETURN(const promql::Query query, engine_.Parse(text));
    return Expression{.text = query.ToString(), .query = [this, query](int64_t at_ms) {
                        return engine_.Instant(query, head_, at_ms);
                      }};
  };
  const notify::NotifyFunc notify_ = [](const std::vector<notify::Alert>&) {};
  const base::Logger logger_{base::LogLevel::kError, base::LogFormat::kLogfmt,
                             [](std::string_view) {}};
  std::vector<std::unique_ptr<RuleGroup>> groups_;
  UnitTestReport report_;
};

using Patterns = std::vector<std::unique_ptr<RE2>>;

bool Wanted(const std::string& name, const Patterns& patterns) {
  return patterns.empty() ||
         std::any_of(patterns.begin(), patterns.end(),
                     [&](const auto& pattern) { return RE2::PartialMatch(name, *pattern); });
}

struct CaseResult {
  std::string name;
  std::vector<std::string> failures;
};

struct FileResult {
  std::string file;
  std::vector<std::string> errors;  // Of the file itself.
  std::vector<CaseResult> cases;
};

FileResult RunFile(const std::string& path, const UnitTestOptions& options,
                   const Patterns& patterns, std::ostream& out, std::ostream& err) {
  FileResult result{.file = path};
  const auto text = base::ReadFile(path, kMaxUnitTestFileBytes);
  const auto file =
      text.ok() ? ParseUnitTestFile(*text, path) : base::Result<UnitTestFile>(text.error());
  if (!file.ok()) {
    result.errors.push_back(file.error().message());
    return result;
  }
  std::vector<std::string> warnings;
  const auto groups = LoadTestedGroups(*file, options, &warnings);
  for (const std::string& pattern : warnings) {
    err << fmt::format("  WARNING: no file match pattern {}\n", pattern);
  }
  for (const UnitTest& test : file->tests) {
    if (!Wanted(test.name, patterns)) {
      continue;
    }
    if (!groups.ok()) {
      result.errors.push_back(groups.error().message());
      return result;
    }
    UnitTestReport report = RunUnitTest(test, *file, *groups, options);
    out << report.trace;
    result.cases.push_back({test.name, std::move(report.failures)});
  }
  return result;
}

std::string EscapeXml(std::string_view text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      default:
        // XML 1.0 has no way to write the other control characters.
        out += static_cast<unsigned char>(c) >= 0x20 || c == '\n' || c == '\t' ? c : '?';
    }
  }
  return out;
}

std::string JunitCase(const std::string& name, const std::vector<std::string>& failures) {
  std::string text = fmt::format("    <testcase name=\"{}\">\n", EscapeXml(name));
  for (const std::string& failure : failures) {
    text += fmt::format("      <failure message=\"the test failed\">{}</failure>\n",
                        EscapeXml(failure));
  }
  return text + "    </testcase>\n";
}

std::string Junit(const std::vector<FileResult>& results) {
  std::string text = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n";
  for (const FileResult& result : results) {
    const auto failed =
        std::count_if(result.cases.begin(), result.cases.end(),
                      [](const CaseResult& entry) { return !entry.failures.empty(); }) +
        (result.errors.empty() ? 0 : 1);
    text += fmt::format("  <testsuite name=\"{}\" tests=\"{}\" failures=\"{}\">\n",
                        EscapeXml(result.file),
                        result.cases.size() + (result.errors.empty() ? 0 : 1), failed);
    if (!result.errors.empty()) {
      text += JunitCase("the file", result.errors);
    }
    for (const CaseResult& entry : result.cases) {
      text += JunitCase(entry.name, entry.failures);
    }
    text += "  </testsuite>\n";
  }
  return text + "</testsuites>\n";
}

}  // namespace

UnitTestReport RunUnitTest(const UnitTest& test, const UnitTestFile& file,
                           const std::vector<GroupSpec>& groups, const UnitTestOptions& options) {
  return TestRun(test, file, options).Run(groups);
}

base::Result<std::vector<GroupSpec>> LoadTestedGroups(const UnitTestFile& file,
                                                      const UnitTestOptions& options,
                                                      std::vector<std::string>* warnings) {
  std::vector<std::string> files;
  for (const std::string& pattern : file.rule_files) {
    const std::vector<std::string> matches = base::Glob(pattern);
    if (matches.empty()) {
      warnings->push_back(pattern);
    }
    files.insert(files.end(), matches.begin(), matches.end());
  }
  const promql::Engine engine;
  const ParseFunc parse = [&engine](std::string_view text) -> base::Result<Expression> {
    ASSIGN_OR_RETURN(const promql::Query query, engine.Parse(text));
    return Expression{.text = query.ToString(), .query = nullptr};
  };
  ASSIGN_OR_RETURN(std::vector<GroupSpec> groups,
                   LoadRuleFiles(files, parse,
                                 options.ignore_unknown_fields ? UnknownFields::kIgnored
                                                               : UnknownFields::kRefused));
  std::map<std::string, size_t> order;
  for (const std::string& name : file.group_eval_order) {
    order.emplace(name, order.size() + 1);
  }
  const auto rank = [&](const GroupSpec& group) {
    const auto found = order.find(group.name);
    return found == order.end() ? 0 : found->second;
  };
  std::stable_sort(groups.begin(), groups.end(),
                   [&](const GroupSpec& a, const GroupSpec& b) { return rank(a) < rank(b); });
  return groups;
}

int TestRulesCommand(std::span<const std::string> files, const UnitTestOptions& options,
                     std::ostream& out, std::ostream& err) {
  Patterns patterns;
  for (const std::string& text : options.run) {
    patterns.push_back(std::make_unique<RE2>(text, RE2::Quiet));
    if (!patterns.back()->ok()) {
      err << fmt::format("--run: {}: {}\n", text, patterns.back()->error());
      return 1;
    }
  }
  int code = 0;
  std::vector<FileResult> results;
  for (const std::string& path : files) {
    out << fmt::format("Unit Testing:  {}\n", path);
    results.push_back(RunFile(path, options, patterns, out, err));
    std::vector<std::string> failures = results.back().errors;
    for (const CaseResult& entry : results.back().cases) {
      failures.insert(failures.end(), entry.failures.begin(), entry.failures.end());
    }
    if (failures.empty()) {
      out << "  SUCCESS\n\n";
      continue;
    }
    err << fmt::format("  FAILED:\n{}\n", fmt::join(failures, "\n"));
    out << "\n";
    code = 1;
  }
  if (!options.junit_file.empty()) {
    const auto written = base::WriteFileAtomically(options.junit_file, Junit(results));
    if (!written.ok()) {
      err << fmt::format("--junit: {}\n", written.error().message());
      return 1;
    }
  }
  return code;
}

}  // namespace rules
