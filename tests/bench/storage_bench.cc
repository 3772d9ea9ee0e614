// The head: nanoseconds a sample to encode, append and read; bytes a series and a sample.
#include <cmath>
#include <string>
#include <vector>

#include <benchmark/benchmark.h>
#include <malloc.h>

#include "agent/storage/chunk.h"
#include "agent/storage/head.h"

namespace storage {
namespace {

constexpr int64_t kStartMs = 1'700'000'000'000;
constexpr int64_t kIntervalMs = 15'000;
constexpr HeadOptions kKeepAll{.retention = std::chrono::milliseconds(0)};

double CounterValue(int series, int step) {
  return static_cast<double>(step * (10 + series % 7) + (step * step * 7919) % 13);
}

void EncodeCounter(benchmark::State& state) {
  for (auto _ : state) {
    ChunkWriter writer;
    for (int i = 0; i < kMaxChunkSamples; ++i) {
      writer.Append({kStartMs + i * kIntervalMs, CounterValue(1, i)});
    }
    benchmark::DoNotOptimize(writer.bytes().data());
  }
  state.SetItemsProcessed(state.iterations() * kMaxChunkSamples);
}
BENCHMARK(EncodeCounter);

void DecodeCounter(benchmark::State& state) {
  ChunkWriter writer;
  for (int i = 0; i < kMaxChunkSamples; ++i) {
    writer.Append({kStartMs + i * kIntervalMs, CounterValue(1, i)});
  }
  for (auto _ : state) {
    ChunkReader reader(writer.bytes(), writer.count());
    for (model::Sample sample; reader.Next(&sample);) {
      benchmark::DoNotOptimize(sample);
    }
  }
  state.SetItemsProcessed(state.iterations() * kMaxChunkSamples);
}
BENCHMARK(DecodeCounter);

model::Labels SeriesLabels(int i) {
  return {{"__name__", "node_metric_" + std::to_string(i % 500)},
          {"job", "node"},
          {"instance", "host" + std::to_string(i / 1000) + ":9100"},
          {"device", "dev" + std::to_string(i % 1000 / 500)},
          {"mode", i % 2 == 0 ? "idle" : "user"}};
}

// Appends `steps` scrapes by ref, as the scrape loop does, and reports the memory that took.
void Scrapes(benchmark::State& state) {
  const auto series = static_cast<int>(state.range(0));
  const auto steps = static_cast<int>(state.range(1));
  const base::RealClock clock;
  for (auto _ : state) {
    state.PauseTiming();
    const size_t before = mallinfo2().uordblks;
    auto head = std::make_unique<Head>(kKeepAll, clock);
    std::vector<SeriesRef> refs;
    {
      const auto appender = head->NewAppender();
      for (int i = 0; i < series; ++i) {
        refs.push_back(*appender->Append(SeriesLabels(i), kStartMs, CounterValue(i, 0)));
      }
      static_cast<void>(appender->Commit());
    }
    const size_t created = mallinfo2().uordblks;
    state.ResumeTiming();
    for (int step = 1; step < steps; ++step) {
      const auto appender = head->NewAppender();
      for (int i = 0; i < series; ++i) {
        static_cast<void>(appender->Append(refs[static_cast<size_t>(i)],
                                           kStartMs + step * kIntervalMs, CounterValue(i, step)));
      }
      static_cast<void>(appender->Commit());
    }
    state.PauseTiming();
    const size_t after = mallinfo2().uordblks;
    state.counters["B/series"] = static_cast<double>(created - before) / series;
    state.counters["B/sample"] =
        static_cast<double>(after - created) / (static_cast<double>(series) * (steps - 1));
    head.reset();
    state.ResumeTiming();
  }
  state.SetItemsProcessed(state.iterations() * series * (steps - 1));
}
BENCHMARK(Scrapes)
    ->Args({10'000, 480})
    ->Args({100'000, 240})
    ->Iterations(1)
    ->Unit(benchmark::kMillisecond);

void SelectLastFiveMinutes(benchmark::State& state) {
  const base::RealClock clock;
  Head head(kKeepAll, clock);
  for (int step = 0; step < 100; ++step) {
    const auto appender = head.NewAppender();
    for (int i = 0; i < 10'000; ++i) {
      static_cast<void>(
          appender->Append(SeriesLabels(i), kStartMs + step * kIntervalMs, CounterValue(i, step)));
    }
    static_cast<void>(appender->Commit());
  }
  const std::vector<model::Matcher> matchers{model::Matcher::Equal("job", "node")};
  const int64_t end_ms = kStartMs + 99 * kIntervalMs;
  for (auto _ : state) {
    const auto querier = head.NewQuerier();
    const auto selected = querier->Select(matchers, {end_ms - 300'000, end_ms});
    for (const auto& series : *selected) {
      const auto cursor = series->Samples();
      for (model::Sample sample; cursor->Next(&sample);) {
        benchmark::DoNotOptimize(sample);
      }
    }
  }
  state.SetItemsProcessed(state.iterations() * 10'000);
}
BENCHMARK(SelectLastFiveMinutes)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace storage
