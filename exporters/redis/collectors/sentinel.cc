// A Sentinel and the masters it watches: INFO's Sentinel section
//   master0:name=cache,status=ok,address=10.0.0.5:6379,slaves=1,sentinels=3
// and SENTINEL MASTERS, REPLICAS, SENTINELS and CKQUORUM.
#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "exporters/redis/context.h"
#include "lib/base/strings.h"

namespace exporters::redis {
namespace {

// Masters beyond are not asked about.
constexpr size_t kMaxSentinelMasters = 100;

constexpr InfoMetric kMetrics[] = {
    {"sentinel_masters",
     {.name = "redis_sentinel_masters", .help = "Number of masters this Sentinel watches."}},
    {"sentinel_tilt",
     {.name = "redis_sentinel_tilt",
      .help = "Whether this Sentinel has stopped acting because its clock jumped (TILT)."}},
    {"sentinel_running_scripts",
     {.name = "redis_sentinel_running_scripts",
      .help = "Number of notification scripts that run."}},
    {"sentinel_scripts_queue_length",
     {.name = "redis_sentinel_scripts_queue_length",
      .help = "Number of notification scripts that wait."}},
    {"sentinel_simulate_failure_flags",
     {.name = "redis_sentinel_simulate_failure_flags",
      .help = "Failures this Sentinel simulates, as a bit mask; for tests."}},
};

constexpr model::MetricDesc kStatus{
    .name = "redis_sentinel_master_status",
    .help = "State of the master as this Sentinel sees it, in the label; always 1.",
    .labels = {"master_name", "master_address", "master_status"}};
constexpr model::MetricDesc kSlaves{.name = "redis_sentinel_master_slaves",
                                    .help = "Number of replicas of the master.",
                                    .labels = {"master_name", "master_address"}};
constexpr model::MetricDesc kSentinels{
    .name = "redis_sentinel_master_sentinels",
    .help = "Number of Sentinels that watch the master, this one included.",
    .labels = {"master_name", "master_address"}};
constexpr model::MetricDesc kOkSlaves{.name = "redis_sentinel_master_ok_slaves",
                                      .help = "Number of replicas that are well.",
                                      .labels = {"master_name", "master_address"}};
constexpr model::MetricDesc kOkSentinels{
    .name = "redis_sentinel_master_ok_sentinels",
    .help = "Number of Sentinels of the master that are well, this one included.",
    .labels = {"master_name", "master_address"}};
constexpr model::MetricDesc kCkquorum{
    .name = "redis_sentinel_master_ckquorum_status",
    .help = "Whether enough Sentinels are there to fail over, and what this one says about it.",
    .labels = {"master_name", "message"}};

struct SettingMetric {
  std::string_view field;
  model::MetricDesc desc;
  double divisor = 1;
};

constexpr SettingMetric kSettings[] = {
    {"quorum",
     {.name = "redis_sentinel_master_setting_ckquorum",
      .help = "Number of Sentinels that must agree that the master is down.",
      .labels = {"master_name", "master_address"}}},
    {"failover-timeout",
     {.name = "redis_sentinel_master_setting_failover_timeout",
      .help = "Setting failover-timeout, in milliseconds.",
      .labels = {"master_name", "master_address"}}},
    {"parallel-syncs",
     {.name = "redis_sentinel_master_setting_parallel_syncs",
      .help = "Setting parallel-syncs: replicas that resynchronise at once after a failover.",
      .labels = {"master_name", "master_address"}}},
    {"down-after-milliseconds",
     {.name = "redis_sentinel_master_setting_down_after_milliseconds",
      .help = "Setting down-after-milliseconds.",
      .labels = {"master_name", "master_address"}}},
    {"config-epoch",
     {.name = "redis_sentinel_master_config_epoch",
      .help = "Configuration epoch of the master.",
      .labels = {"master_name", "master_address"}}},
    {"last-ok-ping-reply",
     {.name = "redis_sentinel_master_last_ok_ping_reply_seconds",
      .help = "How long ago the master last answered a ping well, in seconds.",
      .labels = {"master_name", "master_address"}},
     1e3},
};

std::string_view Field(const Reply& map, std::string_view name) {
  for (size_t i = 0; i + 1 < map.elements.size(); i += 2) {
    if (map.elements[i].text == name) {
      return map.elements[i + 1].text;
    }
  }
  return "";
}

struct Master {
  std::string_view name;
  std::string address;
};

void EmitStatus(const Info& info, Scrape& scrape) {
  for (const InfoField& field : info.fields()) {
    const auto number = AfterPrefix(field.name, "master");
    if (field.section != "Sentinel" || !number || !base::ParseUint(*number)) {
      continue;
    }
    const InfoPairs pairs(field.value);
    const std::string_view name = pairs.Find("name").value_or("");
    const std::string_view address = pairs.Find("address").value_or("");
    scrape.Emit(kStatus, 1, {name, address, pairs.Find("status").value_or("")});
    if (const auto slaves = pairs.Number("slaves")) {
      scrape.Emit(kSlaves, *slaves, {name, address});
    }
    if (const auto sentinels = pairs.Number("sentinels")) {
      scrape.Emit(kSentinels, *sentinels, {name, address});
    }
  }
}

std::vector<Master> EmitSettings(const Reply& masters, Scrape& scrape) {
  std::vector<Master> known;
  for (const Reply& each : masters.elements) {
    if (known.size() == kMaxSentinelMasters) {
      break;
    }
    const Master master{
        .name = Field(each, "name"),
        .address = std::string(Field(each, "ip")) + ":" + std::string(Field(each, "port"))};
    for (const SettingMetric& setting : kSettings) {
      if (const auto value = base::ParseDouble(Field(each, setting.field))) {
        scrape.Emit(setting.desc, *value / setting.divisor, {master.name, master.address});
      }
    }
    known.push_back(master);
  }
  return known;
}

bool IsWell(const Reply& peer) {
  const std::string_view flags = Field(peer, "flags");
  return flags.find("down") == std::string_view::npos &&
         flags.find("disconnected") == std::string_view::npos;
}

double CountWell(const Reply& peers) {
  return static_cast<double>(std::count_if(peers.elements.begin(), peers.elements.end(), IsWell));
}

base::Result<void> EmitPeers(const Snapshot& snapshot, const std::vector<Master>& masters,
                             Scrape& scrape) {
  std::vector<Command> commands;
  for (const Master& master : masters) {
    const std::string name(master.name);
    commands.push_back({.words = {"SENTINEL", "CKQUORUM", name}});
    commands.push_back({.words = {"SENTINEL", "SENTINELS", name}});
    commands.push_back({.words = {"SENTINEL", "SLAVES", name}});  // REPLICAS since Redis 5.0.
  }
  ASSIGN_OR_RETURN(const std::vector<Reply> replies,
                   snapshot.asker->Ask("sentinel", commands, snapshot.deadline));
  for (size_t i = 0; i < masters.size(); ++i) {
    const Master& master = masters[i];
    const Reply& quorum = replies[3 * i];
    scrape.Emit(kCkquorum, quorum.IsError() ? 0 : 1, {master.name, quorum.text});
    if (replies[3 * i + 1].IsArray()) {
      scrape.Emit(kOkSentinels, 1 + CountWell(replies[3 * i + 1]), {master.name, master.address});
    }
    if (replies[3 * i + 2].IsArray()) {
      scrape.Emit(kOkSlaves, CountWell(replies[3 * i + 2]), {master.name, master.address});
    }
  }
  return {};
}

base::Result<void> CollectSentinel(const Snapshot& snapshot, Scrape& scrape) {
  if (!TraitsOf(snapshot.info).sentinel) {
    return {};
  }
  EmitInfo(kMetrics, snapshot.info, scrape);
  EmitStatus(snapshot.info, scrape);
  ASSIGN_OR_RETURN(const Reply* reply, snapshot.answers.Get(Request::kSentinelMasters));
  const std::vector<Master> masters = EmitSettings(*reply, scrape);
  if (masters.empty() || snapshot.asker == nullptr) {
    return {};
  }
  return EmitPeers(snapshot, masters, scrape);
}

}  // namespace

extern constexpr RedisCollector kSentinel{
    .name = "sentinel",
    .help = "Masters, replicas and quorum as a Sentinel sees them.",
    .collect = CollectSentinel};

}  // namespace exporters::redis
