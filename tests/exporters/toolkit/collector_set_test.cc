#include "exporters/toolkit/collector_set.h"

#include <chrono>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace exporters {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

constexpr model::MetricDesc kRuns{.name = "test_runs", .help = "Runs."};

struct Context {
  std::string failure;
  int runs = 0;
};

base::Result<void> Count(Context& context, Scrape& scrape) {
  scrape.Emit(kRuns, ++context.runs);
  return {};
}

base::Result<void> Fail(Context& context, Scrape&) {
  return context.failure.empty() ? base::Result<void>() : base::Error(context.failure);
}

base::Result<void> FindNothing(Context&, Scrape&) {
  return base::Error("no such file", base::ErrorKind::kNotFound);
}

constexpr Collector<Context> kCount{.name = "count", .help = "Counts.", .collect = Count};
constexpr Collector<Context> kFail{.name = "fail", .help = "Fails.", .collect = Fail};
constexpr Collector<Context> kAbsent{.name = "absent",
                                     .help = "Finds nothing.",
                                     .enabled_by_default = false,
                                     .collect = FindNothing};
constexpr const Collector<Context>* kTable[] = {&kCount, &kFail, &kAbsent};

base::MonotonicTime Soon() { return std::chrono::steady_clock::now() + std::chrono::minutes(1); }

class CollectorSetTest : public testing::Test {
 protected:
  CollectorSet<Context> Make(Selection selection = {}) {
    return {kTable, selection, "test", logger_};
  }

  static std::vector<std::string> NamesOf(const CollectorSet<Context>& set,
                                          const ScrapeRequest& request) {
    std::vector<std::string> names;
    const auto rows = set.Select(request);
    if (!rows.ok()) {
      return {rows.error().message()};
    }
    for (const auto* row : *rows) {
      names.emplace_back(row->name);
    }
    return names;
  }

  std::vector<std::string> logged_;
  const base::Logger logger_{base::LogLevel::kInfo, base::LogFormat::kLogfmt,
                             [this](std::string_view line) { logged_.emplace_back(line); }};
};

// The value of a family's metric with this one label value, or -1.
double ValueOf(const std::vector<model::MetricFamily>& families, std::string_view name,
               std::string_view label) {
  for (const model::MetricFamily& family : families) {
    for (const model::Metric& metric : family.metrics) {
      if (family.desc->name == name && *metric.labels.begin() == label) {
        return metric.value;
      }
    }
  }
  return -1;
}

TEST_F(CollectorSetTest, FlagsChooseWhatIsOn) {
  const auto check = [this](Selection selection, const std::vector<std::string>& expected) {
    EXPECT_EQ(NamesOf(Make(std::move(selection)), {}), expected);
  };
  check({}, {"count", "fail"});
  check({.named = {{"fail", false}}}, {"count"});
  check({.named = {{"absent", true}}}, {"count", "fail", "absent"});
  check({.disable_defaults = true}, {});
  check({.named = {{"fail", true}}, .disable_defaults = true}, {"fail"});
}

TEST_F(CollectorSetTest, RequestChoosesAmongThoseThatAreOn) {
  const auto set = Make();
  const auto check = [&set](ScrapeRequest request, const std::vector<std::string>& expected) {
    EXPECT_EQ(NamesOf(set, request), expected);
  };
  check({.collect = {"fail"}}, {"fail"});
  check({.collect = {"fail", "count", "fail"}}, {"count", "fail"});
  check({.exclude = {"count"}}, {"fail"});
  check({.collect = {"count"}, .exclude = {"fail"}},
        {"Combined collect and exclude queries are not allowed."});
  check({.collect = {"nope"}}, {"missing collector: nope"});
  check({.collect = {"absent"}}, {"disabled collector: absent"});
  check({.exclude = {"nope"}}, {"missing collector: nope"});
  check({.exclude = {"absent"}}, {"disabled collector: absent"});
}

TEST_F(CollectorSetTest, BadRequestIsAnInvalidArgument) {
  EXPECT_EQ(Make().Select({.collect = {"nope"}}).error().kind(), base::ErrorKind::kInvalidArgument);
}

TEST_F(CollectorSetTest, OneFailureLeavesTheOthersAlone) {
  auto set = Make();
  Context context{.failure = "disk on fire"};
  Scrape scrape(Soon());
  set.Run(*set.Select({}), context, scrape);
  const auto families = scrape.TakeFamilies();
  ASSERT_THAT(families, SizeIs(3));
  EXPECT_EQ(ValueOf(families, "test_scrape_collector_success", "count"), 1);
  EXPECT_EQ(ValueOf(families, "test_scrape_collector_success", "fail"), 0);
  EXPECT_GE(ValueOf(families, "test_scrape_collector_duration_seconds", "fail"), 0);
  EXPECT_EQ(context.runs, 1);
}

TEST_F(CollectorSetTest, NothingStartsAfterTheDeadline) {
  auto set = Make();
  Context context;
  Scrape scrape(std::chrono::steady_clock::now() - std::chrono::seconds(1));
  set.Run(*set.Select({}), context, scrape);
  const auto families = scrape.TakeFamilies();
  EXPECT_EQ(context.runs, 0);
  EXPECT_EQ(ValueOf(families, "test_scrape_collector_success", "count"), 0);
}

TEST_F(CollectorSetTest, FailureIsLoggedOnceUntilItChangesOrEnds) {
  auto set = Make();
  Context context;
  const auto run = [&](std::string failure) {
    context.failure = std::move(failure);
    logged_.clear();
    Scrape scrape(Soon());
    set.Run(*set.Select({.collect = {"fail"}}), context, scrape);
    return logged_;
  };
  EXPECT_THAT(run(""), IsEmpty());
  EXPECT_THAT(run("disk on fire"),
              ElementsAre(HasSubstr("level=warn msg=\"collector failed\" collector=fail "
                                    "err=\"disk on fire\"")));
  EXPECT_THAT(run("disk on fire"), IsEmpty());
  EXPECT_THAT(run("disk gone"), ElementsAre(HasSubstr("disk gone")));
  EXPECT_THAT(run(""), ElementsAre(HasSubstr("collector recovered")));
  EXPECT_THAT(run(""), IsEmpty());
}

TEST_F(CollectorSetTest, AbsentHardwareIsNoWarning) {
  auto set = Make({.named = {{"absent", true}}});
  Context context;
  Scrape scrape(Soon());
  set.Run(*set.Select({.collect = {"absent"}}), context, scrape);
  EXPECT_THAT(logged_, IsEmpty());
  EXPECT_EQ(ValueOf(scrape.TakeFamilies(), "test_scrape_collector_success", "absent"), 0);
}

}  // namespace
}  // namespace exporters
