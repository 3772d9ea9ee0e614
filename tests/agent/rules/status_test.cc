#include "agent/rules/status.h"

#include <gtest/gtest.h>

namespace rules {
namespace {

TEST(Status, NamesAreThoseOfTheApi) {
  EXPECT_EQ(AlertStateName(AlertState::kInactive), "inactive");
  EXPECT_EQ(AlertStateName(AlertState::kPending), "pending");
  EXPECT_EQ(AlertStateName(AlertState::kFiring), "firing");
  EXPECT_EQ(RuleHealthName(RuleHealth::kUnknown), "unknown");
  EXPECT_EQ(RuleHealthName(RuleHealth::kOk), "ok");
  EXPECT_EQ(RuleHealthName(RuleHealth::kErr), "err");
  EXPECT_EQ(RuleTypeName(RuleType::kAlerting), "alerting");
  EXPECT_EQ(RuleTypeName(RuleType::kRecording), "recording");
}

}  // namespace
}  // namespace rules
