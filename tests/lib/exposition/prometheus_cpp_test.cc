#include "lib/exposition/prometheus_cpp.h"

#include <string>

#include <gtest/gtest.h>
#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/summary.h>

#include "lib/exposition/writer.h"

namespace exposition {
namespace {

std::string Page(const prometheus::Collectable& collectable) {
  std::string page;
  WriteText(CollectFrom(collectable), &page);
  return page;
}

TEST(CollectFrom, GivesEveryTypeSortedByName) {
  prometheus::Registry registry;
  prometheus::BuildHistogram()
      .Name("d_seconds")
      .Help("Durations.")
      .Register(registry)
      .Add({}, prometheus::Histogram::BucketBoundaries{0.5, 1})
      .Observe(0.75);
  prometheus::BuildCounter()
      .Name("c_total")
      .Help("Requests \\ by code.")
      .Register(registry)
      .Add({{"code", "200"}})
      .Increment(3);
  prometheus::BuildGauge().Name("b").Help("A gauge.").Register(registry).Add({}).Set(0.1 + 0.2);
  EXPECT_EQ(Page(registry),
            "# HELP b A gauge.\n# TYPE b gauge\nb 0.30000000000000004\n"
            "# HELP c_total Requests \\\\ by code.\n# TYPE c_total counter\n"
            "c_total{code=\"200\"} 3\n"
            "# HELP d_seconds Durations.\n# TYPE d_seconds histogram\n"
            "d_seconds_bucket{le=\"0.5\"} 0\nd_seconds_bucket{le=\"1\"} 1\n"
            "d_seconds_bucket{le=\"+Inf\"} 1\nd_seconds_sum 0.75\nd_seconds_count 1\n");
}

TEST(CollectFrom, GivesSummaries) {
  prometheus::Registry registry;
  prometheus::BuildSummary()
      .Name("s")
      .Help("Pauses.")
      .Register(registry)
      .Add({}, prometheus::Summary::Quantiles{{0.5, 0.05}})
      .Observe(2);
  EXPECT_EQ(Page(registry),
            "# HELP s Pauses.\n# TYPE s summary\ns{quantile=\"0.5\"} 2\ns_sum 2\ns_count 1\n");
}

TEST(CollectFrom, MergesTheLabelNamesOfAFamily) {
  prometheus::Registry registry;
  auto& family = prometheus::BuildGauge().Name("g").Help("Mixed.").Register(registry);
  family.Add({{"a", "1"}}).Set(1);
  EXPECT_EQ(Page(registry), "# HELP g Mixed.\n# TYPE g gauge\ng{a=\"1\"} 1\n");
  family.Add({{"b", "2"}}).Set(2);
  const auto families = CollectFrom(registry);
  ASSERT_EQ(families.size(), 1U);
  EXPECT_EQ(families[0].desc->labels.size(), 2U);
  EXPECT_EQ(families[0].metrics.size(), 2U);
}

TEST(CollectFrom, LeavesOutAMetricThatNeedsMoreLabelNamesThanAFamilyHas) {
  prometheus::Registry registry;
  auto& family = prometheus::BuildGauge().Name("g").Help("Wide.").Register(registry);
  prometheus::Labels wide;
  for (size_t i = 0; i < model::LabelNames::kMax + 1; ++i) {
    wide["label_" + std::to_string(i)] = "x";
  }
  family.Add(wide).Set(1);
  family.Add({{"a", "1"}}).Set(2);
  EXPECT_EQ(Page(registry), "# HELP g Wide.\n# TYPE g gauge\ng{a=\"1\"} 2\n");
}

}  // namespace
}  // namespace exposition
