#include "agent/promql/test_runner.h"

#include <filesystem>
#include <sstream>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace promql {
namespace {

using testing::EndsWith;
using testing::HasSubstr;

// Every script of testdata, each eval of it.
TEST(PromqlScripts, AllEvalsPass) {
  size_t files = 0;
  size_t evals = 0;
  for (const auto& entry : std::filesystem::directory_iterator(TESTDATA_DIR)) {
    if (entry.path().extension() != ".test") {
      continue;
    }
    const auto report = RunTestFile(entry.path());
    ASSERT_TRUE(report.ok()) << entry.path() << ": " << report.error().message();
    for (const TestReport::Failure& failure : report->failures) {
      ADD_FAILURE() << entry.path().string() << ":" << failure.line << ": " << failure.message;
    }
    EXPECT_EQ(report->unsupported, 0U) << entry.path();
    EXPECT_GT(report->passed, 0U) << entry.path();
    evals += report->passed;
    ++files;
  }
  EXPECT_GE(files, 20U);
  EXPECT_GE(evals, 700U);
}

constexpr const char* kLoad = "load 1m\n  m{a=\"1\"} 1 2 3\n  m{a=\"2\"} 10 20 30\n\n";

TestReport RunAfterLoad(const std::string& text) {
  const auto report = RunTest(kLoad + text);
  EXPECT_TRUE(report.ok()) << report.error().message();
  return report.ok() ? *report : TestReport();
}

TEST(TestRunner, CountsAPassingEval) {
  const TestReport report = RunAfterLoad("eval instant at 1m sum(m)\n  {} 22\n");
  EXPECT_EQ(report.passed, 1U);
  EXPECT_TRUE(report.failures.empty());
}

TEST(TestRunner, FailsOnWhatDoesNotFit) {
  const auto check = [](const std::string& eval, const std::string& message) {
    const TestReport report = RunAfterLoad(eval + "\n");
    ASSERT_EQ(report.failures.size(), 1U) << eval;
    EXPECT_THAT(report.failures.front().message, HasSubstr(message)) << eval;
    EXPECT_EQ(report.failures.front().line, 5U);
  };
  check("eval instant at 1m sum(m)\n  {} 23", "expected 23, got 22");
  check("eval instant at 1m sum(m)\n  {a=\"1\"} 22", "unexpected series {}");
  check("eval instant at 1m sum(m)", "unexpected series {}");
  check("eval instant at 1m m{a=\"1\"}\n  m{a=\"1\"} 2\n  m{a=\"2\"} 20",
        "expected series m{a=\"2\"} not found");
  check("eval instant at 1m sum(m", "failed: 1:6: parse error: unclosed left parenthesis");
  check("eval instant at 1m 1\n  2", "expected 2, got 1");
  check("eval instant at 1m 1\n  {} 1", "unexpected scalar");
  check("eval instant at 1m \"x\"\n  expect string \"y\"", "unexpected string");
  check("eval instant at 1m m[1m]\n  m{a=\"1\"} 1", "unexpected range vector");
  check("eval_fail instant at 1m sum(m)", "expected to fail");
  check("eval instant at 1m sum(m) + m\n  expect fail msg: other\n",
        "expected to fail, but did not");
  check("eval instant at 1m m + on() m\n  expect fail msg: other", "expected the error \"other\"");
  check("eval instant at 1m m + on() m\n  expect fail regex: ^x", "expected the error \"^x\"");
  check("eval_ordered instant at 1m sort(m)\n  m{a=\"2\"} 20\n  m{a=\"1\"} 2", "at position 1");
  check("eval_warn instant at 1m m{a=\"1\"}\n  m{a=\"1\"} 2", "expected warning, got none");
  check("eval instant at 1m quantile(2, m)\n  {} Inf", "unexpected warning");
  check("eval instant at 1m quantile(2, m)\n  expect warn msg: other\n  {} Inf",
        "unexpected warning");
  check("eval instant at 1m rate(m{a=\"1\"}[3m])\n  expect no_info\n  {a=\"1\"} 0.0111111111",
        "unexpected info");
  check("eval range from 0 to 2m step 1m m{a=\"1\"}\n  m{a=\"1\"} 1 2 4",
        "expected 1 2 4, got 1 2 3");
  check("eval range from 0 to 2m step 1m m{a=\"1\"}\n  m{a=\"1\"} 1 _ 3", "expected 1 _ 3");
}

TEST(TestRunner, ReportsMalformedScriptsWithTheirLine) {
  const auto check = [](const std::string& script, const std::string& message) {
    const auto report = RunTest(script);
    ASSERT_FALSE(report.ok()) << script;
    EXPECT_THAT(report.error().message(), HasSubstr(message)) << script;
  };
  check("nonsense", "line 1: unknown command \"nonsense\"");
  check("\nload 1q\n", "line 2: ");
  check("load 1m\n  m 1+\n", "line 2: bad value \"1+\"");
  check("load 1m\n  m 1x9999999999\n", "line 2: bad value");
  check("load 1m\n  m{a=~\"b\"} 1\n", "line 2: a series is described with = only");
  check("eval sometimes at 1m 1\n", "\"instant\" or \"range\" expected");
  check("eval instant 1m 1\n", "\"at\" expected");
  check("eval_never instant at 1m 1\n", "unknown command \"eval_never\"");
  check("eval instant at 1m 1\n  expect more\n", "unknown expectation \"more\"");
  check("eval instant at 1m 1\n  expect fail because\n", "\"msg:\" or \"regex:\" expected");
  check("eval instant at 1m m\n  m 1 2\n", "one value per series");
  check("eval range from 0 to 1m m\n", "\"step\" expected");
}

TEST(TestRunner, ComparesNativeHistograms) {
  const auto report = RunTest(
      "load 1m\n  h {{schema:0 sum:1 count:1 buckets:[0 1]}}x3\n  f 1\n\n"
      "eval instant at 0 h\n  h {{schema:0 sum:1 count:1 buckets:[1] offset:1}}\n\n"
      "eval instant at 0 h\n  h {{schema:0 sum:1 count:1 buckets:[2] offset:1}}\n\n"
      "eval instant at 0 h\n  h {{schema:1 sum:1 count:1 buckets:[1] offset:1}}\n\n"
      "eval instant at 0 h\n  h {{schema:0 sum:2 count:1 buckets:[1] offset:1}}\n\n"
      "eval instant at 1m h\n"
      "  h {{schema:0 sum:1 count:1 buckets:[1] offset:1 counter_reset_hint:gauge}}\n\n"
      "eval instant at 1m h\n"
      "  h {{schema:0 sum:1 count:1 buckets:[1] offset:1 counter_reset_hint:not_reset}}\n\n"
      "eval instant at 0 h\n  h 1\n\n"
      "eval instant at 0 f\n  f {{sum:1}}\n");
  ASSERT_TRUE(report.ok());
  EXPECT_EQ(report->passed, 2U);
  std::vector<size_t> lines;
  for (const TestReport::Failure& failure : report->failures) {
    lines.push_back(failure.line);
  }
  EXPECT_THAT(lines, testing::ElementsAre(8, 11, 14, 17, 23, 26));
}

TEST(TestRunner, ReadsEveryFormOfValues) {
  const TestReport report = RunAfterLoad(
      "load 1m\n  v 1 _ 2x1 _x2 stale 1+2x2 -1-1x1 NaN Inf 1e3\n\n"
      "eval range from 0 to 14m step 1m last_over_time(v[1m])\n"
      "  v 1 _ 2 2 _ _ _ 1 3 5 -1 -2 NaN Inf 1000\n");
  EXPECT_TRUE(report.failures.empty()) << report.failures.front().message;
  EXPECT_EQ(report.passed, 1U);
}

TEST(TestPromqlCommand, PrintsOneLineAFileAndTheTotal) {
  const std::string good = std::string(TESTDATA_DIR) + "/rate.test";
  std::ostringstream out;
  EXPECT_EQ(TestPromqlCommand(std::vector<std::string>{good}, out), 0);
  EXPECT_THAT(out.str(), HasSubstr("rate.test: "));
  EXPECT_THAT(out.str(), EndsWith(" passed, 0 failed, 0 unsupported\n"));

  std::ostringstream missing;
  EXPECT_EQ(TestPromqlCommand(std::vector<std::string>{good, "/nonexistent.test"}, missing), 1);
  EXPECT_THAT(missing.str(), HasSubstr("/nonexistent.test"));
}

}  // namespace
}  // namespace promql
