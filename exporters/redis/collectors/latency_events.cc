// LATENCY LATEST: the last spike of each event that the latency monitor watches, if
// latency-monitor-threshold is set: [["command", 1795169422, 167, 167], …] are name, time, last and
// highest milliseconds.
#include "exporters/redis/context.h"

namespace exporters::redis {
namespace {

constexpr model::MetricDesc kLast{
    .name = "redis_latency_spike_last",
    .help = "When the last latency spike of the event was, in seconds since 1970.",
    .labels = {"event_name"}};
constexpr model::MetricDesc kDuration{
    .name = "redis_latency_spike_duration_seconds",
    .help = "How long the last latency spike of the event lasted, in seconds.",
    .labels = {"event_name"}};
constexpr model::MetricDesc kMax{
    .name = "redis_latency_spike_max_duration_seconds",
    .help = "How long the longest latency spike of the event lasted, in seconds.",
    .labels = {"event_name"}};

base::Result<void> CollectLatencyEvents(const Snapshot& snapshot, Scrape& scrape) {
  ASSIGN_OR_RETURN(const Reply* reply, snapshot.answers.Get(Request::kLatencyLatest));
  for (const Reply& event : reply->elements) {
    if (event.elements.size() < 4) {
      continue;
    }
    const std::string_view name = event.elements[0].text;
    scrape.Emit(kLast, static_cast<double>(event.elements[1].integer), {name});
    scrape.Emit(kDuration, static_cast<double>(event.elements[2].integer) / 1e3, {name});
    scrape.Emit(kMax, static_cast<double>(event.elements[3].integer) / 1e3, {name});
  }
  return {};
}

}  // namespace

extern constexpr RedisCollector kLatencyEvents{.name = "latency_events",
                                               .help = "Spikes that the latency monitor saw.",
                                               .collect = CollectLatencyEvents};

}  // namespace exporters::redis
