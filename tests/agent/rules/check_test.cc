#include "agent/rules/check.h"

#include <cstdlib>
#include <filesystem>
#include <sstream>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "lib/base/file.h"

namespace rules {
namespace {

using ::testing::HasSubstr;

base::Result<Expression> ParseAnything(std::string_view text) {
  if (text.find("bad(") != std::string_view::npos) {
    return base::Error("1:5: parse error: unclosed left parenthesis",
                       base::ErrorKind::kInvalidArgument);
  }
  return Expression{.text = std::string(text), .query = nullptr};
}

class CheckRulesCommandTest : public ::testing::Test {
 protected:
  CheckRulesCommandTest() {
    char pattern[] = "/tmp/tarsier-check-XXXXXX";
    folder_ = mkdtemp(pattern);
  }
  ~CheckRulesCommandTest() override { std::filesystem::remove_all(folder_); }

  int Run(const std::vector<std::string>& names, const CheckOptions& options = {}) {
    std::vector<std::string> files;
    for (const std::string& name : names) {
      files.push_back(folder_ + "/" + name);
    }
    std::ostringstream out;
    std::ostringstream err;
    const int code = CheckRulesCommand(files, ParseAnything, options, out, err);
    out_ = out.str();
    err_ = err.str();
    return code;
  }

  void Write(const std::string& name, const std::string& rules) {
    ASSERT_TRUE(
        base::WriteFileAtomically(folder_ + "/" + name, "groups:\n- name: g\n  rules:\n" + rules)
            .ok());
  }

  std::string folder_;
  std::string out_;
  std::string err_;
};

TEST_F(CheckRulesCommandTest, CountsRules) {
  Write("a.yml", "  - {alert: A, expr: up}\n  - {record: b, expr: up}\n");
  EXPECT_EQ(Run({"a.yml"}), kCheckFine);
  EXPECT_EQ(out_, "Checking " + folder_ + "/a.yml\n  SUCCESS: 2 rules found\n\n");
}

TEST_F(CheckRulesCommandTest, ExpandsPatterns) {
  Write("a.yml", "  - {alert: A, expr: up}\n");
  Write("b.yml", "  - {alert: A, expr: up}\n");
  EXPECT_EQ(Run({"*.yml"}), kCheckFine);
  EXPECT_THAT(out_, HasSubstr("/a.yml\n"));
  EXPECT_THAT(out_, HasSubstr("/b.yml\n"));
}

TEST_F(CheckRulesCommandTest, ReportsEveryError) {
  Write("a.yml", "  - {alert: A, expr: bad(, fro: 5m}\n  - {alert: B, expr: bad(}\n");
  EXPECT_EQ(Run({"a.yml"}), kCheckFailed);
  EXPECT_THAT(err_, HasSubstr("  FAILED:\n" + folder_ + "/a.yml:4: unknown key \"fro\""));
  EXPECT_THAT(err_, HasSubstr("/a.yml:5: rule \"B\": could not parse expression: 1:5: parse"));
}

TEST_F(CheckRulesCommandTest, ReportsFilesThatCannotBeRead) {
  EXPECT_EQ(Run({"nope.yml"}), kCheckFailed);
  EXPECT_THAT(err_, HasSubstr("nope.yml: No such file or directory"));
}

TEST_F(CheckRulesCommandTest, PointsAtDuplicates) {
  Write("a.yml",
        "  - {alert: A, expr: up, labels: {x: y}}\n  - {alert: A, expr: up == 0}\n"
        "  - {alert: A, expr: up == 1, labels: {x: y}}\n");
  EXPECT_EQ(Run({"a.yml"}), kCheckFine);
  EXPECT_EQ(err_,
            "  FAILED:\nlint error 1 duplicate rule(s) found.\nMetric: A\nLines: 4, 6\nLabel(s):\n"
            "\tx: y\nMight cause inconsistency while recording expressions\n");
  EXPECT_EQ(Run({"a.yml"}, {.lint_fatal = true}), kCheckLint);
  EXPECT_EQ(Run({"a.yml"}, {.duplicate_rules = false, .lint_fatal = true}), kCheckFine);
  EXPECT_THAT(out_, HasSubstr("SUCCESS: 3 rules found"));
}

TEST_F(CheckRulesCommandTest, ReadsOverUnknownFieldsOnlyWhenAsked) {
  Write("a.yml", "  - {alert: A, expr: up, owner: me}\n");
  EXPECT_EQ(Run({"a.yml"}), kCheckFailed);
  EXPECT_EQ(Run({"a.yml"}, {.unknown_fields = UnknownFields::kIgnored}), kCheckFine);
}

TEST(ParseLint, KnowsPromtoolsWords) {
  std::ostringstream out;
  EXPECT_TRUE(ParseLint("all", out));
  EXPECT_TRUE(ParseLint("duplicate-rules", out));
  EXPECT_FALSE(ParseLint("none", out));
  EXPECT_EQ(out.str(), "");
  EXPECT_FALSE(ParseLint("bogus", out));
  EXPECT_EQ(out.str(), "WARNING: unknown lint option bogus\n");
}

TEST_F(CheckRulesCommandTest, AFailureOutweighsADuplicate) {
  Write("a.yml", "  - {alert: A, expr: up}\n  - {alert: A, expr: up}\n");
  Write("b.yml", "  - {alert: A, expr: bad(}\n");
  Write("c.yml", "  - {alert: A, expr: up}\n");
  EXPECT_EQ(Run({"a.yml", "b.yml", "c.yml"}, {.lint_fatal = true}), kCheckFailed);
  EXPECT_EQ(Run({"c.yml", "a.yml", "c.yml"}, {.lint_fatal = true}), kCheckLint);
}

}  // namespace
}  // namespace rules
