// Connections by the name and user they have set, however many connections there are: the biggest
// groups by number of connections, and one group of all others.
#include <algorithm>
#include <map>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "exporters/redis/client_list.h"
#include "exporters/redis/context.h"

namespace exporters::redis {
namespace {

constexpr size_t kMaxGroups = 20;
constexpr double kIdleSeconds = 300;
constexpr std::string_view kOther = "other";

constexpr model::MetricDesc kConnections{
    .name = "redis_client_group_connections",
    .help =
        "Connections by the client's name, user and library; those beyond the 20 biggest "
        "groups are \"other\".",
    .labels = {"client_name", "user", "library"}};
constexpr model::MetricDesc kIdle{
    .name = "redis_client_group_idle_connections",
    .help = "Connections that have sent no command for five minutes, by group.",
    .labels = {"client_name", "user", "library"}};
constexpr model::MetricDesc kOutput{
    .name = "redis_client_group_output_buffer_bytes",
    .help = "Memory of replies that the clients of the group have not read yet, in bytes.",
    .labels = {"client_name", "user", "library"}};
constexpr model::MetricDesc kMemory{
    .name = "redis_client_group_memory_bytes",
    .help = "Memory of all buffers of the clients of the group, in bytes (Redis 6.2).",
    .labels = {"client_name", "user", "library"}};
constexpr model::MetricDesc kSkipped{
    .name = "redis_client_groups_skipped",
    .help = "1 while there are too many connections to list them."};

struct Group {
  double connections = 0;
  double idle = 0;
  double output_bytes = 0;
  double memory_bytes = 0;

  void Add(const Group& other) {
    connections += other.connections;
    idle += other.idle;
    output_bytes += other.output_bytes;
    memory_bytes += other.memory_bytes;
  }
};

using GroupKey = std::tuple<std::string, std::string, std::string>;

std::vector<std::pair<GroupKey, Group>> GroupClients(const std::vector<ClientLine>& clients) {
  std::map<GroupKey, Group> groups;
  for (const ClientLine& client : clients) {
    groups[{std::string(client.Get("name")), std::string(client.Get("user")),
            std::string(client.Get("lib-name"))}]
        .Add({.connections = 1,
              .idle = client.Number("idle").value_or(0) > kIdleSeconds ? 1.0 : 0.0,
              .output_bytes = client.Number("omem").value_or(0),
              .memory_bytes = client.Number("tot-mem").value_or(0)});
  }
  std::vector<std::pair<GroupKey, Group>> biggest(groups.begin(), groups.end());
  std::stable_sort(biggest.begin(), biggest.end(), [](const auto& a, const auto& b) {
    return a.second.connections > b.second.connections;
  });
  if (biggest.size() > kMaxGroups) {
    Group other;
    for (size_t i = kMaxGroups; i < biggest.size(); ++i) {
      other.Add(biggest[i].second);
    }
    biggest.resize(kMaxGroups);
    biggest.emplace_back(GroupKey(kOther, kOther, kOther), other);
  }
  return biggest;
}

base::Result<void> CollectClientGroups(const Snapshot& snapshot, Scrape& scrape) {
  const ServerTraits traits = TraitsOf(snapshot.info);
  scrape.Emit(kSkipped, traits.many_clients ? 1 : 0);
  if (traits.many_clients) {
    return {};
  }
  ASSIGN_OR_RETURN(const Reply* reply, snapshot.answers.Get(Request::kClientList));
  for (const auto& [key, group] : GroupClients(ParseClientList(reply->text))) {
    const auto& [name, user, library] = key;
    scrape.Emit(kConnections, group.connections, {name, user, library});
    scrape.Emit(kIdle, group.idle, {name, user, library});
    scrape.Emit(kOutput, group.output_bytes, {name, user, library});
    scrape.Emit(kMemory, group.memory_bytes, {name, user, library});
  }
  return {};
}

}  // namespace

extern constexpr RedisCollector kClientGroups{
    .name = "client_groups",
    .help = "Connections by name, user and library (CLIENT LIST).",
    .collect = CollectClientGroups};

}  // namespace exporters::redis
