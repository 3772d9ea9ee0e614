// Streams, their groups and consumers: those that --check-single-streams names, read now, and those
// that match --check-streams, as the last walk found them.
#include <set>
#include <string>
#include <utility>

#include <fmt/format.h>

#include "exporters/redis/context.h"
#include "exporters/redis/keys.h"
#include "exporters/redis/walker.h"
#include "lib/base/strings.h"

namespace exporters::redis {
namespace {

constexpr model::LabelNames kStreamLabels = {"db", "stream"};
constexpr model::LabelNames kGroupLabels = {"db", "stream", "group"};

struct StreamMetric {
  model::MetricDesc desc;
  double (*value)(const StreamFact& fact);
};

constexpr StreamMetric kNumbers[] = {
    {{.name = "redis_stream_length", .help = "Number of entries.", .labels = kStreamLabels},
     [](const StreamFact& fact) { return static_cast<double>(fact.length); }},
    {{.name = "redis_stream_groups", .help = "Number of groups.", .labels = kStreamLabels},
     [](const StreamFact& fact) { return static_cast<double>(fact.group_count); }},
    {{.name = "redis_stream_radix_tree_keys",
      .help = "Number of keys in the stream's radix tree.",
      .labels = kStreamLabels},
     [](const StreamFact& fact) { return static_cast<double>(fact.radix_tree_keys); }},
    {{.name = "redis_stream_radix_tree_nodes",
      .help = "Number of nodes in the stream's radix tree.",
      .labels = kStreamLabels},
     [](const StreamFact& fact) { return static_cast<double>(fact.radix_tree_nodes); }},
};

struct IdMetric {
  model::MetricDesc desc;
  std::string StreamFact::*id;
};

constexpr IdMetric kIds[] = {
    {{.name = "redis_stream_first_entry_id",
      .help = "ID of the first entry: its milliseconds since 1970.",
      .labels = kStreamLabels},
     &StreamFact::first_entry_id},
    {{.name = "redis_stream_last_entry_id",
      .help = "ID of the last entry: its milliseconds since 1970.",
      .labels = kStreamLabels},
     &StreamFact::last_entry_id},
    {{.name = "redis_stream_last_generated_id",
      .help = "The last ID given out: its milliseconds since 1970.",
      .labels = kStreamLabels},
     &StreamFact::last_generated_id},
    {{.name = "redis_stream_max_deleted_entry_id",
      .help = "The highest ID deleted: its milliseconds since 1970.",
      .labels = kStreamLabels},
     &StreamFact::max_deleted_entry_id},
};

constexpr model::MetricDesc kAdded{.name = "redis_stream_entries_added_total",
                                   .help = "Entries ever added.",
                                   .type = model::MetricType::kCounter,
                                   .labels = kStreamLabels};

constexpr model::MetricDesc kConsumers{.name = "redis_stream_group_consumers",
                                       .help = "Number of consumers of the group.",
                                       .labels = kGroupLabels};
constexpr model::MetricDesc kPending{
    .name = "redis_stream_group_messages_pending",
    .help = "Number of entries delivered to the group and not acknowledged.",
    .labels = kGroupLabels};
constexpr model::MetricDesc kDelivered{
    .name = "redis_stream_group_last_delivered_id",
    .help = "ID last delivered to the group: its milliseconds since 1970.",
    .labels = kGroupLabels};
constexpr model::MetricDesc kRead{.name = "redis_stream_group_entries_read",
                                  .help = "Number of entries the group has read.",
                                  .labels = kGroupLabels};
constexpr model::MetricDesc kLag{.name = "redis_stream_group_lag",
                                 .help = "Number of entries still to be delivered to the group.",
                                 .labels = kGroupLabels};
constexpr model::MetricDesc kMemberPending{
    .name = "redis_stream_group_consumer_messages_pending",
    .help = "Number of entries delivered to the consumer and not acknowledged.",
    .labels = {"db", "stream", "group", "consumer"}};
constexpr model::MetricDesc kMemberIdle{
    .name = "redis_stream_group_consumer_idle_seconds",
    .help = "How long ago the consumer last asked for something, in seconds.",
    .labels = {"db", "stream", "group", "consumer"}};

void EmitGroup(const StreamGroup& group, std::string_view db, std::string_view stream,
               Scrape& scrape) {
  const std::string name = base::ToValidUtf8(group.name);
  scrape.Emit(kConsumers, static_cast<double>(group.consumers), {db, stream, name});
  scrape.Emit(kPending, static_cast<double>(group.pending), {db, stream, name});
  if (const auto id = StreamIdMilliseconds(group.last_delivered_id)) {
    scrape.Emit(kDelivered, *id, {db, stream, name});
  }
  if (group.entries_read.has_value()) {
    scrape.Emit(kRead, static_cast<double>(*group.entries_read), {db, stream, name});
  }
  if (group.lag.has_value()) {
    scrape.Emit(kLag, static_cast<double>(*group.lag), {db, stream, name});
  }
  for (const StreamConsumer& member : group.members) {
    const std::string consumer = base::ToValidUtf8(member.name);
    scrape.Emit(kMemberPending, static_cast<double>(member.pending), {db, stream, name, consumer});
    scrape.Emit(kMemberIdle, static_cast<double>(member.idle_ms) / 1e3,
                {db, stream, name, consumer});
  }
}

void EmitStream(const StreamFact& fact, Scrape& scrape) {
  const std::string db = fmt::format("db{}", fact.key.db);
  const std::string stream = base::ToValidUtf8(fact.key.text);
  for (const StreamMetric& metric : kNumbers) {
    scrape.Emit(metric.desc, metric.value(fact), {db, stream});
  }
  for (const IdMetric& metric : kIds) {
    if (const auto id = StreamIdMilliseconds(fact.*metric.id)) {
      scrape.Emit(metric.desc, *id, {db, stream});
    }
  }
  if (fact.entries_added.has_value()) {
    scrape.Emit(kAdded, static_cast<double>(*fact.entries_added), {db, stream});
  }
  for (const StreamGroup& group : fact.groups) {
    EmitGroup(group, db, stream, scrape);
  }
}

base::Result<void> CollectStreams(const Snapshot& snapshot, Scrape& scrape) {
  std::set<std::pair<int64_t, std::string>> emitted;
  const KeyOptions& options = snapshot.options->keys;
  if (snapshot.walk != nullptr && snapshot.key_checks) {
    for (const StreamFact& fact : snapshot.walk->streams) {
      if (emitted.emplace(fact.key.db, fact.key.text).second) {
        EmitStream(fact, scrape);
      }
    }
  }
  if (options.single_streams.empty() || snapshot.asker == nullptr || !snapshot.key_checks) {
    return {};
  }
  ASSIGN_OR_RETURN(const std::vector<StreamFact> facts,
                   FetchStreams(*snapshot.asker, "streams", options.single_streams,
                                options.stream_consumers, snapshot.deadline));
  for (const StreamFact& fact : facts) {
    if (emitted.emplace(fact.key.db, fact.key.text).second) {
      EmitStream(fact, scrape);
    }
  }
  return {};
}

}  // namespace

extern constexpr RedisCollector kStreams{
    .name = "streams",
    .help = "Streams, groups and consumers (with --check-streams and --check-single-streams).",
    .collect = CollectStreams};

}  // namespace exporters::redis
