#include "agent/rules/recording_rule.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/agent/rules/fakes.h"

namespace rules {
namespace {

TEST(RecordingRule, RenamesAndLabels) {
  const RecordingRule rule({.name = "job:up:sum", .labels = {{"a", "new"}, {"gone", ""}}}, 0);
  const auto outcome =
      rule.Advance({Element({{"__name__", "up"}, {"a", "old"}, {"gone", "x"}, {"b", "1"}}, 3)});
  ASSERT_TRUE(outcome.ok());
  ASSERT_EQ(outcome->samples.size(), 1U);
  EXPECT_EQ(outcome->samples[0].labels.ToString(), R"(job:up:sum{a="new", b="1"})");
  EXPECT_EQ(outcome->samples[0].value, 3);
  EXPECT_TRUE(outcome->alerts.empty());
}

TEST(RecordingRule, FailsOnEqualLabelSets) {
  const RecordingRule rule({.name = "x", .labels = {{"i", "same"}}}, 0);
  const auto outcome = rule.Advance({Element({{"i", "a"}}), Element({{"i", "b"}})});
  ASSERT_FALSE(outcome.ok());
  EXPECT_THAT(outcome.error().message(), ::testing::HasSubstr("same labelset"));
}

TEST(RecordingRule, FailsOverTheLimit) {
  const RecordingRule rule({.name = "x"}, 1);
  EXPECT_TRUE(rule.Advance({Element({{"i", "a"}})}).ok());
  const auto outcome = rule.Advance({Element({{"i", "a"}}), Element({{"i", "b"}})});
  ASSERT_FALSE(outcome.ok());
  EXPECT_EQ(outcome.error().kind(), base::ErrorKind::kResourceExhausted);
}

}  // namespace
}  // namespace rules
