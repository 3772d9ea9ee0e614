#include "lib/exposition/writer.h"

#include <cmath>
#include <limits>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

namespace exposition {
namespace {

using model::MetricDesc;
using model::MetricFamily;
using model::MetricType;

std::vector<MetricFamily> One(MetricFamily family) {
  std::vector<MetricFamily> families;
  families.push_back(std::move(family));
  return families;
}

std::string Text(const std::vector<MetricFamily>& families) {
  std::string out;
  WriteText(families, &out);
  return out;
}

std::string OpenMetrics(const std::vector<MetricFamily>& families) {
  std::string out;
  WriteOpenMetrics(families, &out);
  return out;
}

std::vector<MetricFamily> Value(const MetricDesc& desc, double value,
                                model::LabelValues labels = {}) {
  MetricFamily family{.desc = &desc};
  family.Add(value, std::move(labels));
  return One(std::move(family));
}

TEST(WriteText, WritesHelpTypeAndSamples) {
  constexpr MetricDesc kDesc{.name = "http_requests_total",
                             .help = "Requests.",
                             .type = MetricType::kCounter,
                             .labels = {"code", "method"}};
  MetricFamily family{.desc = &kDesc};
  family.Add(1027, {"200", "post"});
  family.metrics.push_back({.labels = {"400", ""}, .value = 3, .timestamp_ms = 1395066363000});
  EXPECT_EQ(Text(One(std::move(family))),
            "# HELP http_requests_total Requests.\n"
            "# TYPE http_requests_total counter\n"
            "http_requests_total{code=\"200\",method=\"post\"} 1027\n"
            "http_requests_total{code=\"400\",method=\"\"} 3 1395066363000\n");
}

TEST(WriteText, WritesNothingForNoFamiliesAndForEmptyOnes) {
  constexpr MetricDesc kDesc{.name = "empty", .help = "Never seen."};
  EXPECT_EQ(Text({}), "");
  EXPECT_EQ(Text(One({.desc = &kDesc})), "");
  EXPECT_EQ(OpenMetrics({}), "# EOF\n");
  EXPECT_EQ(OpenMetrics(One({.desc = &kDesc})), "# EOF\n");
}

TEST(WriteText, AppendsToWhatIsThere) {
  constexpr MetricDesc kDesc{.name = "up"};
  std::string out = "before\n";
  WriteText(Value(kDesc, 1), &out);
  EXPECT_EQ(out, "before\n# TYPE up gauge\nup 1\n");
}

TEST(WriteText, EscapesHelpAndLabelValues) {
  constexpr MetricDesc kDesc{
      .name = "m", .help = "A \\ and a \"quote\"\nand a line.", .labels = {"path"}};
  EXPECT_EQ(Text(Value(kDesc, 1, {"C:\\dir\n\"x\""})),
            "# HELP m A \\\\ and a \"quote\"\\nand a line.\n# TYPE m gauge\n"
            "m{path=\"C:\\\\dir\\n\\\"x\\\"\"} 1\n");
  EXPECT_EQ(OpenMetrics(Value(kDesc, 1, {"C:\\dir\n\"x\""})),
            "# TYPE m gauge\n# HELP m A \\\\ and a \\\"quote\\\"\\nand a line.\n"
            "m{path=\"C:\\\\dir\\n\\\"x\\\"\"} 1\n# EOF\n");
}

TEST(WriteText, RepairsBytesThatWouldCostThePage) {
  constexpr MetricDesc kDesc{.name = "m", .help = "Caf\xE9.", .labels = {"database"}};
  EXPECT_EQ(Text(Value(kDesc, 1,
                       {"d\xFC"
                        "rer"})),
            "# HELP m Caf\xEF\xBF\xBD.\n# TYPE m gauge\nm{database=\"d\xEF\xBF\xBDrer\"} 1\n");
}

TEST(WriteText, QuotesNamesThatNeedIt) {
  constexpr MetricDesc kDesc{.name = "my.metric", .help = "Dotted.", .labels = {"a.b", "c"}};
  EXPECT_EQ(Text(Value(kDesc, 1, {"x", "y"})),
            "# HELP \"my.metric\" Dotted.\n# TYPE \"my.metric\" gauge\n"
            "{\"my.metric\",\"a.b\"=\"x\",\"c\"=\"y\"} 1\n");
  constexpr MetricDesc kBare{.name = "my.metric"};
  EXPECT_EQ(Text(Value(kBare, 1)), "# TYPE \"my.metric\" gauge\n{\"my.metric\"} 1\n");
}

TEST(WriteText, WritesEveryKindOfNumber) {
  constexpr MetricDesc kDesc{.name = "v"};
  const auto check = [&](double value, const std::string& expected) {
    EXPECT_EQ(Text(Value(kDesc, value)), "# TYPE v gauge\nv " + expected + "\n");
  };
  check(0, "0");
  check(-0.0, "-0");
  check(1.5, "1.5");
  check(0.1 + 0.2, "0.30000000000000004");
  check(1e21, "1e+21");
  check(5e-324, "5e-324");
  check(std::numeric_limits<double>::max(), "1.7976931348623157e+308");
  check(-123456789012345678.0, "-123456789012345680");
  check(std::nan(""), "NaN");
  check(std::numeric_limits<double>::infinity(), "+Inf");
  check(-std::numeric_limits<double>::infinity(), "-Inf");
}

TEST(WriteText, LeavesOutSamplesStampedBeforeTheEpoch) {
  constexpr MetricDesc kDesc{.name = "v"};
  MetricFamily family{.desc = &kDesc};
  family.metrics.push_back({.value = 1, .timestamp_ms = -1});
  family.metrics.push_back({.value = 2, .timestamp_ms = 0});
  EXPECT_EQ(Text(One(std::move(family))), "# TYPE v gauge\nv 2 0\n");
}

TEST(WriteText, NamesTheTypesOfTheFormat) {
  const auto check = [](MetricType type, const std::string& expected) {
    const MetricDesc desc{.name = "m", .type = type};
    EXPECT_EQ(Text(Value(desc, 1)), "# TYPE m " + expected + "\nm 1\n");
  };
  check(MetricType::kCounter, "counter");
  check(MetricType::kGauge, "gauge");
  check(MetricType::kUntyped, "untyped");
  check(MetricType::kInfo, "gauge");
  check(MetricType::kStateSet, "gauge");
}

TEST(WriteText, WritesHistogramsAndSummaries) {
  constexpr MetricDesc kHistogram{.name = "h", .type = MetricType::kHistogram, .labels = {"path"}};
  constexpr MetricDesc kSummary{.name = "s", .type = MetricType::kSummary};
  std::vector<MetricFamily> families;
  families.push_back({.desc = &kHistogram});
  model::Metric histogram{.labels = {"/"}};
  histogram.histogram = std::make_unique<model::Histogram>();
  histogram.histogram->buckets = {{.upper_bound = 1, .cumulative_count = 2}};
  histogram.histogram->count = 3;
  histogram.histogram->sum = 4.5;
  families.back().metrics.push_back(std::move(histogram));
  families.push_back({.desc = &kSummary});
  model::Metric summary;
  summary.summary = std::make_unique<model::Summary>();
  summary.summary->quantiles = {{.quantile = 1, .value = 0.5}};
  summary.summary->count = 2;
  summary.summary->sum = 0.75;
  families.back().metrics.push_back(std::move(summary));

  EXPECT_EQ(Text(families),
            "# TYPE h histogram\n"
            "h_bucket{path=\"/\",le=\"1\"} 2\nh_bucket{path=\"/\",le=\"+Inf\"} 3\n"
            "h_sum{path=\"/\"} 4.5\nh_count{path=\"/\"} 3\n"
            "# TYPE s summary\ns{quantile=\"1\"} 0.5\ns_sum 0.75\ns_count 2\n");
  EXPECT_EQ(OpenMetrics(families),
            "# TYPE h histogram\n"
            "h_bucket{path=\"/\",le=\"1.0\"} 2\nh_bucket{path=\"/\",le=\"+Inf\"} 3\n"
            "h_sum{path=\"/\"} 4.5\nh_count{path=\"/\"} 3\n"
            "# TYPE s summary\ns{quantile=\"1.0\"} 0.5\ns_sum 0.75\ns_count 2\n# EOF\n");
}

TEST(WriteOpenMetrics, KeepsSampleNamesWhateverTheType) {
  const auto check = [](std::string_view name, MetricType type, const std::string& header) {
    const MetricDesc desc{.name = name, .type = type};
    EXPECT_EQ(OpenMetrics(Value(desc, 1)),
              "# TYPE " + header + "\n" + std::string(name) + " 1\n# EOF\n");
  };
  check("a_total", MetricType::kCounter, "a counter");
  check("pg_stat_database_xact_commit", MetricType::kCounter,
        "pg_stat_database_xact_commit unknown");
  check("a_info", MetricType::kInfo, "a info");
  check("a", MetricType::kInfo, "a gauge");
  check("a", MetricType::kGauge, "a gauge");
  check("a_total", MetricType::kGauge, "a_total gauge");
  check("a", MetricType::kUntyped, "a unknown");
  check("a", MetricType::kStateSet, "a gauge");
}

TEST(WriteOpenMetrics, WritesStateSetsThatNameTheirState) {
  constexpr MetricDesc kDesc{.name = "mode", .type = MetricType::kStateSet, .labels = {"mode"}};
  EXPECT_EQ(OpenMetrics(Value(kDesc, 1, {"fast"})),
            "# TYPE mode stateset\nmode{mode=\"fast\"} 1\n# EOF\n");
}

TEST(WriteOpenMetrics, WritesTheUnitOnlyWhenTheNameEndsWithIt) {
  const auto check = [](std::string_view name, std::string_view unit, MetricType type,
                        const std::string& expected) {
    const MetricDesc desc{.name = name, .type = type, .unit = unit};
    EXPECT_EQ(OpenMetrics(Value(desc, 1)), expected + std::string(name) + " 1\n# EOF\n");
  };
  check("a_bytes", "bytes", MetricType::kGauge, "# TYPE a_bytes gauge\n# UNIT a_bytes bytes\n");
  check("a_seconds_total", "seconds", MetricType::kCounter,
        "# TYPE a_seconds counter\n# UNIT a_seconds seconds\n");
  check("a_seconds_count", "seconds", MetricType::kGauge, "# TYPE a_seconds_count gauge\n");
  check("kilobytes", "bytes", MetricType::kGauge, "# TYPE kilobytes gauge\n");
  check("bytes", "bytes", MetricType::kGauge, "# TYPE bytes gauge\n");
}

TEST(WriteOpenMetrics, WritesTimeStampsInSeconds) {
  constexpr MetricDesc kDesc{.name = "v"};
  const auto check = [&](int64_t timestamp_ms, const std::string& expected) {
    MetricFamily family{.desc = &kDesc};
    family.metrics.push_back({.value = 1, .timestamp_ms = timestamp_ms});
    EXPECT_EQ(OpenMetrics(One(std::move(family))), "# TYPE v gauge\nv 1 " + expected + "\n# EOF\n");
  };
  check(0, "0");
  check(1, "0.001");
  check(1395066363000, "1395066363");
  check(1395066363120, "1395066363.120");
  check(-1500, "-1.500");
  check(std::numeric_limits<int64_t>::min(), "-9223372036854775.808");
}

model::Exemplar TraceExemplar(size_t id_chars) {
  return {.labels = {{"trace_id", std::string(id_chars, 'a')}},
          .value = 0.25,
          .timestamp_ms = 1520879607789};
}

TEST(WriteOpenMetrics, WritesExemplarsOfCountersAndBuckets) {
  constexpr MetricDesc kCounter{.name = "c_total", .type = MetricType::kCounter};
  std::vector<MetricFamily> families = Value(kCounter, 2);
  families[0].metrics[0].exemplar = TraceExemplar(3);
  EXPECT_EQ(OpenMetrics(families),
            "# TYPE c counter\nc_total 2 # {trace_id=\"aaa\"} 0.25 1520879607.789\n# EOF\n");
  EXPECT_EQ(Text(families), "# TYPE c_total counter\nc_total 2\n");

  constexpr MetricDesc kHistogram{.name = "h", .type = MetricType::kHistogram};
  model::Metric metric;
  metric.histogram = std::make_unique<model::Histogram>();
  metric.histogram->count = 1;
  metric.histogram->buckets = {
      {.upper_bound = 1,
       .cumulative_count = 1,
       .exemplar = model::Exemplar{.labels = {{"a", "1"}, {"b", "\""}}, .value = 0.5}}};
  MetricFamily histogram{.desc = &kHistogram};
  histogram.metrics.push_back(std::move(metric));
  EXPECT_EQ(OpenMetrics(One(std::move(histogram))),
            "# TYPE h histogram\nh_bucket{le=\"1.0\"} 1 # {a=\"1\",b=\"\\\"\"} 0.5\n"
            "h_bucket{le=\"+Inf\"} 1\nh_sum 0\nh_count 1\n# EOF\n");
}

TEST(WriteOpenMetrics, LeavesOutExemplarsThatTheFormatForbids) {
  constexpr MetricDesc kCounter{.name = "c_total", .type = MetricType::kCounter};
  std::vector<MetricFamily> counter = Value(kCounter, 2);
  counter[0].metrics[0].exemplar = TraceExemplar(kMaxExemplarLabelChars - 8);
  EXPECT_NE(OpenMetrics(counter).find("trace_id"), std::string::npos);
  counter[0].metrics[0].exemplar = TraceExemplar(kMaxExemplarLabelChars - 7);
  EXPECT_EQ(OpenMetrics(counter), "# TYPE c counter\nc_total 2\n# EOF\n");

  constexpr MetricDesc kUnknown{.name = "c", .type = MetricType::kCounter};
  std::vector<MetricFamily> unknown = Value(kUnknown, 2);
  unknown[0].metrics[0].exemplar = TraceExemplar(1);
  EXPECT_EQ(OpenMetrics(unknown), "# TYPE c unknown\nc 2\n# EOF\n");
}

TEST(WriteText, GrowsForManyAndForLongSamples) {
  constexpr MetricDesc kDesc{.name = "v", .labels = {"l"}};
  MetricFamily family{.desc = &kDesc};
  std::string expected = "# TYPE v gauge\n";
  for (size_t i = 0; i < 2000; ++i) {
    const std::string value(i % 100 == 0 ? 50000 : i % 90, 'x');
    family.Add(static_cast<double>(i), {value});
    expected += "v{l=\"" + value + "\"} " + std::to_string(i) + "\n";
  }
  EXPECT_EQ(Text(One(std::move(family))), expected);
}

}  // namespace
}  // namespace exposition
