// The bundled rules against their own tests (alerts/*_test.yml, promtool's format), but evaluated
// here: our engine, store and rule groups must do what promtool does.
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "agent/rules/unit_test.h"
#include "lib/base/file.h"

namespace rules {
namespace {

class BundledAlerts : public ::testing::TestWithParam<const char*> {};

TEST_P(BundledAlerts, DoWhatTheirTestsSay) {
  const std::string path = std::string(SOURCE_DIR) + "/alerts/" + GetParam() + "_test.yml";
  const auto text = base::ReadFile(path);
  ASSERT_TRUE(text.ok());
  const auto file = ParseUnitTestFile(*text, path);
  ASSERT_TRUE(file.ok()) << file.error().message();
  std::vector<std::string> warnings;
  const auto groups = LoadTestedGroups(*file, {}, &warnings);
  ASSERT_TRUE(groups.ok()) << groups.error().message();
  EXPECT_TRUE(warnings.empty());
  size_t checks = 0;
  for (const UnitTest& test : file->tests) {
    checks += test.alerts.size() + test.expressions.size();
    for (const std::string& failure : RunUnitTest(test, *file, *groups, {}).failures) {
      ADD_FAILURE() << test.name << "\n" << failure;
    }
  }
  EXPECT_GT(checks, 0U);
}

INSTANTIATE_TEST_SUITE_P(Files, BundledAlerts,
                         ::testing::Values("agent", "host", "pgbouncer", "postgresql", "redis"),
                         [](const auto& parameter) { return std::string(parameter.param); });

}  // namespace
}  // namespace rules
