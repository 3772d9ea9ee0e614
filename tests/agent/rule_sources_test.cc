#include "agent/rule_sources.h"

#include <algorithm>
#include <set>
#include <string>

#include <gtest/gtest.h>

#include "agent/bundled_rules.h"
#include "agent/storage/head.h"
#include "lib/base/clock.h"
#include "lib/base/file.h"

namespace agent {
namespace {

TEST(BundledRules, AreTheRuleFilesOfTheRepository) {
  std::set<std::string> names;
  for (const std::string& path : base::Glob(SOURCE_DIR "/alerts/*.yml")) {
    if (!path.ends_with("_test.yml")) {
      names.insert(path.substr(path.rfind('/') + 1));
    }
  }
  std::set<std::string> bundled;
  for (const BundledRuleFile& file : BundledRuleFiles()) {
    bundled.emplace(file.name);
    const auto original = base::ReadFile(SOURCE_DIR "/alerts/" + std::string(file.name));
    ASSERT_TRUE(original.ok());
    EXPECT_EQ(*original, file.text) << file.name;
  }
  EXPECT_EQ(bundled, names);
}

TEST(BundledRules, AllLoad) {
  const promql::Engine engine;
  const auto groups = LoadRules({}, true, MakeParseFunc(engine, nullptr));
  ASSERT_TRUE(groups.ok()) << groups.error().message();
  EXPECT_EQ(groups->empty(), BundledRuleFiles().empty());
  EXPECT_TRUE(LoadRules({}, false, MakeParseFunc(engine, nullptr))->empty());
}

TEST(ParseFunc, EvaluatesOverTheStore) {
  const base::FakeClock clock;
  storage::Head store({.retention = std::chrono::milliseconds(0)}, clock);
  auto appender = store.NewAppender();
  ASSERT_TRUE(appender->Append({{"__name__", "up"}}, 1000, 1).ok());
  ASSERT_TRUE(appender->Commit().ok());
  const promql::Engine engine;
  const auto expression = MakeParseFunc(engine, &store)("up  +  1");
  ASSERT_TRUE(expression.ok());
  EXPECT_EQ(expression->text, "up + 1");
  const auto result = expression->query(2000);
  ASSERT_TRUE(result.ok());
  const auto& vector = std::get<promql::Vector>(result->value);
  ASSERT_EQ(vector.size(), 1U);
  EXPECT_EQ(vector[0].value, 2);
  EXPECT_FALSE(MakeParseFunc(engine, nullptr)("up +").ok());
  EXPECT_EQ(MakeParseFunc(engine, nullptr)("up")->query, nullptr);
}

}  // namespace
}  // namespace agent
