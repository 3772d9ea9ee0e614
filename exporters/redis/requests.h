// The commands of a scrape. All that apply go out in one write; their replies come back in one
// burst.
#pragma once

#include <array>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "exporters/redis/info.h"
#include "exporters/redis/options.h"
#include "exporters/redis/reply.h"
#include "lib/base/result.h"

namespace exporters::redis {

enum class Request : size_t {
  kInfo,
  kConfigAll,
  kConfigMaxmemory,
  kConfigMaxclients,
  kConfigIoThreads,
  kConfigReplBacklogSize,
  kConfigDatabases,
  kConfigClientOutputBufferLimit,
  kLatencyLatest,
  kLatencyHistogram,
  kSlowlogLen,
  kSlowlogGet,
  kClusterInfo,
  kCommandlogSlowLen,
  kCommandlogLargeRequestLen,
  kCommandlogLargeReplyLen,
  kConfigSave,
  kConfigMinReplicasToWrite,
  kClientList,
  kSentinelMasters,
  kCount,
};
inline constexpr size_t kRequestCount = static_cast<size_t>(Request::kCount);

// What INFO says about which further commands make sense. Asking a server for what it does not have
// would count as an error in its own statistics.
struct ServerTraits {
  bool known = false;  // INFO was read on this connection.
  bool cluster = false;
  bool commandlog = false;
  bool sentinel = false;      // It answers little more than INFO and SENTINEL.
  bool many_clients = false;  // More than may be listed.

  bool operator==(const ServerTraits&) const = default;
};
ServerTraits TraitsOf(const Info& info);

struct RequestRow {
  Request id = Request::kInfo;
  std::array<std::string_view, 4> words = {};  // Unused ones are empty.
  bool (*wanted)(const Options& options, const ServerTraits& traits) = nullptr;

  // The command as this server knows it, which may have renamed CONFIG.
  std::vector<std::string_view> Words(const Options& options) const;
  // "CONFIG GET maxmemory"
  std::string Name() const;
};

// Every request, kInfo first; the index is the id.
std::span<const RequestRow> AllRequests();

// The replies of one scrape; nil for what was not asked.
class Answers {
 public:
  const Reply& at(Request id) const { return replies_[static_cast<size_t>(id)]; }
  void Set(Request id, Reply reply) { replies_[static_cast<size_t>(id)] = std::move(reply); }

  // The reply, unless it is an error, which then says which command failed: kPermissionDenied for
  // NOPERM, kUnsupported for an unknown command, else kUnavailable.
  base::Result<const Reply*> Get(Request id) const;

 private:
  std::array<Reply, kRequestCount> replies_;
};

}  // namespace exporters::redis
