// Unit tests of rules, in promtool's YAML, as plain structs.
//
//   rule_files: [redis.yml]
//   evaluation_interval: 1m
//   tests:
//     - name: a server that went away
//       interval: 1m
//       input_series:
//         - {series: 'redis_up{instance="a"}', values: '1x3 0x10'}
//       alert_rule_test:
//         - {eval_time: 8m, alertname: RedisDown, exp_alerts: [{exp_labels: {instance: a}}]}
//       promql_expr_test:
//         - {expr: redis_up, eval_time: 8m, exp_samples: [{labels: 'redis_up{instance="a"}', value:
//         0}]}
#pragma once

#include <chrono>
#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "lib/base/clock.h"
#include "lib/base/result.h"
#include "lib/model/labels.h"

namespace rules {

inline constexpr size_t kMaxUnitTestFileBytes = 8 << 20;

// Label names to values. Not model::Labels: a test may expect an empty value, which no alert has.
using ExpectedTexts = std::map<std::string, std::string>;

struct ExpectedAlert {
  ExpectedTexts labels;
  ExpectedTexts annotations;
};

struct AlertCheck {
  std::chrono::milliseconds eval_time{0};
  std::string alertname;
  std::vector<ExpectedAlert> alerts;
};

struct ExpectedSample {
  std::string labels;  // As in PromQL; empty is none.
  double value = 0;
  std::string histogram;
};

struct ExpressionCheck {
  std::string expression;
  std::chrono::milliseconds eval_time{0};
  std::vector<ExpectedSample> samples;
};

struct InputSeries {
  std::string series;
  std::string values;
};

struct UnitTest {
  std::string name;
  std::chrono::milliseconds interval{0};  // Between two input values; 0 is the evaluation interval.
  base::WallTime start;                   // What all times are relative to.
  std::vector<InputSeries> inputs;
  std::vector<AlertCheck> alerts;
  std::vector<ExpressionCheck> expressions;
  model::Labels external_labels;
  std::string external_url;
};

struct UnitTestFile {
  std::vector<std::string> rule_files;  // Patterns, resolved against the folder of the test.
  std::chrono::milliseconds evaluation_interval{60'000};
  std::vector<std::string> group_eval_order;
  bool fuzzy_compare = false;  // Neighbouring floating-point numbers are equal.
  std::vector<UnitTest> tests;
};

// Pure. Errors: kInvalidArgument "FILE:LINE: why".
base::Result<UnitTestFile> ParseUnitTestFile(std::string_view yaml, const std::string& file);

}  // namespace rules
