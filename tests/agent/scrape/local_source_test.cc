// An embedded exporter and the same exporter scraped as text must give the same series.
#include "agent/scrape/local_source.h"

#include <cmath>
#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "agent/scrape/http_source.h"
#include "agent/scrape/scraper.h"
#include "lib/exposition/writer.h"
#include "tests/agent/scrape/fakes.h"

namespace scrape {
namespace {

using model::MetricType;

class Random {
 public:
  explicit Random(uint64_t seed) : state_(seed) {}
  uint64_t Below(uint64_t limit) {
    state_ = state_ * 6364136223846793005ULL + 1442695040888963407ULL;
    return (state_ >> 33) % limit;
  }
  double Value() {
    constexpr double kOdd[] = {0,
                               -0.0,
                               1,
                               0.1,
                               1e300,
                               -1e-300,
                               std::numeric_limits<double>::infinity(),
                               -std::numeric_limits<double>::infinity(),
                               std::numeric_limits<double>::quiet_NaN()};
    return Below(2) == 0 ? kOdd[Below(std::size(kOdd))] : static_cast<double>(Below(1'000'000)) / 7;
  }
  std::string Text() {
    constexpr std::string_view kPieces[] = {"a", "\"", "\\",   "\n", " ",  "{", "}", ",",
                                            "=", "ü",  "\xff", "€",  "\r", "#", "1"};
    std::string text;
    for (uint64_t length = Below(4); length > 0; --length) {
      text += kPieces[Below(std::size(kPieces))];
    }
    return text;
  }

 private:
  uint64_t state_;
};

std::unique_ptr<model::Histogram> MakeHistogram(Random& random) {
  auto histogram = std::make_unique<model::Histogram>();
  double count = 0;
  for (const double bound : {0.005, 1.0, 2.5, 1000.0, 1e6}) {
    count += static_cast<double>(random.Below(5));
    histogram->buckets.push_back({.upper_bound = bound, .cumulative_count = count});
  }
  histogram->count = count + static_cast<double>(random.Below(3));
  histogram->sum = static_cast<double>(random.Below(1000));
  return histogram;
}

std::unique_ptr<model::Summary> MakeSummary(Random& random) {
  auto summary = std::make_unique<model::Summary>();
  for (const double quantile : {0.0, 0.5, 0.99, 1.0}) {
    summary->quantiles.push_back({.quantile = quantile, .value = random.Value()});
  }
  summary->count = 5;
  summary->sum = 7;
  return summary;
}

model::MetricFamily MakeFamily(size_t number, Random& random) {
  struct Kind {
    MetricType type;
    std::string_view suffix;
  };
  constexpr Kind kKinds[] = {
      {MetricType::kGauge, ""},       {MetricType::kCounter, "_total"}, {MetricType::kUntyped, ""},
      {MetricType::kInfo, "_info"},   {MetricType::kHistogram, ""},     {MetricType::kSummary, ""},
      {MetricType::kCounter, "_odd"},
  };
  const Kind kind = kKinds[random.Below(std::size(kKinds))];
  const auto desc = model::DynamicDesc::Make(
      {.name = "family_" + std::to_string(number) + std::string(kind.suffix),
       .help = random.Text(),
       .type = kind.type,
       .labels = {"x", "y"}});
  model::MetricFamily family{.desc = &desc->desc(), .owner = desc};
  for (uint64_t i = 0; i < 1 + random.Below(4); ++i) {
    model::Metric metric{.labels = {std::to_string(i), random.Text()}};
    if (kind.type == MetricType::kHistogram) {
      metric.histogram = MakeHistogram(random);
    } else if (kind.type == MetricType::kSummary) {
      metric.summary = MakeSummary(random);
    } else {
      metric.value = kind.type == MetricType::kInfo ? 1 : random.Value();
      if (kind.type == MetricType::kCounter) {
        metric.value = std::fabs(static_cast<double>(random.Below(1000)));
      }
      if (random.Below(4) == 0) {
        metric.timestamp_ms = 100 + static_cast<int64_t>(random.Below(800));
      }
    }
    family.metrics.push_back(std::move(metric));
  }
  return family;
}

std::vector<model::MetricFamily> MakeFamilies(uint64_t seed) {
  Random random(seed);
  std::vector<model::MetricFamily> families;
  for (size_t i = 0; i < 8; ++i) {
    families.push_back(MakeFamily(i, random));
  }
  return families;
}

class SeededExporter final : public exporters::Exporter {
 public:
  uint64_t seed = 0;
  base::Result<std::vector<model::MetricFamily>> Collect(
      const exporters::ScrapeRequest& /*request*/) override {
    return MakeFamilies(seed);
  }
};

// The same exporter, written and read back.
class WrittenSource final : public Source {
 public:
  WrittenSource(std::shared_ptr<SeededExporter> exporter, exposition::Format format)
      : exporter_(std::move(exporter)), format_(format) {}
  base::Result<std::unique_ptr<Page>> Fetch(std::chrono::milliseconds /*timeout*/) override {
    std::string page;
    exposition::Write(format_, MakeFamilies(exporter_->seed), &page);
    return MakeTextPage(std::move(page), format_);
  }

 private:
  std::shared_ptr<SeededExporter> exporter_;
  exposition::Format format_;
};

class LocalSourceTest : public testing::Test {
 protected:
  // What two scrapes of `source` leave in a store.
  std::map<std::string, std::string> Stored(std::shared_ptr<Source> source,
                                            SeededExporter& exporter, uint64_t seed) {
    storage::Head store({.retention = std::chrono::milliseconds(0)}, clock_);
    JobOptions job;
    job.name = "j";
    Scraper scraper({.target = {.labels = {{"job", "j"}, {"instance", "i"}}, .url = "u"},
                     .job = std::make_shared<const JobOptions>(job),
                     .source = std::move(source),
                     .forced_error = ""},
                    store, clock_, logger_, counters_);
    for (uint64_t i = 0; i < 3; ++i) {
      exporter.seed = seed + i % 2;
      scraper.Scrape(1000 + static_cast<int64_t>(i) * 1000);
      EXPECT_EQ(scraper.Status().last_error, "");
    }
    return Dump(store);
  }

  base::FakeClock clock_;
  base::Logger logger_{base::LogLevel::kError, base::LogFormat::kLogfmt, [](std::string_view) {}};
  Counters counters_;
};

TEST_F(LocalSourceTest, GivesTheSeriesThatTextGives) {
  const auto exporter = std::make_shared<SeededExporter>();
  for (uint64_t seed = 0; seed < 60; ++seed) {
    const auto local = Stored(MakeLocalSource(exporter, clock_), *exporter, seed);
    for (const auto format : {exposition::Format::kText, exposition::Format::kOpenMetrics}) {
      const auto text = Stored(std::make_shared<WrittenSource>(exporter, format), *exporter, seed);
      ASSERT_EQ(local, text) << "seed " << seed << " format " << static_cast<int>(format);
    }
    ASSERT_GT(local.size(), 8U);
  }
}

TEST_F(LocalSourceTest, PassesOnAnErrorOfTheExporter) {
  class Failing final : public exporters::Exporter {
   public:
    base::Result<std::vector<model::MetricFamily>> Collect(
        const exporters::ScrapeRequest& /*request*/) override {
      return base::Error("missing collector: x", base::ErrorKind::kInvalidArgument);
    }
  };
  const auto page =
      MakeLocalSource(std::make_shared<Failing>(), clock_)->Fetch(std::chrono::seconds(1));
  ASSERT_FALSE(page.ok());
  EXPECT_EQ(page.error().message(), "missing collector: x");
}

}  // namespace
}  // namespace scrape
