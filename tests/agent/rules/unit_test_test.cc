#include "agent/rules/unit_test.h"

#include <cstdlib>
#include <filesystem>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "lib/base/file.h"

namespace rules {
namespace {

using ::testing::HasSubstr;

constexpr char kRules[] = R"yaml(
groups:
- name: first
  rules:
  - {record: "job:up:sum", expr: "sum by (job) (up)"}
- name: second
  rules:
  - alert: Down
    expr: up == 0
    for: 2m
    labels: {severity: page}
    annotations: {summary: "{{ $labels.instance }} at {{ $externalURL }}"}
)yaml";

constexpr char kSeries[] =
    "  input_series: [{series: 'up{job=\"a\",instance=\"1\"}', values: '1x1 0x10'}]\n";

class TestRulesCommandTest : public ::testing::Test {
 protected:
  TestRulesCommandTest() {
    char pattern[] = "/tmp/tarsier-unit-test-XXXXXX";
    folder_ = mkdtemp(pattern);
    Write("rules.yml", kRules);
  }
  ~TestRulesCommandTest() override { std::filesystem::remove_all(folder_); }

  void Write(const std::string& name, const std::string& text) const {
    ASSERT_TRUE(base::WriteFileAtomically(Path(name), text).ok());
  }
  std::string Path(const std::string& name) const { return folder_ + "/" + name; }

  // `test` is the body of one test.
  int Run(const std::string& test, const UnitTestOptions& options = {},
          const std::string& head = "rule_files: [rules.yml]\n") {
    Write("t.yml", head + "tests:\n- interval: 1m\n" + test);
    return RunFiles({"t.yml"}, options);
  }

  int RunFiles(const std::vector<std::string>& names, const UnitTestOptions& options = {}) {
    std::vector<std::string> files;
    for (const std::string& name : names) {
      files.push_back(Path(name));
    }
    std::ostringstream out;
    std::ostringstream err;
    const int code = TestRulesCommand(files, options, out, err);
    out_ = out.str();
    err_ = err.str();
    return code;
  }

  std::string folder_;
  std::string out_;
  std::string err_;
};

TEST_F(TestRulesCommandTest, PassesWhenEveryCheckHolds) {
  EXPECT_EQ(Run(std::string("  external_url: http://e\n") + kSeries + R"yaml(
  alert_rule_test:
  - {eval_time: 3m, alertname: Down, exp_alerts: []}
  - eval_time: 4m30s
    alertname: Down
    exp_alerts:
    - {exp_labels: {severity: page, job: a, instance: 1}, exp_annotations: {summary: "1 at http://e"}}
  promql_expr_test:
  - {expr: "job:up:sum", eval_time: 3m, exp_samples: [{labels: 'job:up:sum{job="a"}', value: 0}]}
  - {expr: "vector(1)", eval_time: 3m, exp_samples: [{value: 1}]}
  - {expr: "absent(up)", eval_time: 3m}
)yaml"),
            0)
      << err_;
  EXPECT_EQ(out_, "Unit Testing:  " + Path("t.yml") + "\n  SUCCESS\n\n");
  EXPECT_EQ(err_, "");
}

TEST_F(TestRulesCommandTest, SaysWhatWasExpectedAndWhatIsThere) {
  EXPECT_EQ(Run(std::string("  name: gone\n") + kSeries + R"yaml(
  alert_rule_test:
  - {eval_time: 5m, alertname: Down, exp_alerts: [{exp_labels: {severity: page}}]}
  promql_expr_test:
  - {expr: "up", eval_time: 1m, exp_samples: [{labels: 'up', value: 2}]}
)yaml"),
            1);
  EXPECT_EQ(err_, R"yaml(  FAILED:
    name: gone,
    alertname: Down, time: 5m, 
        exp:[
            0:
              Labels:{alertname="Down", severity="page"}
              Annotations:{}
            ], 
        got:[
            0:
              Labels:{alertname="Down", instance="1", job="a", severity="page"}
              Annotations:{summary="1 at "}
            ]
    expr: "up", time: 1m,
        exp: {__name__="up"} 2E+00
        got: {__name__="up", instance="1", job="a"} 1E+00
)yaml");
}

TEST_F(TestRulesCommandTest, ShowsOnlyWhatDiffersWhenAsked) {
  const std::string test = std::string(kSeries) +
                           "  alert_rule_test: [{eval_time: 5m, alertname: Down, exp_alerts: "
                           "[{exp_labels: {severity: no}}]}]\n";
  EXPECT_EQ(Run(test, {.diff = true}), 1);
  EXPECT_THAT(err_, HasSubstr("- Labels:{alertname=\"Down\", severity=\"no\"}"));
  EXPECT_THAT(err_, HasSubstr("+ Labels:{alertname=\"Down\", instance=\"1\""));
}

TEST_F(TestRulesCommandTest, FailsForOneReasonEach) {
  const std::pair<const char*, const char*> cases[] = {
      {"  foo: 1\n", "t.yml:4: unknown key \"foo\""},
      {"  alert_rule_test: [{eval_time: 5m}]\n", "misses required attribute alertname"},
      {"  alert_rule_test: [{eval_time: 5x, alertname: A}]\n", "not a duration"},
      {"  input_series: [{series: up, values: 'x'}]\n", "input series \"up\""},
      {"  input_series: [{series: up, values: ''}]\n", "it has no values"},
      {"  input_series: [{series: up, values: '{{count:1}}'}]\n", "native histograms"},
      {"  promql_expr_test: [{expr: '1+', eval_time: 0}]\n", "parse error"},
      {"  promql_expr_test: [{expr: '\"s\"', eval_time: 0}]\n", "not a vector or scalar"},
      {"  promql_expr_test: [{expr: '1', eval_time: 0, exp_samples: [{value: x}]}]\n",
       "a number is expected"},
      {"  promql_expr_test: [{expr: '1', eval_time: 0, exp_samples: [{labels: 'x 1'}]}]\n",
       "only labels are expected"},
      {"  promql_expr_test: [{expr: '0/0', eval_time: 0, exp_samples: [{value: .nan}]}]\n",
       "got: {} NaN"},
      {"  start_timestamp: yesterday\n", "RFC 3339"},
      {"  start_timestamp: 2026-02-30T00:00:00Z\n", "RFC 3339"},
      {"  promql_expr_test: [{expr: '1', eval_time: 100y}]\n", "more than 10000000 evaluations"},
  };
  for (const auto& [test, message] : cases) {
    EXPECT_EQ(Run(test), 1) << test;
    EXPECT_THAT(err_, HasSubstr(message)) << test;
  }
}

TEST_F(TestRulesCommandTest, StopsAtARuleThatFails) {
  Write("rules.yml",
        "groups: [{name: g, rules: [{record: r, expr: 'label_replace(up, \"a\", \"\", \"a\", "
        "\".*\")'}]}]");
  EXPECT_EQ(Run("  input_series: [{series: 'up{a=\"1\"}', values: '1x3'}, {series: 'up{a=\"2\"}', "
                "values: '1x3'}]\n"),
            1);
  EXPECT_THAT(err_, HasSubstr("    rule: r, time: 0s, err: "));
}

TEST_F(TestRulesCommandTest, StartsWhenToldTo) {
  for (const char* start : {"1643114203", "2022-01-25T12:36:43Z", "2022-01-25T14:36:43.0+02:00"}) {
    EXPECT_EQ(Run(std::string("  start_timestamp: ") + start +
                  "\n  promql_expr_test: [{expr: 'time()', eval_time: 7s, exp_samples: [{value: "
                  "1643114210}]}]\n"),
              0)
        << err_;
  }
}

TEST_F(TestRulesCommandTest, EvaluatesGroupsInTheOrderAskedFor) {
  Write("rules.yml",
        "groups:\n- {name: a, rules: [{record: late, expr: early}]}\n"
        "- {name: b, rules: [{record: early, expr: vector(1)}]}\n");
  const std::string test =
      "  promql_expr_test: [{expr: late, eval_time: 0m, exp_samples: [{labels: late, value: "
      "1}]}]\n";
  EXPECT_EQ(Run(test, {}, "rule_files: [rules.yml]\ngroup_eval_order: [b, a]\n"), 0) << err_;
  EXPECT_EQ(Run(test, {}, "rule_files: [rules.yml]\ngroup_eval_order: [a, b]\n"), 1);
  EXPECT_EQ(Run(test, {}, "rule_files: [rules.yml]\ngroup_eval_order: [a, a]\n"), 1);
  EXPECT_THAT(err_, HasSubstr("\"a\" is named twice"));
}

TEST_F(TestRulesCommandTest, TakesNeighbouringNumbersForEqualWhenAsked) {
  const std::string test =
      "  promql_expr_test: [{expr: '0.1 + 0.2', eval_time: 0m, exp_samples: [{value: 0.3}]}]\n";
  EXPECT_EQ(Run(test), 1);
  EXPECT_EQ(Run(test, {}, "fuzzy_compare: true\n"), 0) << err_;
}

TEST_F(TestRulesCommandTest, RunsOnlyTheTestsAskedFor) {
  const std::string test =
      "  name: good\n- name: bad\n  promql_expr_test: [{expr: '1', eval_time: 0m}]\n";
  EXPECT_EQ(Run(test), 1);
  EXPECT_EQ(Run(test, {.run = {"^good$", "nothing"}}), 0) << err_;
  EXPECT_EQ(Run(test, {.run = {"ba"}}), 1);
  EXPECT_EQ(Run(test, {.run = {"("}}), 1);
  EXPECT_THAT(err_, HasSubstr("--run: ("));
}

TEST_F(TestRulesCommandTest, WarnsOfPatternsWithoutAFile) {
  EXPECT_EQ(Run("  name: x\n", {}, "rule_files: [nope.yml]\n"), 0);
  EXPECT_THAT(err_, HasSubstr("WARNING: no file match pattern " + Path("nope.yml")));
}

TEST_F(TestRulesCommandTest, WritesJunit) {
  EXPECT_EQ(Run("  name: a<b\n  promql_expr_test: [{expr: '1', eval_time: 0m}]\n",
                {.junit_file = Path("out.xml")}),
            1);
  const auto xml = base::ReadFile(Path("out.xml"));
  ASSERT_TRUE(xml.ok());
  EXPECT_THAT(*xml, HasSubstr("tests=\"1\" failures=\"1\""));
  EXPECT_THAT(*xml, HasSubstr("<testcase name=\"a&lt;b\">"));
  EXPECT_THAT(*xml, HasSubstr("<failure message=\"the test failed\">    expr: &quot;1&quot;"));
}

TEST_F(TestRulesCommandTest, ShowsEveryStepWhenAsked) {
  EXPECT_EQ(Run(std::string(kSeries) + "  promql_expr_test: [{expr: absent(up), eval_time: 5m}]\n",
                {.debug = true}),
            0);
  EXPECT_THAT(out_, HasSubstr("DEBUG: 2m: pending {alertname=\"Down\""));
  EXPECT_THAT(out_, HasSubstr("DEBUG: 4m: firing {alertname=\"Down\""));
}

}  // namespace
}  // namespace rules
