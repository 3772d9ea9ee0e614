#include "agent/scrape/scraper.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "agent/scrape/http_source.h"
#include "tests/agent/scrape/fakes.h"

namespace scrape {
namespace {

using std::chrono::seconds;

class ScraperTest : public testing::Test {
 protected:
  ScraperTest()
      : store_({.retention = std::chrono::milliseconds(0)}, clock_),
        logger_(base::LogLevel::kDebug, base::LogFormat::kLogfmt,
                [this](std::string_view line) { log_ += line; }),
        source_(std::make_shared<FakeSource>()) {
    job_.name = "j";
    job_.interval = seconds(15);
    job_.timeout = seconds(10);
  }

  Plan MakePlan() const {
    return {.target = {.labels = {{"job", "j"}, {"instance", "i"}},
                       .url = "http://h:1/metrics",
                       .interval = job_.interval,
                       .timeout = job_.timeout},
            .job = std::make_shared<const JobOptions>(job_),
            .source = source_,
            .forced_error = ""};
  }
  Scraper& Make() {
    scraper_.emplace(MakePlan(), store_, clock_, logger_, counters_);
    return *scraper_;
  }

  // The samples of one series of the target, as Dump writes them.
  std::string Series(const std::string& name) const {
    const auto dump = Dump(store_);
    const auto found = dump.find(name + "{instance=\"i\", job=\"j\"}");
    return found == dump.end() ? "(none)" : found->second;
  }

  base::FakeClock clock_;
  storage::Head store_;
  std::string log_;
  base::Logger logger_;
  JobOptions job_;
  std::shared_ptr<FakeSource> source_;
  Counters counters_;
  std::optional<Scraper> scraper_;
};

FakeSample Sample(const char* name, double value) { return {{{"__name__", name}}, value}; }

TEST_F(ScraperTest, StoresSamplesAndReportSeries) {
  Scraper& scraper = Make();
  source_->samples = {Sample("a", 1), Sample("b", 2)};
  scraper.Scrape(1000);
  source_->samples = {Sample("a", 3), Sample("b", 4)};
  scraper.Scrape(2000);
  EXPECT_EQ(Series("a"), "1@1000 3@2000");
  EXPECT_EQ(Series("b"), "2@1000 4@2000");
  EXPECT_EQ(Series("up"), "1@1000 1@2000");
  EXPECT_EQ(Series("scrape_samples_scraped"), "2@1000 2@2000");
  EXPECT_EQ(Series("scrape_samples_post_metric_relabeling"), "2@1000 2@2000");
  EXPECT_EQ(Series("scrape_series_added"), "2@1000 0@2000");
  EXPECT_EQ(Series("scrape_duration_seconds"), "0@1000 0@2000");
  EXPECT_EQ(Series("scrape_timeout_seconds"), "(none)");
}

TEST_F(ScraperTest, ASeriesThatVanishesIsMarkedStaleOnceAndMayReturn) {
  Scraper& scraper = Make();
  source_->samples = {Sample("a", 1), Sample("b", 2)};
  scraper.Scrape(1000);
  source_->samples = {Sample("a", 1)};
  scraper.Scrape(2000);
  scraper.Scrape(3000);
  source_->samples = {Sample("a", 1), Sample("b", 5)};
  scraper.Scrape(4000);
  EXPECT_EQ(Series("b"), "2@1000 stale@2000 5@4000");
  EXPECT_EQ(Series("scrape_series_added"), "2@1000 0@2000 0@3000 1@4000");
}

TEST_F(ScraperTest, AFailedScrapeEndsEverySeriesAndSaysDown) {
  Scraper& scraper = Make();
  source_->samples = {Sample("a", 1)};
  scraper.Scrape(1000);
  source_->fetch_error = base::Error("connection refused", base::ErrorKind::kUnavailable);
  scraper.Scrape(2000);
  scraper.Scrape(3000);
  EXPECT_EQ(scraper.Status().health, Health::kDown);
  EXPECT_EQ(scraper.Status().last_error, "connection refused");
  source_->fetch_error.reset();
  scraper.Scrape(4000);
  EXPECT_EQ(Series("a"), "1@1000 stale@2000 1@4000");
  EXPECT_EQ(Series("up"), "1@1000 0@2000 0@3000 1@4000");
  EXPECT_EQ(Series("scrape_samples_scraped"), "1@1000 0@2000 0@3000 1@4000");
  EXPECT_EQ(scraper.Status().health, Health::kUp);
  EXPECT_EQ(scraper.Status().last_error, "");
}

TEST_F(ScraperTest, AFailureIsLoggedOnceAndSoIsItsEnd) {
  Scraper& scraper = Make();
  source_->fetch_error = base::Error("refused");
  scraper.Scrape(1000);
  const std::string once = log_;
  EXPECT_NE(once.find("refused"), std::string::npos);
  scraper.Scrape(2000);
  EXPECT_EQ(log_, once);
  source_->fetch_error.reset();
  scraper.Scrape(3000);
  EXPECT_NE(log_.find("scrape works again"), std::string::npos);
}

TEST_F(ScraperTest, APageThatBreaksInTheMiddleLeavesNoSample) {
  Scraper& scraper = Make();
  source_->samples = {Sample("a", 1)};
  scraper.Scrape(1000);
  source_->samples = {Sample("a", 2), Sample("new", 2)};
  source_->page_error = base::Error("line 3: garbage");
  scraper.Scrape(2000);
  EXPECT_EQ(Series("a"), "1@1000 stale@2000");
  EXPECT_EQ(Series("new"), "(none)");
  EXPECT_EQ(Series("up"), "1@1000 0@2000");
  EXPECT_EQ(Series("scrape_samples_scraped"), "1@1000 2@2000");
  source_->page_error.reset();
  scraper.Scrape(3000);
  EXPECT_EQ(Series("new"), "2@3000");
  EXPECT_EQ(Series("a"), "1@1000 stale@2000 2@3000");
}

TEST_F(ScraperTest, TimeStampsOfThePageAreHonoredAndNotMarkedStale) {
  Scraper& scraper = Make();
  source_->samples = {{{{"__name__", "a"}}, 1, 500}};
  scraper.Scrape(1000);
  source_->samples = {};
  scraper.Scrape(2000);
  EXPECT_EQ(Series("a"), "1@500");
}

TEST_F(ScraperTest, TrackedTimeStampsAreMarkedStale) {
  job_.track_timestamps_staleness = true;
  Scraper& scraper = Make();
  source_->samples = {{{{"__name__", "a"}}, 1, 500}};
  scraper.Scrape(1000);
  source_->samples = {};
  scraper.Scrape(2000);
  EXPECT_EQ(Series("a"), "1@500 stale@2000");
}

TEST_F(ScraperTest, TimeStampsOfThePageAreIgnoredWhenNotHonored) {
  job_.honor_timestamps = false;
  Scraper& scraper = Make();
  source_->samples = {{{{"__name__", "a"}}, 1, 500}};
  scraper.Scrape(1000);
  EXPECT_EQ(Series("a"), "1@1000");
}

TEST_F(ScraperTest, ASeriesTwiceOnAPageIsCountedAndDropped) {
  Scraper& scraper = Make();
  source_->samples = {Sample("a", 1), Sample("a", 2), Sample("b", 1)};
  scraper.Scrape(1000);
  scraper.Scrape(2000);
  EXPECT_EQ(Series("a"), "1@1000 1@2000");
  EXPECT_EQ(counters_.duplicate_samples, 2U);
  EXPECT_EQ(Series("up"), "1@1000 1@2000");
  EXPECT_EQ(Series("scrape_samples_scraped"), "3@1000 3@2000");
}

TEST_F(ScraperTest, OutOfOrderSamplesAreCountedAndTheScrapeGoesOn) {
  Scraper& scraper = Make();
  source_->samples = {{{{"__name__", "a"}}, 1, 500}, Sample("b", 1)};
  scraper.Scrape(1000);
  source_->samples = {{{{"__name__", "a"}}, 2, 400}, Sample("b", 1)};
  scraper.Scrape(2000);
  EXPECT_EQ(Series("a"), "1@500");
  EXPECT_EQ(Series("b"), "1@1000 1@2000");
  EXPECT_EQ(Series("up"), "1@1000 1@2000");
  EXPECT_EQ(counters_.rejected_samples, 1U);
}

TEST_F(ScraperTest, MoreSamplesThanTheLimitFailTheScrape) {
  job_.limits.samples = 2;
  job_.extra_metrics = true;
  Scraper& scraper = Make();
  source_->samples = {Sample("a", 1), Sample("b", 1)};
  scraper.Scrape(1000);
  source_->samples = {Sample("a", 1), Sample("b", 1), Sample("c", 1)};
  scraper.Scrape(2000);
  scraper.Scrape(3000);
  EXPECT_EQ(Series("a"), "1@1000 stale@2000");
  EXPECT_EQ(Series("c"), "(none)");
  EXPECT_EQ(Series("up"), "1@1000 0@2000 0@3000");
  EXPECT_EQ(Series("scrape_samples_scraped"), "2@1000 3@2000 3@3000");
  EXPECT_EQ(Series("scrape_sample_limit"), "2@1000 2@2000 2@3000");
  EXPECT_EQ(Series("scrape_timeout_seconds"), "10@1000 10@2000 10@3000");
  EXPECT_EQ(Series("scrape_body_size_bytes"), "100@1000 100@2000 100@3000");
  EXPECT_EQ(scraper.Status().last_error, "sample_limit exceeded: 3 samples, limit 2");
  EXPECT_EQ(counters_.sample_limit_hits, 2U);
  source_->samples = {Sample("a", 7)};
  scraper.Scrape(4000);
  EXPECT_EQ(Series("a"), "1@1000 stale@2000 7@4000");
}

TEST_F(ScraperTest, ALabelLimitFailsTheScrape) {
  job_.limits.label_value_bytes = 5;
  Scraper& scraper = Make();
  source_->samples = {{{{"__name__", "a"}, {"x", "123456"}}, 1}};
  scraper.Scrape(1000);
  EXPECT_EQ(Series("up"), "0@1000");
  EXPECT_EQ(counters_.label_limit_hits, 1U);
}

TEST_F(ScraperTest, NewSeriesBeyondTheLimitAreRefusedAndKnownOnesGoOn) {
  job_.limits.series = 3;
  Scraper& scraper = Make();
  const auto page = [](int first_id) {
    std::vector<FakeSample> samples{Sample("a", 1)};
    for (int id = first_id; id < first_id + 4; ++id) {
      samples.push_back({{{"__name__", "q"}, {"kind", "x"}, {"id", std::to_string(id)}}, 1});
    }
    return samples;
  };
  source_->samples = page(0);
  scraper.Scrape(1000);
  scraper.Scrape(2000);
  EXPECT_EQ(Series("a"), "1@1000 1@2000");
  EXPECT_EQ(Series("up"), "1@1000 1@2000");
  EXPECT_EQ(Series("scrape_series_added"), "3@1000 0@2000");
  const auto refused = counters_.series_limit.Get();
  ASSERT_EQ(refused.size(), 1U);
  EXPECT_EQ(refused.begin()->first, std::pair(std::string("j"), std::string("id")));
  EXPECT_EQ(refused.begin()->second, 4U);
  const size_t first = log_.find("new series of a target are refused");
  ASSERT_NE(first, std::string::npos) << log_;
  EXPECT_NE(log_.find("label=id"), std::string::npos) << log_;
  EXPECT_EQ(log_.find("new series of a target are refused", first + 1), std::string::npos);
}

TEST_F(ScraperTest, DroppedSeriesDoNotCountForTheSeriesLimit) {
  job_.limits.series = 2;
  job_.metric_relabel_rules = {*relabel::Rule::Make(
      {.source_labels = {"__name__"}, .regex = "d.", .action = relabel::Action::kDrop})};
  Scraper& scraper = Make();
  source_->samples = {Sample("d1", 1), Sample("d2", 1), Sample("d3", 1), Sample("a", 1),
                      Sample("b", 1)};
  scraper.Scrape(1000);
  EXPECT_EQ(Series("a"), "1@1000");
  EXPECT_EQ(Series("b"), "1@1000");
  EXPECT_TRUE(counters_.series_limit.Get().empty());
}

TEST(RefusedSeries, KeepsABoundedNumberOfRows) {
  RefusedSeries refused;
  for (size_t i = 0; i < kMaxRefusedRows + 5; ++i) {
    refused.Add("j", std::to_string(i), 1);
  }
  const auto counts = refused.Get();
  EXPECT_EQ(counts.size(), kMaxRefusedRows + 1);
  EXPECT_EQ(counts.at({"", ""}), 5U);
}

TEST_F(ScraperTest, DroppedSeriesAreNotStoredAndNotAskedAgain) {
  job_.metric_relabel_rules = {*relabel::Rule::Make(
      {.source_labels = {"__name__"}, .regex = "a", .action = relabel::Action::kDrop})};
  Scraper& scraper = Make();
  source_->samples = {Sample("a", 1), Sample("b", 1)};
  scraper.Scrape(1000);
  scraper.Scrape(2000);
  EXPECT_EQ(Series("a"), "(none)");
  EXPECT_EQ(Series("scrape_samples_scraped"), "2@1000 2@2000");
  EXPECT_EQ(Series("scrape_samples_post_metric_relabeling"), "1@1000 1@2000");
  EXPECT_EQ(Series("scrape_series_added"), "1@1000 0@2000");
}

TEST_F(ScraperTest, TwoSpellingsOfOneSeriesDoNotEndEachOther) {
  job_.metric_relabel_rules = {
      *relabel::Rule::Make({.regex = "x", .action = relabel::Action::kLabelDrop})};
  Scraper& scraper = Make();
  source_->samples = {{{{"__name__", "a"}, {"x", "1"}}, 1}, {{{"__name__", "a"}, {"x", "2"}}, 1}};
  scraper.Scrape(1000);
  source_->samples = {{{{"__name__", "a"}, {"x", "2"}}, 1}};
  scraper.Scrape(2000);
  EXPECT_EQ(Series("a"), "1@1000 1@2000");
}

TEST_F(ScraperTest, ATargetThatEndsIsMarkedStaleReportSeriesToo) {
  Scraper& scraper = Make();
  source_->samples = {Sample("a", 1)};
  scraper.Scrape(1000);
  scraper.End(2000);
  EXPECT_EQ(Series("a"), "1@1000 stale@2000");
  EXPECT_EQ(Series("up"), "1@1000 stale@2000");
}

TEST_F(ScraperTest, ATargetThatEndsAtTheTimeOfItsLastScrapeIsMarkedStaleAMillisecondLater) {
  Scraper& scraper = Make();
  source_->samples = {Sample("a", 1)};
  scraper.Scrape(1000);
  scraper.End(1000);
  EXPECT_EQ(Series("a"), "1@1000 stale@1001");
  EXPECT_EQ(Series("up"), "1@1000 stale@1001");
}

TEST_F(ScraperTest, NewRelabellingEndsTheOldSeriesAndNoOther) {
  Scraper& scraper = Make();
  source_->samples = {Sample("a", 1), Sample("b", 1)};
  scraper.Scrape(1000);
  job_.metric_relabel_rules = {*relabel::Rule::Make({.source_labels = {"__name__"},
                                                     .regex = "a",
                                                     .target_label = "__name__",
                                                     .replacement = "z"})};
  scraper.SetPlan(MakePlan());
  scraper.Scrape(2000);
  EXPECT_EQ(Series("a"), "1@1000 stale@2000");
  EXPECT_EQ(Series("z"), "1@2000");
  EXPECT_EQ(Series("b"), "1@1000 1@2000");
}

TEST_F(ScraperTest, SeriesThatTheStoreForgotAreAddedAgain) {
  Scraper& scraper = Make();
  source_->samples = {Sample("a", 1)};
  scraper.Scrape(1000);
  store_.Truncate(1500);
  scraper.Scrape(2000);
  EXPECT_EQ(Series("a"), "1@2000");
  EXPECT_EQ(Series("up"), "1@2000");
  EXPECT_EQ(counters_.rejected_samples, 0U);
}

TEST_F(ScraperTest, AForcedErrorScrapesNothing) {
  Plan plan = MakePlan();
  plan.forced_error = "target_limit exceeded: 3 targets, limit 2";
  source_->samples = {Sample("a", 1)};
  Scraper scraper(plan, store_, clock_, logger_, counters_);
  scraper.Scrape(1000);
  EXPECT_EQ(Series("a"), "(none)");
  EXPECT_EQ(Series("up"), "0@1000");
  EXPECT_EQ(scraper.Status().last_error, plan.forced_error);
}

// Random pages, in random order, with failures in between: each series of the store must end with a
// sample or a stale marker exactly as a plain re-computation says.
TEST_F(ScraperTest, StalenessHoldsForRandomPages) {
  Scraper& scraper = Make();
  uint64_t random = 42;
  const auto next = [&random](uint64_t below) {
    random = random * 6364136223846793005ULL + 1442695040888963407ULL;
    return (random >> 33) % below;
  };
  std::map<std::string, std::string> expected;
  std::map<std::string, bool> live;
  for (int64_t t = 1; t <= 300; ++t) {
    const bool fails = next(10) == 0;
    source_->fetch_error = fails ? std::optional<base::Error>(base::Error("down")) : std::nullopt;
    source_->samples.clear();
    const uint64_t first = next(8);
    for (uint64_t i = 0; i < 8; ++i) {
      const std::string name(1, static_cast<char>('a' + (first + i) % 8));
      const bool present = !fails && next(3) != 0;
      if (present) {
        source_->samples.push_back(Sample(name.c_str(), static_cast<double>(t)));
        expected[name] += std::to_string(t) + "@" + std::to_string(t) + " ";
      } else if (live[name]) {
        expected[name] += "stale@" + std::to_string(t) + " ";
      }
      live[name] = present;
    }
    scraper.Scrape(t);
  }
  for (const auto& [name, samples] : expected) {
    EXPECT_EQ(Series(name) + " ", samples) << name;
  }
}

TEST_F(ScraperTest, KeepsMetadataOfThePage) {
  MetadataPool pool;
  Plan plan = MakePlan();
  class PageSource final : public Source {
   public:
    base::Result<std::unique_ptr<Page>> Fetch(std::chrono::milliseconds /*timeout*/) override {
      return MakeTextPage(body, exposition::Format::kText);
    }
    std::string body;
  };
  const auto source = std::make_shared<PageSource>();
  source->body =
      "# HELP a_total Said \\\\ once.\n# TYPE a_total counter\na_total 1\n# HELP b Only help.\nb "
      "1\n";
  plan.source = source;
  Scraper scraper(plan, store_, clock_, logger_, counters_, &pool);
  EXPECT_TRUE(scraper.Metadata().metrics.empty());
  scraper.Scrape(1000);
  TargetMetadata metadata = scraper.Metadata();
  EXPECT_EQ(metadata.scrape_pool, "j");
  EXPECT_EQ(metadata.target, plan.target.labels);
  ASSERT_EQ(metadata.metrics.size(), 2U);
  EXPECT_EQ(*metadata.metrics[0], (Metadata{"a_total", "counter", "Said \\ once.", ""}));
  EXPECT_EQ(*metadata.metrics[1], (Metadata{"b", "unknown", "Only help.", ""}));
  // A new series makes the next scrape read it again.
  source->body += "# TYPE c gauge\nc 1\n";
  scraper.Scrape(2000);
  EXPECT_EQ(scraper.Metadata().metrics.size(), 2U);
  scraper.Scrape(3000);
  EXPECT_EQ(scraper.Metadata().metrics.size(), 3U);
}

TEST_F(ScraperTest, LimitsMetadata) {
  MetadataPool pool;
  EXPECT_EQ(pool.Intern({"a", "gauge", "", ""}), pool.Intern({"a", "gauge", "", ""}));
  for (int i = 0; i < 5000; ++i) {
    pool.Intern({std::to_string(i), "gauge", "", ""});
  }
  EXPECT_LE(pool.size(), 1024U);  // What nobody holds goes.
}

}  // namespace
}  // namespace scrape
