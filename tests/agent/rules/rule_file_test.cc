#include "agent/rules/rule_file.h"

#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "lib/base/file.h"

namespace rules {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::HasSubstr;

base::Result<Expression> ParseAnything(std::string_view text) {
  if (text.find("bad(") != std::string_view::npos) {
    return base::Error("1:5: parse error: unclosed left parenthesis",
                       base::ErrorKind::kInvalidArgument);
  }
  return Expression{.text = std::string(text), .query = nullptr};
}

std::string GroupWith(const std::string& rule) { return "groups:\n- name: g\n  rules:\n" + rule; }

TEST(RuleFile, ReadsEverythingAGroupCanHave) {
  const RuleFile file = ParseRuleFile(R"(
groups:
  - name: first
    interval: 30s
    query_offset: 1m
    limit: 5
    labels: {team: db, severity: info}
    rules:
      - alert: Down
        expr: |
          up == 0
        for: 1m30s
        keep_firing_for: 5m
        labels: {severity: page, priority: 1}
        annotations:
          summary: "{{ $labels.instance }} is down"
      - record: job:up:sum
        expr: sum by (job) (up)
  - name: second
)",
                                      "a.yml", ParseAnything);
  ASSERT_TRUE(file.errors.empty()) << file.errors[0].message();
  ASSERT_EQ(file.groups.size(), 2U);
  const GroupSpec& group = file.groups[0];
  EXPECT_EQ(group.file, "a.yml");
  EXPECT_EQ(group.name, "first");
  EXPECT_EQ(group.interval, seconds(30));
  EXPECT_EQ(group.query_offset, seconds(60));
  EXPECT_EQ(group.limit, 5U);
  ASSERT_EQ(group.rules.size(), 2U);
  const RuleSpec& alert = group.rules[0];
  EXPECT_TRUE(alert.alerting);
  EXPECT_EQ(alert.line, 9);
  EXPECT_EQ(alert.name, "Down");
  EXPECT_EQ(alert.expression, "up == 0\n");
  EXPECT_EQ(alert.hold, seconds(90));
  EXPECT_EQ(alert.keep_firing_for, seconds(300));
  EXPECT_EQ(alert.labels, (TextPairs{{"team", "db"}, {"severity", "page"}, {"priority", "1"}}));
  EXPECT_EQ(alert.annotations, (TextPairs{{"summary", "{{ $labels.instance }} is down"}}));
  EXPECT_FALSE(group.rules[1].alerting);
  EXPECT_EQ(group.rules[1].labels, (TextPairs{{"team", "db"}, {"severity", "info"}}));
  EXPECT_TRUE(file.groups[1].rules.empty());
  EXPECT_FALSE(file.groups[1].interval);
}

TEST(RuleFile, AnEmptyFileHasNoGroups) {
  for (const char* text : {"", "groups:\n", "groups: []\n", "# nothing\n"}) {
    const RuleFile file = ParseRuleFile(text, "f.yml", ParseAnything);
    EXPECT_TRUE(file.errors.empty()) << text;
    EXPECT_TRUE(file.groups.empty()) << text;
  }
}

TEST(RuleFile, RefusesWhatPrometheusRefuses) {
  const auto check = [](const std::string& text, const std::string& want) {
    const RuleFile file = ParseRuleFile(text, "f.yml", ParseAnything);
    ASSERT_FALSE(file.errors.empty()) << text;
    EXPECT_THAT(file.errors[0].message(), HasSubstr(want)) << text;
    EXPECT_TRUE(file.groups.empty());
  };
  check("groups: [", "f.yml:");
  check("- a\n- b\n", "f.yml:1: a map is expected");
  check("group: []\n", "f.yml:1: unknown key \"group\"; did you mean \"groups\"?");
  check("groups: {name: g}\n", "f.yml:1: a sequence is expected");
  check("groups:\n- rules: []\n", "f.yml:2: a group needs a name");
  check("groups:\n-\n", "a group needs a name");
  check(
      "groups:\n- name: g\n  rules:\n  - {alert: A, expr: up, annotations: {tarsier_missing_data: "
      "no}}\n",
      "f.yml:4: annotation tarsier_missing_data: \"no\": one of resolve, hold and fire is "
      "expected");
  check("groups:\n- name: g\n- name: g\n", "f.yml:3: group \"g\" is repeated");
  check("groups:\n- name: g\n  name: h\n", "f.yml:3");
  check("groups:\n- name: g\n  interval: soon\n", "f.yml:3");
  check("groups:\n- name: g\n  interval: 30\n", "f.yml:3");
  check("groups:\n- name: g\n  limit: many\n", "f.yml:3: a whole number is expected");
  check("groups:\n- name: g\n  partial_response_strategy: warn\n", "f.yml:3: unknown key");
  check("groups:\n- name: g\n  labels: {\"\": x}\n", "invalid label name");
  check(GroupWith("  - expr: up\n"), "f.yml:4: one of \"record\" and \"alert\" must be set");
  check(GroupWith("  - {expr: up, alert: a, record: b}\n"), "only one of");
  check(GroupWith("  - alert: a\n"), "\"expr\" must be set");
  check(GroupWith("  - {alert: a, expr: '  '}\n"), "\"expr\" must be set");
  check(GroupWith("  - alert: a\n    expr: bad(\n"), "f.yml:5: rule \"a\": could not parse");
  check(GroupWith("  - {alert: a, expr: up, for: 5}\n"), "f.yml:4");
  check(GroupWith("  - {alert: a, expr: up, for: -5m}\n"), "f.yml:4");
  check(GroupWith("  - {alert: a, expr: up, fore: 5m}\n"), "did you mean \"for\"?");
  check(GroupWith("  - {alert: a, expr: up, labels: [x]}\n"), "a map is expected");
  check(GroupWith("  - {alert: a, expr: up, labels: {x: [y]}}\n"), "a scalar is expected");
  check(GroupWith("  - {alert: a, expr: up, labels: {__name__: x}}\n"), "invalid label name");
  check(GroupWith("  - {alert: a, expr: up, annotations: {\"\": x}}\n"), "invalid annotation name");
  check(GroupWith("  - {alert: a, expr: up, labels: {x: '{{ $nope }}'}}\n"),
        "rule \"a\", label \"x\": template: __alert_a:1: undefined variable \"$nope\"");
  check(GroupWith("  - {alert: a, expr: up, annotations: {x: '{{ nope }}'}}\n"),
        "annotation \"x\": template: __alert_a:1: function \"nope\" not defined");
  check(GroupWith("  - {record: a, expr: up, for: 5m}\n"), "\"for\" has no place");
  check(GroupWith("  - {record: a, expr: up, keep_firing_for: 5m}\n"),
        "\"keep_firing_for\" has no");
  check(GroupWith("  - {record: a, expr: up, annotations: {x: y}}\n"), "\"annotations\" has no");
  check(GroupWith("  - {record: 'a{b=\"c\"}', expr: up}\n"), "invalid recording rule name");
}

TEST(RuleFile, ReportsEveryErrorAtOnce) {
  const RuleFile file =
      ParseRuleFile(GroupWith("  - expr: up\n  - {alert: a, expr: bad(, annotations: {x: '{{'}}\n"),
                    "f.yml", ParseAnything);
  EXPECT_EQ(file.errors.size(), 3U);
}

TEST(RuleFile, BoundsSizeErrorsAndRules) {
  const RuleFile large =
      ParseRuleFile(std::string(kMaxRuleFileBytes + 1, '#'), "f.yml", ParseAnything);
  ASSERT_EQ(large.errors.size(), 1U);
  EXPECT_THAT(large.errors[0].message(), HasSubstr("longer than"));

  std::string wrong;
  for (size_t i = 0; i < kMaxRuleFileErrors + 10; ++i) {
    wrong += "  - expr: up\n";
  }
  EXPECT_EQ(ParseRuleFile(GroupWith(wrong), "f.yml", ParseAnything).errors.size(),
            kMaxRuleFileErrors);

  std::string many;
  for (size_t i = 0; i < kMaxRulesPerFile + 1; ++i) {
    many += "  - {record: a, expr: b}\n";
  }
  const RuleFile file = ParseRuleFile(GroupWith(many), "f.yml", ParseAnything);
  ASSERT_EQ(file.errors.size(), 1U);
  EXPECT_THAT(file.errors[0].message(), HasSubstr("more than 20000 rules"));
}

TEST(RuleFile, SurvivesAliasBombsAndDepth) {
  std::string bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 12; ++i) {
    bomb += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [";
    for (int j = 0; j < 10; ++j) {
      bomb += (j == 0 ? "*a" : ", *a") + std::to_string(i - 1);
    }
    bomb += "]\n";
  }
  EXPECT_FALSE(ParseRuleFile(bomb, "f.yml", ParseAnything).errors.empty());
  EXPECT_FALSE(
      ParseRuleFile("groups: " + std::string(5000, '['), "f.yml", ParseAnything).errors.empty());
}

TEST(RuleSpec, IsTheSameWhereverItStands) {
  const RuleSpec rule{.line = 1, .alerting = true, .name = "A", .expression = "up"};
  RuleSpec moved = rule;
  moved.line = 9;
  EXPECT_TRUE(rule.SameAs(moved));
  moved.hold = seconds(1);
  EXPECT_FALSE(rule.SameAs(moved));
}

class LoadRuleFilesTest : public ::testing::Test {
 protected:
  LoadRuleFilesTest() {
    char pattern[] = "/tmp/tarsier-rules-XXXXXX";
    folder_ = mkdtemp(pattern);
  }
  ~LoadRuleFilesTest() override { std::filesystem::remove_all(folder_); }

  void Write(const std::string& name, const std::string& text) {
    ASSERT_TRUE(base::WriteFileAtomically(folder_ + "/" + name, text).ok());
  }

  std::string folder_;
};

TEST_F(LoadRuleFilesTest, ReadsEachMatchOnce) {
  Write("a.yml", "groups: [{name: a}]\n");
  Write("b.yml", "groups: [{name: b}]\n");
  const std::vector<std::string> patterns = {folder_ + "/b.yml", folder_ + "/*.yml",
                                             folder_ + "/none*.yml"};
  const auto groups = LoadRuleFiles(patterns, ParseAnything);
  ASSERT_TRUE(groups.ok()) << groups.error().message();
  ASSERT_EQ(groups->size(), 2U);
  EXPECT_EQ((*groups)[0].name, "b");
  EXPECT_EQ((*groups)[1].file, folder_ + "/a.yml");
}

TEST_F(LoadRuleFilesTest, NamesEveryWrongFile) {
  Write("a.yml", "groups: [{}]\n");
  Write("b.yml", "rules: []\n");
  const std::vector<std::string> patterns = {folder_ + "/*.yml"};
  const auto groups = LoadRuleFiles(patterns, ParseAnything);
  ASSERT_FALSE(groups.ok());
  EXPECT_THAT(groups.error().message(), HasSubstr("a.yml:1: a group needs a name\n"));
  EXPECT_THAT(groups.error().message(), HasSubstr("b.yml:1: unknown key \"rules\""));
}

TEST_F(LoadRuleFilesTest, FailsOnAPlainPathThatDoesNotExist) {
  const std::vector<std::string> patterns = {folder_ + "/nope.yml"};
  const auto groups = LoadRuleFiles(patterns, ParseAnything);
  ASSERT_FALSE(groups.ok());
  EXPECT_EQ(groups.error().kind(), base::ErrorKind::kNotFound);
}

}  // namespace
}  // namespace rules
