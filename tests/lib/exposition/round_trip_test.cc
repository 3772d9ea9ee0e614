// parse(write(x)) = x: what is read back from a written page are the samples of Flatten, for random
// families with hostile texts and numbers, in both formats. So an embedded exporter and the same
// exporter scraped give the same series.
#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "lib/exposition/flatten.h"
#include "lib/exposition/parser.h"
#include "lib/exposition/writer.h"
#include "lib/model/sample.h"

namespace exposition {
namespace {

constexpr int kPages = 400;

struct Series {
  model::Labels labels;
  uint64_t value_bits = 0;
  std::optional<int64_t> timestamp_ms;
  bool operator==(const Series&) const = default;
};

std::ostream& operator<<(std::ostream& out, const Series& series) {
  out << series.labels.ToString() << ' ' << std::bit_cast<double>(series.value_bits);
  return series.timestamp_ms.has_value() ? out << " @" << *series.timestamp_ms : out;
}

class Random {
 public:
  explicit Random(uint64_t seed) : engine_(seed) {}

  size_t Below(size_t n) { return engine_() % n; }
  bool OneIn(size_t n) { return Below(n) == 0; }

  double Value() {
    constexpr double kSpecial[] = {0,
                                   -0.0,
                                   1e21,
                                   5e-324,
                                   1e-5,
                                   std::numeric_limits<double>::max(),
                                   std::numeric_limits<double>::infinity(),
                                   -std::numeric_limits<double>::infinity(),
                                   std::numeric_limits<double>::quiet_NaN()};
    switch (Below(4)) {
      case 0:
        return kSpecial[Below(std::size(kSpecial))];
      case 1:
        return static_cast<double>(Below(1000000));
      case 2:
        return static_cast<double>(engine_()) / 1000;
      default:
        return std::bit_cast<double>(engine_());
    }
  }

  std::string Text() {
    constexpr std::string_view kPieces[] = {
        "a",    "Z", "9",    " ",    "\\",   "\"",  "\n",           "\r",
        "\t",   "{", "}",    ",",    "=",    "#",   "# EOF\n",      "é",
        "日本", "🐒", "\x7f", "\xff", "\xC3", "\\n", "\xED\xA0\x80", std::string_view("\0", 1)};
    std::string text;
    for (size_t n = Below(6); n > 0; --n) {
      text += kPieces[Below(std::size(kPieces))];
    }
    return text;
  }

  std::optional<int64_t> Timestamp() {
    return OneIn(3) ? std::optional(static_cast<int64_t>(Below(2000000000000))) : std::nullopt;
  }

 private:
  std::mt19937_64 engine_;
};

std::unique_ptr<model::Histogram> RandomHistogram(Random& random) {
  auto histogram = std::make_unique<model::Histogram>();
  double bound = random.OneIn(2) ? 0.001 : -5;
  double count = 0;
  for (size_t n = random.Below(5); n > 0; --n) {
    count += static_cast<double>(random.Below(100));
    histogram->buckets.push_back({.upper_bound = bound, .cumulative_count = count});
    bound += static_cast<double>(1 + random.Below(10000000)) / 7;
  }
  histogram->count = count + static_cast<double>(random.Below(10));
  histogram->sum = random.Value();
  return histogram;
}

std::unique_ptr<model::Summary> RandomSummary(Random& random) {
  auto summary = std::make_unique<model::Summary>();
  for (const double quantile : {0.0, 0.5, 0.9, 1.0}) {
    if (random.OneIn(2)) {
      summary->quantiles.push_back({.quantile = quantile, .value = random.Value()});
    }
  }
  summary->count = static_cast<double>(random.Below(1000));
  summary->sum = random.Value();
  return summary;
}

model::MetricType RandomType(Random& random) {
  constexpr model::MetricType kTypes[] = {
      model::MetricType::kCounter,   model::MetricType::kGauge,
      model::MetricType::kHistogram, model::MetricType::kSummary,
      model::MetricType::kUntyped,   model::MetricType::kInfo,
      model::MetricType::kStateSet,  model::MetricType::kGaugeHistogram};
  return kTypes[random.Below(std::size(kTypes))];
}

model::DescPtr RandomDesc(Random& random, size_t number) {
  constexpr std::string_view kSuffixes[] = {"", "_total", "_info", "_seconds", "_seconds_total"};
  model::DynamicDesc::Spec spec;
  spec.name = (random.OneIn(10) ? "dotted.name" : "family") + std::to_string(number) +
              std::string(kSuffixes[random.Below(std::size(kSuffixes))]);
  spec.help = random.Text();
  spec.type = RandomType(random);
  spec.unit = random.OneIn(3) ? "seconds" : "";
  for (size_t n = random.Below(4); n > 0; --n) {
    spec.labels.push_back((random.OneIn(10) ? "dotted.label" : "label") + std::to_string(n));
  }
  return model::DynamicDesc::Make(std::move(spec));
}

model::MetricFamily RandomFamily(Random& random, size_t number) {
  const model::DescPtr desc = RandomDesc(random, number);
  model::MetricFamily family{.desc = &desc->desc(), .owner = desc};
  for (size_t n = random.Below(5); n > 0; --n) {
    model::Metric metric{.value = random.Value(), .timestamp_ms = random.Timestamp()};
    for (size_t i = 0; i < desc->desc().labels.size(); ++i) {
      // The number keeps the series apart.
      metric.labels.Add(i == 0 ? std::to_string(n) + random.Text() : random.Text());
    }
    if (desc->desc().type == model::MetricType::kHistogram ||
        desc->desc().type == model::MetricType::kGaugeHistogram) {
      metric.histogram = RandomHistogram(random);
    } else if (desc->desc().type == model::MetricType::kSummary) {
      metric.summary = RandomSummary(random);
    }
    if (random.OneIn(3)) {
      metric.exemplar = model::Exemplar{.labels = {{"trace_id", random.Text()}},
                                        .value = random.Value(),
                                        .timestamp_ms = random.Timestamp()};
    }
    family.metrics.push_back(std::move(metric));
  }
  return family;
}

uint64_t CanonicalBits(double value) {
  return std::bit_cast<uint64_t>(std::isnan(value) ? model::kNormalNaN : value);
}

class SeriesSink final : public SampleSink {
 public:
  void Add(const FlatSample& sample) override {
    model::LabelsBuilder builder;
    builder.Set(model::kMetricNameLabel, sample.name);
    for (const model::Label& label : sample.labels) {
      builder.Set(label.name, label.value);
    }
    series.push_back({.labels = builder.Build(),
                      .value_bits = CanonicalBits(sample.value),
                      .timestamp_ms = sample.timestamp_ms});
  }

  std::vector<Series> series;
};

std::vector<Series> Embedded(const std::vector<model::MetricFamily>& families) {
  SeriesSink sink;
  for (const model::MetricFamily& family : families) {
    Flatten(family, BoundFormat::kOpenMetrics, sink);
  }
  return sink.series;
}

std::vector<Series> Scraped(const std::string& page, Format format) {
  Parser parser(page, format, ParseMode::kScraping);
  std::vector<Series> series;
  for (;;) {
    const auto entry = parser.Next();
    EXPECT_TRUE(entry.ok()) << entry.error().message() << "\n" << page;
    if (!entry.ok() || *entry == Entry::kEnd) {
      return series;
    }
    if (*entry == Entry::kSeries) {
      model::LabelsBuilder builder;
      parser.BuildLabels(&builder);
      series.push_back({.labels = builder.Build(),
                        .value_bits = std::bit_cast<uint64_t>(parser.value()),
                        .timestamp_ms = parser.timestamp_ms()});
    }
  }
}

class RoundTrip : public testing::TestWithParam<Format> {};

TEST_P(RoundTrip, GivesBackEveryRandomFamily) {
  Random random(20261120);
  size_t samples = 0;
  for (int i = 0; i < kPages; ++i) {
    std::vector<model::MetricFamily> families;
    for (size_t n = 0; n < 6; ++n) {
      families.push_back(RandomFamily(random, n));
    }
    std::string page;
    Write(GetParam(), families, &page);
    const std::vector<Series> expected = Embedded(families);
    ASSERT_EQ(Scraped(page, GetParam()), expected) << page;
    samples += expected.size();
  }
  EXPECT_GT(samples, 10000U);  // The generator has not dried up.
}

INSTANTIATE_TEST_SUITE_P(BothFormats, RoundTrip,
                         testing::Values(Format::kText, Format::kOpenMetrics),
                         [](const testing::TestParamInfo<Format>& format) {
                           return format.param == Format::kText ? "Text" : "OpenMetrics";
                         });

}  // namespace
}  // namespace exposition
