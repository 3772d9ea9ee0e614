#include "exporters/toolkit/scrape.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace exporters {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

constexpr model::MetricDesc kZebra{.name = "zebra", .help = "Z.", .labels = {"stripe"}};
constexpr model::MetricDesc kAnt{.name = "ant", .help = "A."};
constexpr model::MetricDesc kZebraToo{.name = "zebra", .help = "Z.", .labels = {"stripe"}};
constexpr model::MetricDesc kZebraOther{.name = "zebra", .help = "Z.", .labels = {"hoof"}};

std::vector<double> Values(const model::MetricFamily& family) {
  std::vector<double> values;
  for (const model::Metric& metric : family.metrics) {
    values.push_back(metric.value);
  }
  return values;
}

Scrape MakeScrape() { return Scrape(base::MonotonicTime()); }

TEST(Scrape, FamiliesComeSortedByName) {
  Scrape scrape = MakeScrape();
  scrape.Emit(kZebra, 1, {"black"});
  scrape.Emit(kAnt, 2);
  scrape.Emit(kZebra, 3, {"white"});
  const auto families = scrape.TakeFamilies();
  ASSERT_THAT(families, SizeIs(2));
  EXPECT_EQ(families[0].desc->name, "ant");
  EXPECT_THAT(Values(families[1]), ElementsAre(1, 3));
}

TEST(Scrape, FirstOfTwoEqualSeriesWins) {
  Scrape scrape = MakeScrape();
  scrape.Emit(kZebra, 1, {"black"});
  scrape.Emit(kZebra, 2, {"white"});
  scrape.Emit(kZebra, 3, {"black"});
  size_t duplicates = 0;
  const auto families = scrape.TakeFamilies(&duplicates);
  EXPECT_THAT(Values(families[0]), ElementsAre(1, 2));
  EXPECT_EQ(duplicates, 1U);
}

TEST(Scrape, TwoDescsOfOneNameBecomeOneFamily) {
  Scrape scrape = MakeScrape();
  scrape.Emit(kZebra, 1, {"black"});
  scrape.Emit(kZebraToo, 2, {"white"});
  scrape.Emit(kZebraToo, 3, {"black"});
  size_t duplicates = 0;
  const auto families = scrape.TakeFamilies(&duplicates);
  ASSERT_THAT(families, SizeIs(1));
  EXPECT_THAT(Values(families[0]), ElementsAre(1, 2));
  EXPECT_EQ(duplicates, 1U);
}

TEST(Scrape, DescsOfOneNameWithOtherLabelsStayApart) {
  Scrape scrape = MakeScrape();
  scrape.Emit(kZebra, 1, {"black"});
  scrape.Emit(kZebraOther, 2, {"black"});
  EXPECT_THAT(scrape.TakeFamilies(), SizeIs(2));
}

TEST(Scrape, DynamicDescLivesAsLongAsItsFamily) {
  std::vector<model::MetricFamily> families;
  {
    Scrape scrape = MakeScrape();
    const model::DescPtr desc =
        model::DynamicDesc::Make({.name = "dynamic", .help = "D.", .labels = {"l"}});
    scrape.Emit(desc, 1, {"x"});
    families = scrape.TakeFamilies();
  }
  ASSERT_THAT(families, SizeIs(1));
  EXPECT_EQ(families[0].desc->name, "dynamic");
  EXPECT_EQ(families[0].desc->labels[0], "l");
}

TEST(Scrape, WholeFamiliesAreMerged) {
  Scrape scrape = MakeScrape();
  scrape.Emit(kZebra, 1, {"black"});
  model::MetricFamily family{.desc = &kZebra};
  family.Add(2, {"white"});
  scrape.Emit(std::move(family));
  EXPECT_THAT(Values(scrape.TakeFamilies()[0]), ElementsAre(1, 2));
}

TEST(Scrape, FamilyWithoutMetricsIsLeftOut) {
  Scrape scrape = MakeScrape();
  scrape.Emit(model::MetricFamily{.desc = &kZebra});
  EXPECT_THAT(scrape.TakeFamilies(), IsEmpty());
}

TEST(Scrape, TakingLeavesItEmpty) {
  Scrape scrape = MakeScrape();
  scrape.Emit(kAnt, 1);
  EXPECT_THAT(scrape.TakeFamilies(), SizeIs(1));
  EXPECT_THAT(scrape.TakeFamilies(), IsEmpty());
  scrape.Emit(kAnt, 2);
  EXPECT_THAT(scrape.TakeFamilies(), SizeIs(1));
}

TEST(Scrape, HistogramsPassThrough) {
  Scrape scrape = MakeScrape();
  model::Metric metric{.histogram = std::make_unique<model::Histogram>()};
  metric.histogram->count = 7;
  scrape.Emit(kAnt, std::move(metric));
  const auto families = scrape.TakeFamilies();
  EXPECT_EQ(families[0].metrics[0].histogram->count, 7);
}

}  // namespace
}  // namespace exporters
