// Series for each connection (--export-client-list), as redis_exporter has them. Their number is
// bounded by kMaxListedClients; client_groups is what most people want instead.
#include "exporters/redis/client_list.h"

#include <chrono>
#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include "exporters/redis/context.h"
#include "lib/base/duration.h"

namespace exporters::redis {
namespace {

struct ClientMetric {
  std::string_view field;
  model::MetricDesc desc;
};

constexpr ClientMetric kMetrics[] = {
    {"sub",
     {.name = "redis_connected_client_channel_subscriptions_count",
      .help = "Number of channels the client subscribes to.",
      .labels = {"id", "name"}}},
    {"psub",
     {.name = "redis_connected_client_pattern_matching_subscriptions_count",
      .help = "Number of patterns the client subscribes to.",
      .labels = {"id", "name"}}},
    {"ssub",
     {.name = "redis_connected_client_shard_channel_subscriptions_count",
      .help = "Number of shard channels the client subscribes to.",
      .labels = {"id", "name"}}},
    {"watch",
     {.name = "redis_connected_client_shard_channel_watched_keys",
      .help = "Number of keys the client watches.",
      .labels = {"id", "name"}}},
    {"qbuf",
     {.name = "redis_connected_client_query_buffer_length_bytes",
      .help = "Length of the client's query buffer, in bytes.",
      .labels = {"id", "name"}}},
    {"qbuf-free",
     {.name = "redis_connected_client_query_buffer_free_space_bytes",
      .help = "Free space in the client's query buffer, in bytes.",
      .labels = {"id", "name"}}},
    {"obl",
     {.name = "redis_connected_client_output_buffer_length_bytes",
      .help = "Length of the client's output buffer, in bytes.",
      .labels = {"id", "name"}}},
    {"oll",
     {.name = "redis_connected_client_output_list_length",
      .help = "Number of replies queued beyond the client's output buffer.",
      .labels = {"id", "name"}}},
    {"omem",
     {.name = "redis_connected_client_output_buffer_memory_usage_bytes",
      .help = "Memory of the client's output buffers, in bytes.",
      .labels = {"id", "name"}}},
    {"tot-mem",
     {.name = "redis_connected_client_total_memory_consumed_bytes",
      .help = "Memory of all buffers of the client, in bytes.",
      .labels = {"id", "name"}}},
};

constexpr model::MetricDesc kCreated{.name = "redis_connected_client_created_at_timestamp",
                                     .help = "When the client connected, in seconds since 1970.",
                                     .labels = {"id", "name"}};
constexpr model::MetricDesc kIdleSince{
    .name = "redis_connected_client_idle_since_timestamp",
    .help = "When the client last sent a command, in seconds since 1970.",
    .labels = {"id", "name"}};

// The labels follow the server's version: user since 6.0, resp since 7.0.
model::DescPtr InfoDesc(const ClientLine& client, bool with_port) {
  model::DynamicDesc::Spec spec{.name = "redis_connected_client_info",
                                .help = "A connection and who it is from; always 1.",
                                .labels = {"id", "name", "flags", "db", "host"}};
  if (with_port) {
    spec.labels.emplace_back("port");
  }
  for (const char* optional : {"user", "resp"}) {
    if (client.Find(optional).has_value()) {
      spec.labels.emplace_back(optional);
    }
  }
  return model::DynamicDesc::Make(std::move(spec));
}

void EmitClient(const ClientLine& client, const model::DescPtr& info, double now, Scrape& scrape) {
  const std::string_view id = client.Get("id");
  const std::string_view name = client.Get("name");
  model::LabelValues labels;
  for (const std::string_view label : info->desc().labels) {
    labels.Add(label == "host"   ? client.Host()
               : label == "port" ? client.Port()
                                 : client.Get(label));
  }
  scrape.Emit(info, 1, std::move(labels));
  for (const ClientMetric& metric : kMetrics) {
    if (const auto value = client.Number(metric.field)) {
      scrape.Emit(metric.desc, *value, {id, name});
    }
  }
  if (const auto age = client.Number("age")) {
    scrape.Emit(kCreated, now - *age, {id, name});
  }
  if (const auto idle = client.Number("idle")) {
    scrape.Emit(kIdleSince, now - *idle, {id, name});
  }
}

base::Result<void> CollectClientList(const Snapshot& snapshot, Scrape& scrape) {
  if (!snapshot.options->client_list) {
    return {};
  }
  ASSIGN_OR_RETURN(const Reply* reply, snapshot.answers.Get(Request::kClientList));
  const std::vector<ClientLine> clients = ParseClientList(reply->text);
  if (clients.empty()) {
    return {};
  }
  const model::DescPtr info = InfoDesc(clients.front(), snapshot.options->client_port);
  const double now =
      std::floor(base::ToSeconds(std::chrono::system_clock::now().time_since_epoch()));
  for (const ClientLine& client : clients) {
    EmitClient(client, info, now, scrape);
  }
  return {};
}

}  // namespace

extern constexpr RedisCollector kClientList{.name = "client_list",
                                            .help = "Each connection (with --export-client-list).",
                                            .collect = CollectClientList};

}  // namespace exporters::redis
