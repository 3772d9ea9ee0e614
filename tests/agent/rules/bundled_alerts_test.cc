// The bundled rules against their own tests (alerts/*_test.yml, promtool's format), but evaluated
// here: our engine, store and rule groups must do what promtool does.
#include <algorithm>
#include <chrono>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "agent/promql/engine.h"
#include "agent/promql/test_script.h"
#include "agent/rules/rule_group.h"
#include "agent/storage/head.h"
#include "lib/base/duration.h"
#include "lib/base/file.h"
#include "lib/yaml/yaml.h"

namespace rules {
namespace {

using std::chrono::milliseconds;
using yaml::Node;

const std::string kFolder = std::string(SOURCE_DIR) + "/alerts/";

const Node& Member(const Node& map, std::string_view name) {
  static const Node kNothing;
  for (const auto& [key, value] : map.members) {
    if (key == name) {
      return value;
    }
  }
  return kNothing;
}

milliseconds DurationOf(const Node& node) {
  const auto duration = base::ParseDuration(node.scalar);
  EXPECT_TRUE(duration.ok()) << node.line;
  return duration.ok() ? *duration : milliseconds(0);
}

// "{a="1"} | {summary="…"}" of every alert that is expected or fires.
using AlertTexts = std::multiset<std::string>;
using SampleTexts = std::multiset<std::string>;

class BundledTest {
 public:
  BundledTest(const std::string& rule_file, const Node& test) : test_(test) {
    const std::vector<std::string> files = {kFolder + rule_file};
    auto specs = LoadRuleFiles(files, parse_);
    EXPECT_TRUE(specs.ok()) << specs.error().message();
    for (GroupSpec& spec : *specs) {
      auto group = RuleGroup::Make(std::move(spec), {},
                                   {.parse = &parse_,
                                    .store = &head_,
                                    .notify = &notify_,
                                    .clock = &clock_,
                                    .logger = &logger_});
      EXPECT_TRUE(group.ok());
      groups_.push_back(*std::move(group));
    }
    Load();
  }

  // Evaluates up to the last moment that the test asks about.
  void Run(milliseconds interval) {
    milliseconds last{0};
    for (const char* kind : {"alert_rule_test", "promql_expr_test"}) {
      for (const Node& check : Member(test_, kind).items) {
        last = std::max(last, DurationOf(Member(check, "eval_time")));
      }
    }
    for (milliseconds now{0}; now <= last; now += interval) {
      for (const auto& group : groups_) {
        group->Evaluate({.at = base::WallTime(now), .elapsed = now});
      }
      Check(now, now + interval);
    }
    for (const auto& group : groups_) {
      EXPECT_EQ(group->Counters().failures, 0U);
      EXPECT_EQ(group->Counters().samples_rejected, 0U);
    }
  }

  int checks() const { return checks_; }

 private:
  void Load() {
    const milliseconds interval = DurationOf(Member(test_, "interval"));
    const auto appender = head_.NewAppender();
    for (const Node& input : Member(test_, "input_series").items) {
      const auto series = promql::ParseSeriesValues(Member(input, "series").scalar + " " +
                                                    Member(input, "values").scalar);
      ASSERT_TRUE(series.ok()) << input.line << ": " << series.error().message();
      milliseconds at{0};
      for (const auto& value : series->values) {
        if (value) {
          ASSERT_TRUE(appender->Append(series->labels, at.count(), *value).ok()) << input.line;
        }
        at += interval;
      }
    }
    ASSERT_TRUE(appender->Commit().ok());
  }

  void Check(milliseconds from, milliseconds until) {
    const auto due = [&](const Node& check) {
      const milliseconds at = DurationOf(Member(check, "eval_time"));
      return at >= from && at < until;
    };
    for (const Node& check : Member(test_, "alert_rule_test").items) {
      if (due(check)) {
        CheckAlerts(check);
      }
    }
    for (const Node& check : Member(test_, "promql_expr_test").items) {
      if (due(check)) {
        CheckExpression(check);
      }
    }
  }

  void CheckAlerts(const Node& check) {
    ++checks_;
    const std::string name = Member(check, "alertname").scalar;
    AlertTexts want;
    for (const Node& alert : Member(check, "exp_alerts").items) {
      model::LabelsBuilder labels = ToLabels(Member(alert, "exp_labels"));
      labels.Set("alertname", name);
      want.insert(labels.Build().ToString() + " | " +
                  ToLabels(Member(alert, "exp_annotations")).Build().ToString());
    }
    AlertTexts got;
    for (const auto& group : groups_) {
      for (const RuleStatus& rule : group->Status().rules) {
        for (const AlertStatus& alert : rule.alerts) {
          if (rule.name == name && alert.state == AlertState::kFiring) {
            got.insert(alert.labels.ToString() + " | " + alert.annotations.ToString());
          }
        }
      }
    }
    EXPECT_EQ(got, want) << "line " << check.line;
  }

  void CheckExpression(const Node& check) {
    ++checks_;
    SampleTexts want;
    for (const Node& sample : Member(check, "exp_samples").items) {
      const auto series = promql::ParseSeriesValues(Member(sample, "labels").scalar + " " +
                                                    Member(sample, "value").scalar);
      ASSERT_TRUE(series.ok()) << sample.line;
      want.insert(series->labels.ToString() + " " + std::to_string(*series->values.at(0)));
    }
    const auto expression = parse_(Member(check, "expr").scalar);
    ASSERT_TRUE(expression.ok()) << check.line;
    const auto result = expression->query(DurationOf(Member(check, "eval_time")).count());
    ASSERT_TRUE(result.ok()) << check.line << ": " << result.error().message();
    SampleTexts got;
    for (const promql::VectorElement& element : std::get<promql::Vector>(result->value)) {
      got.insert(element.labels.ToString() + " " + std::to_string(element.value));
    }
    EXPECT_EQ(got, want) << "line " << check.line;
  }

  static model::LabelsBuilder ToLabels(const Node& map) {
    model::LabelsBuilder builder;
    for (const auto& [name, value] : map.members) {
      builder.Set(name, value.scalar);
    }
    return builder;
  }

  const Node& test_;
  base::FakeClock clock_;
  storage::Head head_{{.retention = milliseconds(0)}, clock_};
  promql::Engine engine_;
  ParseFunc parse_ = [this](std::string_view text) -> base::Result<Expression> {
    ASSIGN_OR_RETURN(const promql::Query query, engine_.Parse(text));
    return Expression{.text = query.ToString(), .query = [this, query](int64_t at_ms) {
                        return engine_.Instant(query, head_, at_ms);
                      }};
  };
  notify::NotifyFunc notify_ = [](const std::vector<notify::Alert>&) {};
  base::Logger logger_{base::LogLevel::kError, base::LogFormat::kLogfmt, [](std::string_view) {}};
  std::vector<std::unique_ptr<RuleGroup>> groups_;
  int checks_ = 0;
};

class BundledAlerts : public ::testing::TestWithParam<const char*> {};

TEST_P(BundledAlerts, DoWhatTheirTestsSay) {
  const auto text = base::ReadFile(kFolder + GetParam() + "_test.yml");
  ASSERT_TRUE(text.ok());
  const auto document = yaml::Parse(*text, GetParam());
  ASSERT_TRUE(document.ok());
  const milliseconds interval = DurationOf(Member(*document, "evaluation_interval"));
  int checks = 0;
  for (const Node& test : Member(*document, "tests").items) {
    SCOPED_TRACE(Member(test, "name").scalar);
    BundledTest bundled(std::string(GetParam()) + ".yml", test);
    bundled.Run(interval);
    checks += bundled.checks();
  }
  EXPECT_GT(checks, 0);
}

INSTANTIATE_TEST_SUITE_P(Files, BundledAlerts,
                         ::testing::Values("agent", "host", "pgbouncer", "postgresql", "redis"),
                         [](const auto& parameter) { return std::string(parameter.param); });

}  // namespace
}  // namespace rules
