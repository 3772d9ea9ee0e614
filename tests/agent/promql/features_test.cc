#include "agent/promql/features.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace promql {
namespace {

using testing::HasSubstr;

TEST(EnableFeatures, SetsWhatIsNamed) {
  EngineOptions options;
  ASSERT_TRUE(
      EnableFeatures("promql-experimental-functions, promql-binop-fill-modifiers", &options).ok());
  EXPECT_TRUE(options.experimental_functions);
  EXPECT_TRUE(options.fill_modifiers);
  EXPECT_FALSE(options.extended_ranges);
  EXPECT_FALSE(options.delayed_name_removal);
}

TEST(EnableFeatures, RefusesWhatItDoesNotKnowByName) {
  EngineOptions options;
  const auto enabled = EnableFeatures("promql-experimental-functions,exemplar-storage", &options);
  ASSERT_FALSE(enabled.ok());
  EXPECT_THAT(enabled.error().message(), HasSubstr("no such feature: \"exemplar-storage\""));
  EXPECT_THAT(enabled.error().message(), HasSubstr("promql-extended-range-selectors"));
}

TEST(EnableFeatures, WhatIsNotEnabledIsRefusedWithTheFlagThatWouldDoIt) {
  const Engine engine;
  for (const char* query :
       {"a + fill(0) b", "rate(a[5m] anchored)", "a smoothed", "limitk(1, a)"}) {
    const auto parsed = engine.Parse(query);
    ASSERT_FALSE(parsed.ok()) << query;
    EXPECT_THAT(parsed.error().message(), HasSubstr("--enable-feature=promql-")) << query;
  }
}

}  // namespace
}  // namespace promql
