#include "agent/scrape/sample_labels.h"

#include <string>

#include <gtest/gtest.h>

namespace scrape {
namespace {

using model::Labels;
using model::LabelsBuilder;

const Labels kTarget = {{"job", "j"}, {"instance", "i"}};

std::string Added(const Labels& sample, bool honor_labels) {
  LabelsBuilder builder(sample);
  AddTargetLabels(kTarget, honor_labels, &builder);
  return builder.Build().ToString();
}

TEST(SampleLabels, GetTheTargetsLabels) {
  EXPECT_EQ(Added({{"__name__", "m"}, {"a", "b"}}, false), R"(m{a="b", instance="i", job="j"})");
}

TEST(SampleLabels, ClashesAreExportedUntilThereIsRoom) {
  EXPECT_EQ(Added({{"job", "x"}}, false), R"({exported_job="x", instance="i", job="j"})");
  EXPECT_EQ(Added({{"job", "x"}, {"exported_job", "y"}}, false),
            R"({exported_exported_job="x", exported_job="y", instance="i", job="j"})");
}

TEST(SampleLabels, HonoredLabelsStay) {
  EXPECT_EQ(Added({{"job", "x"}, {"a", "b"}}, true), R"({a="b", instance="i", job="x"})");
}

TEST(SampleLabels, AreRelabelledAfterTheTargetsWereAdded) {
  JobOptions job;
  job.metric_relabel_rules = {
      *relabel::Rule::Make(
          {.source_labels = {"__name__"}, .regex = "go_.*", .action = relabel::Action::kDrop}),
      *relabel::Rule::Make({.source_labels = {"job"}, .target_label = "team"}),
  };
  const auto kept = StoredLabels(kTarget, job, LabelsBuilder({{"__name__", "m"}}));
  ASSERT_TRUE(kept.ok() && kept->has_value());
  EXPECT_EQ((*kept)->Get("team"), "j");
  const auto dropped = StoredLabels(kTarget, job, LabelsBuilder({{"__name__", "go_x"}}));
  ASSERT_TRUE(dropped.ok());
  EXPECT_FALSE(dropped->has_value());
}

TEST(SampleLabels, ARuleThatTakesTheNameFailsTheScrape) {
  JobOptions job;
  job.metric_relabel_rules = {
      *relabel::Rule::Make({.regex = "__name__", .action = relabel::Action::kLabelDrop})};
  const auto labels = StoredLabels(kTarget, job, LabelsBuilder({{"__name__", "m"}}));
  ASSERT_FALSE(labels.ok());
  EXPECT_NE(labels.error().message().find("without __name__"), std::string::npos);
}

TEST(SampleLabels, LimitsNameWhatWentOverThem) {
  const Labels labels = {{"__name__", "metric"}, {"long_name", "v"}, {"b", "long value"}};
  const auto check = [&labels](const Limits& limits, std::string_view expected) {
    const auto checked = CheckLabelLimits(labels, limits);
    ASSERT_FALSE(checked.ok()) << expected;
    EXPECT_EQ(checked.error().message(), expected);
  };
  EXPECT_TRUE(CheckLabelLimits(labels, {}).ok());
  EXPECT_TRUE(
      CheckLabelLimits(labels, {.labels = 3, .label_name_bytes = 9, .label_value_bytes = 10}).ok());
  check({.labels = 2}, "label_limit exceeded by metric \"metric\": 3 labels, limit 2");
  check({.label_name_bytes = 8},
        "label_name_length_limit exceeded by metric \"metric\": label \"long_name\" has 9 bytes, "
        "limit 8");
  check({.label_value_bytes = 9},
        "label_value_length_limit exceeded by metric \"metric\": the value of label \"b\" has 10 "
        "bytes, limit 9");
}

}  // namespace
}  // namespace scrape
