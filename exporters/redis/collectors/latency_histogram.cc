// LATENCY HISTOGRAM (Redis 7.0): per command a flat list
//   set → ["calls", 100002, "histogram_usec", [1, 96987, 2, 98955, 4, 99513, …]]
// of upper bounds and cumulative counts. The server leaves out buckets that add nothing, so that
// the set of bounds would differ between commands, servers and times, and `sum by (le)` with it;
// here every histogram has all of them.
#include <algorithm>
#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "exporters/redis/context.h"
#include "lib/base/strings.h"

namespace exporters::redis {
namespace {

constexpr model::MetricDesc kLatencies{.name = "redis_commands_latencies_usec",
                                       .help = "How long calls took by command, in microseconds.",
                                       .type = model::MetricType::kHistogram,
                                       .labels = {"cmd"}};

// The bounds the server uses: powers of two from 1024 ns on, each rounded to the precision of its
// histogram and cut to whole microseconds.
constexpr std::array<int64_t, 21> kBounds = {1,     2,     4,     8,      16,     33,     66,
                                             132,   264,   528,   1056,   2113,   4227,   8454,
                                             16908, 33816, 67633, 135266, 270532, 541065, 1082130};

struct Bucket {
  int64_t upper_bound = 0;
  int64_t count = 0;
};

struct CommandLatency {
  int64_t calls = 0;
  std::vector<Bucket> buckets;
};

const Reply* FindPair(const Reply& list, std::string_view name) {
  for (size_t i = 0; i + 1 < list.elements.size(); i += 2) {
    if (list.elements[i].text == name) {
      return &list.elements[i + 1];
    }
  }
  return nullptr;
}

std::optional<CommandLatency> ParseCommandLatency(const Reply& reply) {
  const Reply* calls = FindPair(reply, "calls");
  const Reply* histogram = FindPair(reply, "histogram_usec");
  if (calls == nullptr || calls->type != Reply::Type::kInteger || histogram == nullptr) {
    return std::nullopt;
  }
  CommandLatency latency{.calls = calls->integer, .buckets = {}};
  for (size_t i = 0; i + 1 < histogram->elements.size(); i += 2) {
    latency.buckets.push_back({.upper_bound = histogram->elements[i].integer,
                               .count = histogram->elements[i + 1].integer});
  }
  return latency;
}

// A bound of ours gets the count of the highest bound of the server that is not above it.
std::unique_ptr<model::Histogram> MakeHistogram(const CommandLatency& latency, double sum) {
  auto histogram = std::make_unique<model::Histogram>();
  histogram->count = static_cast<double>(latency.calls);
  histogram->sum = sum;
  int64_t count = 0;
  size_t next = 0;
  for (const int64_t bound : kBounds) {
    while (next < latency.buckets.size() && latency.buckets[next].upper_bound <= bound) {
      count = std::clamp(latency.buckets[next].count, count, std::max(count, latency.calls));
      ++next;
    }
    histogram->buckets.push_back({.upper_bound = static_cast<double>(bound),
                                  .cumulative_count = static_cast<double>(count)});
  }
  return histogram;
}

base::Result<void> CollectLatencyHistogram(const Snapshot& snapshot, Scrape& scrape) {
  ASSIGN_OR_RETURN(const Reply* reply, snapshot.answers.Get(Request::kLatencyHistogram));
  for (size_t i = 0; i + 1 < reply->elements.size(); i += 2) {
    const std::string& command = reply->elements[i].text;
    const std::optional<CommandLatency> latency = ParseCommandLatency(reply->elements[i + 1]);
    if (!latency.has_value()) {
      continue;
    }
    // INFO was answered first, so a command that was called for the first time since has no line in
    // it yet; neither has it a sum worth showing.
    const auto sum = InfoPairs(snapshot.info.Get("cmdstat_" + command)).Number("usec");
    scrape.Emit(kLatencies, model::Metric{.labels = {command},
                                          .histogram = MakeHistogram(*latency, sum.value_or(0))});
  }
  return {};
}

}  // namespace

extern constexpr RedisCollector kLatencyHistogram{
    .name = "latency_histogram",
    .help = "Histograms of the time that calls took, by command.",
    .collect = CollectLatencyHistogram};

}  // namespace exporters::redis
