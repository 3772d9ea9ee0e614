// The store: nanoseconds a sample to encode, append and read; bytes a series and a sample.
#include <cmath>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include <benchmark/benchmark.h>
#include <malloc.h>
#include <unistd.h>

#include "agent/state/state_file.h"
#include "agent/storage/chunk.h"
#include "agent/storage/head.h"
#include "agent/storage/store.h"

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

uint64_t ResidentBytes() {
  std::ifstream statm("/proc/self/statm");
  uint64_t total = 0;
  uint64_t resident = 0;
  statm >> total >> resident;
  return resident * static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
}

// A store with a state file: `steps` scrapes of `series` series with a checkpoint every five
// minutes, then a start. Time is that of the start.
void Restart(benchmark::State& state) {
  const auto series = static_cast<int>(state.range(0));
  const auto steps = static_cast<int>(state.range(1));
  constexpr int kStepsPerCheckpoint = 20;
  std::string folder = (std::filesystem::temp_directory_path() / "store-bench-XXXXXX").string();
  if (mkdtemp(folder.data()) == nullptr) {
    state.SkipWithError("no temporary directory");
    return;
  }
  base::FakeClock clock(base::FromMillis(kStartMs));
  const base::Logger logger(base::LogLevel::kError);
  const StoreOptions options{.retention_bytes = 0, .background = false};
  uint64_t samples = 0;
  {
    const auto file = *state::StateFile::Open(folder, clock, logger);
    const auto store = *Store::Open(options, &file, clock, logger);
    std::vector<SeriesRef> refs(static_cast<size_t>(series));
    for (int step = 0; step < steps; ++step) {
      clock.Advance(std::chrono::milliseconds(kIntervalMs));
      const auto appender = store->NewAppender();
      for (int i = 0; i < series; ++i) {
        SeriesRef& ref = refs[static_cast<size_t>(i)];
        const int64_t now_ms = base::ToMillis(clock.Now());
        if (ref == 0) {
          ref = *appender->Append(SeriesLabels(i), now_ms, CounterValue(i, step));
        } else {
          static_cast<void>(appender->Append(ref, now_ms, CounterValue(i, step)));
        }
      }
      static_cast<void>(appender->Commit());
      store->Sync();
      if (step % kStepsPerCheckpoint == kStepsPerCheckpoint / 2) {
        store->Checkpoint();
      }
      samples += static_cast<uint64_t>(series);
    }
    state.counters["RSS.before"] = static_cast<double>(ResidentBytes());
    state.counters["blockB/sample"] = static_cast<double>(store->Stats().block_bytes) /
                                      static_cast<double>(store->Stats().block_samples);
    state.counters["fileB/sample"] =
        static_cast<double>(file.Bytes()) / static_cast<double>(samples);
  }
  malloc_trim(0);
  const uint64_t empty = ResidentBytes();
  for (auto _ : state) {
    const auto file = *state::StateFile::Open(folder, clock, logger);
    const auto store = *Store::Open(options, &file, clock, logger);
    state.PauseTiming();
    state.counters["RSS.grown"] = static_cast<double>(ResidentBytes() - empty);
    state.counters["journal"] = static_cast<double>(store->Stats().loaded.journal_samples);
    state.ResumeTiming();
  }
  std::filesystem::remove_all(folder);
}
BENCHMARK(Restart)
    ->Args({2'000, 5'760})
    ->Args({100'000, 480})
    ->Iterations(1)
    ->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace storage
