#include "lib/exposition/flatten.h"

#include <cmath>
#include <limits>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "lib/base/strings.h"

namespace exposition {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

class Lines final : public SampleSink {
 public:
  void Add(const FlatSample& sample) override {
    std::string line(sample.name);
    for (const model::Label& label : sample.labels) {
      line += " " + std::string(label.name) + "=" + std::string(label.value);
    }
    line += " " + base::FormatDouble(sample.value);
    if (sample.timestamp_ms.has_value()) {
      line += " @" + std::to_string(*sample.timestamp_ms);
    }
    if (sample.exemplar != nullptr) {
      line += " # " + base::FormatDouble(sample.exemplar->value);
    }
    lines.push_back(line);
  }

  std::vector<std::string> lines;
};

std::vector<std::string> Flat(const model::MetricFamily& family,
                              BoundFormat bounds = BoundFormat::kOpenMetrics) {
  Lines lines;
  Flatten(family, bounds, lines);
  return lines.lines;
}

TEST(Flatten, GivesOneSampleForEachPlainMetric) {
  constexpr model::MetricDesc kDesc{
      .name = "requests_total", .type = model::MetricType::kCounter, .labels = {"code", "path"}};
  model::MetricFamily family{.desc = &kDesc};
  family.Add(3, {"200", "/"});
  family.metrics.push_back({.labels = {"500", ""}, .value = 1, .timestamp_ms = 1234});
  family.metrics.back().exemplar = model::Exemplar{.labels = {{"trace", "a"}}, .value = 0.5};
  EXPECT_EQ(Flat(family),
            (std::vector<std::string>{"requests_total code=200 path=/ 3",
                                      "requests_total code=500 path= 1 @1234 # 0.5"}));
}

model::MetricFamily LatencyHistogram(const model::MetricDesc& desc,
                                     std::vector<model::Histogram::Bucket> buckets) {
  model::MetricFamily family{.desc = &desc};
  model::Metric metric{.labels = {"/"}};
  metric.histogram = std::make_unique<model::Histogram>();
  metric.histogram->buckets = std::move(buckets);
  metric.histogram->count = 7;
  metric.histogram->sum = 2.5;
  family.metrics.push_back(std::move(metric));
  return family;
}

TEST(Flatten, AddsTheInfiniteBucketThatAHistogramLeftOut) {
  constexpr model::MetricDesc kDesc{
      .name = "latency", .type = model::MetricType::kHistogram, .labels = {"path"}};
  const std::vector<std::string> expected = {
      "latency_bucket path=/ le=0.005 1", "latency_bucket path=/ le=1.0 4",
      "latency_bucket path=/ le=+Inf 7", "latency_sum path=/ 2.5", "latency_count path=/ 7"};
  EXPECT_EQ(Flat(LatencyHistogram(kDesc, {{0.005, 1}, {1, 4}})), expected);
  EXPECT_EQ(Flat(LatencyHistogram(kDesc, {{0.005, 1}, {1, 4}, {kInfinity, 7}})), expected);
}

TEST(Flatten, NamesGaugeHistogramsAsOpenMetricsDoes) {
  constexpr model::MetricDesc kDesc{
      .name = "queue", .type = model::MetricType::kGaugeHistogram, .labels = {"path"}};
  EXPECT_EQ(Flat(LatencyHistogram(kDesc, {})),
            (std::vector<std::string>{"queue_bucket path=/ le=+Inf 7", "queue_gsum path=/ 2.5",
                                      "queue_gcount path=/ 7"}));
}

TEST(Flatten, GivesQuantilesThenSumAndCount) {
  constexpr model::MetricDesc kDesc{.name = "pause", .type = model::MetricType::kSummary};
  model::MetricFamily family{.desc = &kDesc};
  model::Metric metric;
  metric.summary = std::make_unique<model::Summary>();
  metric.summary->quantiles = {{0, 0.1}, {0.5, 0.2}, {1, 0.9}};
  metric.summary->count = 10;
  metric.summary->sum = 3;
  family.metrics.push_back(std::move(metric));
  EXPECT_EQ(Flat(family, BoundFormat::kGo),
            (std::vector<std::string>{"pause quantile=0 0.1", "pause quantile=0.5 0.2",
                                      "pause quantile=1 0.9", "pause_sum 3", "pause_count 10"}));
}

TEST(Flatten, LeavesOutMetricsWithoutTheirHistogramOrSummary) {
  constexpr model::MetricDesc kHistogram{.name = "h", .type = model::MetricType::kHistogram};
  constexpr model::MetricDesc kSummary{.name = "s", .type = model::MetricType::kSummary};
  for (const model::MetricDesc* desc : {&kHistogram, &kSummary}) {
    model::MetricFamily family{.desc = desc};
    family.Add(1);
    EXPECT_TRUE(Flat(family).empty());
  }
}

TEST(Flatten, RepairsSeveralLabelValuesOfOneMetricAtOnce) {
  constexpr model::MetricDesc kDesc{.name = "size", .labels = {"a", "b", "c"}};
  model::MetricFamily family{.desc = &kDesc};
  family.Add(1, {"caf\xE9", "grün", std::string_view("x\0y", 3)});
  EXPECT_EQ(Flat(family),
            std::vector<std::string>{"size a=caf\xEF\xBF\xBD b=grün c=x\xEF\xBF\xBDy 1"});
}

TEST(AppendBound, SpellsBoundsAsGoAndAsOpenMetricsDo) {
  const auto check = [](double bound, const std::string& go, const std::string& open_metrics) {
    std::string text;
    AppendBound(bound, BoundFormat::kGo, &text);
    EXPECT_EQ(text, go);
    text.clear();
    AppendBound(bound, BoundFormat::kOpenMetrics, &text);
    EXPECT_EQ(text, open_metrics);
  };
  check(0, "0", "0.0");
  check(-0.0, "-0", "-0.0");
  check(1, "1", "1.0");
  check(-1, "-1", "-1.0");
  check(0.005, "0.005", "0.005");
  check(0.0001, "0.0001", "0.0001");
  check(0.00001, "1e-05", "1e-05");
  check(2.5, "2.5", "2.5");
  check(999999, "999999", "999999.0");
  check(1e6, "1e+06", "1e+06");
  check(123456789, "1.23456789e+08", "1.23456789e+08");
  check(1e100, "1e+100", "1e+100");
  check(0.1 + 0.2, "0.30000000000000004", "0.30000000000000004");
  check(kInfinity, "+Inf", "+Inf");
  check(-kInfinity, "-Inf", "-Inf");
  check(std::nan(""), "NaN", "NaN");
}

TEST(ReadableText, ReplacesOnlyWhatNoReaderAccepts) {
  const auto check = [](std::string_view text, std::string_view expected) {
    std::string storage;
    EXPECT_EQ(ReadableText(text, &storage), expected) << text;
  };
  check("", "");
  check("plain", "plain");
  check("exactly8", "exactly8");
  check("a tab\tand a newline\n", "a tab\tand a newline\n");
  check("naïve 日本 🐒", "naïve 日本 🐒");
  check("\x7f", "\x7f");
  check(std::string_view("\0", 1), "\xEF\xBF\xBD");
  check(std::string_view("12345678\0", 9), "12345678\xEF\xBF\xBD");
  check(std::string_view("1234\00078", 7),
        "1234\xEF\xBF\xBD\x37"
        "8");
  check("\xff", "\xEF\xBF\xBD");
  check("abc\x80", "abc\xEF\xBF\xBD");
  check("\xC3", "\xEF\xBF\xBD");
  check("\xC3(", "\xEF\xBF\xBD(");
  check("\xE2\x82", "\xEF\xBF\xBD\xEF\xBF\xBD");
  check("\xED\xA0\x80", "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD");
  check("é\xE9 after", "é\xEF\xBF\xBD after");
}

}  // namespace
}  // namespace exposition
