// Nanoseconds a sample for writing and parsing a page of 20,000 samples with three labels each.
#include <string>
#include <vector>

#include <benchmark/benchmark.h>

#include "lib/exposition/flatten.h"
#include "lib/exposition/gzip.h"
#include "lib/exposition/parser.h"
#include "lib/exposition/writer.h"

namespace exposition {
namespace {

constexpr size_t kSamples = 20000;

constexpr model::MetricDesc kDesc{.name = "pg_stat_user_tables_n_tup_ins",
                                  .help = "Number of rows inserted.",
                                  .type = model::MetricType::kCounter,
                                  .labels = {"datname", "relname", "schemaname"}};

std::vector<model::MetricFamily> Families() {
  std::vector<model::MetricFamily> families(1);
  families[0].desc = &kDesc;
  for (size_t i = 0; i < kSamples; ++i) {
    const double value = i % 3 == 0 ? static_cast<double>(i) / 7 : static_cast<double>(i * 997);
    families[0].Add(value, {"orders", "table_" + std::to_string(i), "public"});
  }
  return families;
}

std::string Page(Format format) {
  std::string page;
  Write(format, Families(), &page);
  return page;
}

void CountSamples(benchmark::State& state, size_t bytes) {
  const auto iterations = static_cast<int64_t>(state.iterations());
  state.SetItemsProcessed(iterations * static_cast<int64_t>(kSamples));
  state.SetBytesProcessed(iterations * static_cast<int64_t>(bytes));
  state.counters["ns_per_sample"] = benchmark::Counter(
      static_cast<double>(kSamples) * 1e-9,
      benchmark::Counter::kIsIterationInvariantRate | benchmark::Counter::kInvert);
}

void WritePage(benchmark::State& state, Format format) {
  const std::vector<model::MetricFamily> families = Families();
  std::string page;
  for (auto _ : state) {
    page.clear();
    Write(format, families, &page);
    benchmark::DoNotOptimize(page.data());
  }
  CountSamples(state, page.size());
}

class NoSink final : public SampleSink {
 public:
  void Add(const FlatSample& sample) override { benchmark::DoNotOptimize(&sample); }
};

void FlattenFamily(benchmark::State& state) {
  const std::vector<model::MetricFamily> families = Families();
  NoSink sink;
  for (auto _ : state) {
    Flatten(families[0], BoundFormat::kOpenMetrics, sink);
  }
  CountSamples(state, 0);
}

void ParsePage(benchmark::State& state, Format format, ParseMode mode) {
  const std::string page = Page(format);
  for (auto _ : state) {
    Parser parser(page, format, mode);
    double sum = 0;
    for (auto entry = parser.Next(); *entry != Entry::kEnd; entry = parser.Next()) {
      sum += *entry == Entry::kSeries ? parser.value() : 0;
    }
    benchmark::DoNotOptimize(sum);
  }
  CountSamples(state, page.size());
}

// A target whose page has the same series in the same order as the last time.
void ParseExpected(benchmark::State& state, Format format) {
  const std::string page = Page(format);
  std::vector<std::string_view> series;
  Parser first(page, format, ParseMode::kScraping);
  for (auto entry = first.Next(); *entry != Entry::kEnd; entry = first.Next()) {
    if (*entry == Entry::kSeries) {
      series.push_back(first.series());
    }
  }
  for (auto _ : state) {
    Parser parser(page, format, ParseMode::kScraping);
    double sum = 0;
    size_t next = 0;
    parser.ExpectSeries(series[next]);
    for (auto entry = parser.Next(); *entry != Entry::kEnd; entry = parser.Next()) {
      if (*entry == Entry::kSeries) {
        sum += parser.value();
        ++next;
      }
      parser.ExpectSeries(next < series.size() ? series[next] : std::string_view());
    }
    benchmark::DoNotOptimize(sum);
  }
  CountSamples(state, page.size());
}

void ParseAndBuildLabels(benchmark::State& state) {
  const std::string page = Page(Format::kText);
  for (auto _ : state) {
    Parser parser(page, Format::kText, ParseMode::kScraping);
    for (auto entry = parser.Next(); *entry != Entry::kEnd; entry = parser.Next()) {
      if (*entry == Entry::kSeries) {
        model::LabelsBuilder builder;
        parser.BuildLabels(&builder);
        benchmark::DoNotOptimize(builder.Build());
      }
    }
  }
  CountSamples(state, page.size());
}

void GzipPage(benchmark::State& state) {
  const std::string page = Page(Format::kText);
  for (auto _ : state) {
    benchmark::DoNotOptimize(Gzip(page));
  }
  CountSamples(state, page.size());
}

BENCHMARK(FlattenFamily);
BENCHMARK_CAPTURE(WritePage, Text, Format::kText);
BENCHMARK_CAPTURE(WritePage, OpenMetrics, Format::kOpenMetrics);
BENCHMARK_CAPTURE(ParsePage, Text, Format::kText, ParseMode::kScraping);
BENCHMARK_CAPTURE(ParsePage, OpenMetrics, Format::kOpenMetrics, ParseMode::kScraping);
BENCHMARK_CAPTURE(ParsePage, TextStrict, Format::kText, ParseMode::kStrict);
BENCHMARK_CAPTURE(ParseExpected, Text, Format::kText);
BENCHMARK_CAPTURE(ParseExpected, OpenMetrics, Format::kOpenMetrics);
BENCHMARK(ParseAndBuildLabels);
BENCHMARK(GzipPage);

}  // namespace
}  // namespace exposition
