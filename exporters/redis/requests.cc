#include "exporters/redis/requests.h"

#include <algorithm>
#include <optional>

#include <fmt/format.h>

#include "exporters/redis/asker.h"
#include "exporters/redis/client_list.h"
#include "lib/base/strings.h"

namespace exporters::redis {
namespace {

constexpr size_t kMaxQuotedBytes = 120;  // Of an error reply.

bool Always(const Options& /*options*/, const ServerTraits& /*traits*/) { return true; }

bool IfServer(const Options& /*options*/, const ServerTraits& traits) { return !traits.sentinel; }

bool IfSentinel(const Options& /*options*/, const ServerTraits& traits) { return traits.sentinel; }

bool IfAllConfig(const Options& options, const ServerTraits& traits) {
  return !traits.sentinel && options.config_command != "-" && options.include_config_metrics;
}

bool IfConfig(const Options& options, const ServerTraits& traits) {
  return !traits.sentinel && options.config_command != "-" && !options.include_config_metrics;
}

bool IfClientList(const Options& options, const ServerTraits& traits) {
  return traits.known && !traits.many_clients && !traits.sentinel &&
         (options.client_list || options.collectors.Enabled("client_groups", true));
}

bool IfHistogram(const Options& options, const ServerTraits& traits) {
  return !traits.sentinel && options.latency_histogram;
}

bool IfCluster(const Options& /*options*/, const ServerTraits& traits) { return traits.cluster; }

bool IfCommandlog(const Options& /*options*/, const ServerTraits& traits) {
  return traits.commandlog;
}

// CONFIG GET takes several names only since Redis 7.0, and asking for all of them costs the server
// several times as much as these.
constexpr RequestRow kRequests[] = {
    {Request::kInfo, {"INFO", "ALL"}, Always},
    {Request::kConfigAll, {"CONFIG", "GET", "*"}, IfAllConfig},
    {Request::kConfigMaxmemory, {"CONFIG", "GET", "maxmemory"}, IfConfig},
    {Request::kConfigMaxclients, {"CONFIG", "GET", "maxclients"}, IfConfig},
    {Request::kConfigIoThreads, {"CONFIG", "GET", "io-threads"}, IfConfig},
    {Request::kConfigReplBacklogSize, {"CONFIG", "GET", "repl-backlog-size"}, IfConfig},
    {Request::kConfigDatabases, {"CONFIG", "GET", "databases"}, IfConfig},
    {Request::kConfigClientOutputBufferLimit,
     {"CONFIG", "GET", "client-output-buffer-limit"},
     IfConfig},
    {Request::kLatencyLatest, {"LATENCY", "LATEST"}, IfServer},
    {Request::kLatencyHistogram, {"LATENCY", "HISTOGRAM"}, IfHistogram},
    {Request::kSlowlogLen, {"SLOWLOG", "LEN"}, IfServer},
    {Request::kSlowlogGet, {"SLOWLOG", "GET", "16"}, IfServer},
    {Request::kClusterInfo, {"CLUSTER", "INFO"}, IfCluster},
    {Request::kCommandlogSlowLen, {"COMMANDLOG", "LEN", "slow"}, IfCommandlog},
    {Request::kCommandlogLargeRequestLen, {"COMMANDLOG", "LEN", "large-request"}, IfCommandlog},
    {Request::kCommandlogLargeReplyLen, {"COMMANDLOG", "LEN", "large-reply"}, IfCommandlog},
    {Request::kConfigSave, {"CONFIG", "GET", "save"}, IfConfig},
    {Request::kConfigMinReplicasToWrite, {"CONFIG", "GET", "min-replicas-to-write"}, IfConfig},
    {Request::kClientList, {"CLIENT", "LIST"}, IfClientList},
    {Request::kSentinelMasters, {"SENTINEL", "MASTERS"}, IfSentinel},
};

consteval bool IndexIsId() {
  for (size_t i = 0; i < std::size(kRequests); ++i) {
    if (static_cast<size_t>(kRequests[i].id) != i) {
      return false;
    }
  }
  return std::size(kRequests) == kRequestCount;
}
static_assert(IndexIsId());

// "8.1.0" is at least {8, 1}.
bool AtLeast(std::string_view version, int64_t major, int64_t minor) {
  const std::vector<std::string_view> parts = base::Split(version, '.');
  const int64_t first = base::ParseInt(parts[0]).value_or(0);
  const int64_t second = parts.size() > 1 ? base::ParseInt(parts[1]).value_or(0) : 0;
  return first > major || (first == major && second >= minor);
}

}  // namespace

base::ErrorKind KindOfReply(std::string_view error_text) {
  if (AfterPrefix(error_text, "NOPERM").has_value()) {
    return base::ErrorKind::kPermissionDenied;
  }
  return AfterPrefix(base::ToLower(error_text), "err unknown").has_value()
             ? base::ErrorKind::kUnsupported
             : base::ErrorKind::kUnavailable;
}

ServerTraits TraitsOf(const Info& info) {
  return {.known = true,
          .cluster = info.Get("cluster_enabled") == "1",
          .commandlog = AtLeast(info.Get("valkey_version"), 8, 1),
          .sentinel = info.Get("redis_mode") == "sentinel" || info.Get("server_mode") == "sentinel",
          .many_clients =
              ParseInfoValue(info.Get("connected_clients")).value_or(0) > kMaxListedClients};
}

std::vector<std::string_view> RequestRow::Words(const Options& options) const {
  std::vector<std::string_view> used;
  for (const std::string_view word : words) {
    if (!word.empty()) {
      const bool everything = word == "ALL" && options.include_modules;
      used.push_back(word == "CONFIG" ? std::string_view(options.config_command)
                                      : (everything ? std::string_view("EVERYTHING") : word));
    }
  }
  return used;
}

std::string RequestRow::Name() const {
  std::string name;
  for (const std::string_view word : words) {
    if (!word.empty()) {
      name += (name.empty() ? "" : " ") + std::string(word);
    }
  }
  return name;
}

std::span<const RequestRow> AllRequests() { return kRequests; }

base::Result<const Reply*> Answers::Get(Request id) const {
  const Reply& reply = at(id);
  if (reply.IsError()) {
    return base::Error(fmt::format("{}: {}", kRequests[static_cast<size_t>(id)].Name(),
                                   std::string_view(reply.text).substr(0, kMaxQuotedBytes)),
                       KindOfReply(reply.text));
  }
  return &reply;
}

}  // namespace exporters::redis
