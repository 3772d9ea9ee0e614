#include "lib/model/metric_family.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace model {
namespace {

constexpr MetricDesc kRequests{.name = "requests_total",
                               .help = "Requests.",
                               .type = MetricType::kCounter,
                               .labels = {"code", "path"}};

std::vector<std::string> Values(const LabelValues& values) {
  std::vector<std::string> list;
  for (const std::string_view value : values) {
    list.emplace_back(value);
  }
  return list;
}

TEST(LabelValues, KeepOrderAndEmptyValues) {
  const LabelValues values{"200", "", "/x"};
  EXPECT_EQ(values.size(), 3U);
  EXPECT_EQ(Values(values), (std::vector<std::string>{"200", "", "/x"}));
  EXPECT_NE(values, (LabelValues{"200", "/x", ""}));
  EXPECT_NE((LabelValues{"ab", "c"}), (LabelValues{"a", "bc"}));
  EXPECT_EQ(LabelValues().size(), 0U);
}

TEST(MetricFamily, HoldsValuesBesideAStaticDesc) {
  MetricFamily family{.desc = &kRequests};
  family.Add(3, {"200", "/"});
  EXPECT_EQ(family.desc->labels[1], "path");
  EXPECT_EQ(family.metrics[0].value, 3);
}

TEST(DynamicDesc, OutlivesTheSpecItWasMadeFrom) {
  DescPtr desc;
  {
    std::string name = "a_name_longer_than_any_small_string_buffer";
    desc = DynamicDesc::Make({.name = name,
                              .help = "Help.",
                              .type = MetricType::kGauge,
                              .labels = {"first_label_name", "b"}});
    name.assign(name.size(), 'x');
  }
  EXPECT_EQ(desc->desc().name, "a_name_longer_than_any_small_string_buffer");
  EXPECT_EQ(desc->desc().labels[0], "first_label_name");
  EXPECT_EQ(desc->desc().labels.size(), 2U);
}

TEST(MetricType, HasAWordInEachFormat) {
  EXPECT_EQ(TextTypeName(MetricType::kUntyped), "untyped");
  EXPECT_EQ(OpenMetricsTypeName(MetricType::kUntyped), "unknown");
  EXPECT_EQ(TextTypeName(MetricType::kInfo), "gauge");
  EXPECT_EQ(TextTypeName(MetricType::kGaugeHistogram), "histogram");
  EXPECT_EQ(OpenMetricsTypeName(MetricType::kStateSet), "stateset");
}

}  // namespace
}  // namespace model
