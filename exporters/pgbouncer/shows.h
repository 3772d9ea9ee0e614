// The SHOW commands of a scrape. All go out in one write; PgBouncer answers them in order. Those
// whose answer has a row a connection follow in a second write, unless there are too many:
// PgBouncer has one thread, and serves nobody while it lists.
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "exporters/toolkit/query_table.h"
#include "lib/base/result.h"

namespace exporters::pgbouncer {

enum class Show : size_t {
  kVersion,
  kLists,
  kConfig,
  kDatabases,
  kStats,
  kPools,
  kUsers,
  kState,
  kPeers,
  kDnsHosts,
  kMemory,
  kClients,
  kServers,
  kCount
};
inline constexpr size_t kShowCount = static_cast<size_t>(Show::kCount);

inline constexpr int kHasStateAndPeers = 11900;
// More clients are not listed: 2,000 take PgBouncer some 2.4 ms, in which it serves nobody.
inline constexpr size_t kDefaultMaxListedClients = 2000;

struct ShowRow {
  Show id = Show::kVersion;
  std::string_view command;
  bool lists_connections = false;
  int since = 0;  // A version before it refuses the command.
};

inline constexpr ShowRow kShows[] = {
    {Show::kVersion, "SHOW VERSION"},
    {Show::kLists, "SHOW LISTS"},
    {Show::kConfig, "SHOW CONFIG"},
    {Show::kDatabases, "SHOW DATABASES"},
    {Show::kStats, "SHOW STATS_TOTALS"},  // Without the averages, which nothing here needs.
    {Show::kPools, "SHOW POOLS"},
    {Show::kUsers, "SHOW USERS"},
    {Show::kState, "SHOW STATE", false, kHasStateAndPeers},
    {Show::kPeers, "SHOW PEERS", false, kHasStateAndPeers},
    {Show::kDnsHosts, "SHOW DNS_HOSTS"},
    {Show::kMemory, "SHOW MEM"},
    {Show::kClients, "SHOW CLIENTS", true},
    {Show::kServers, "SHOW SERVERS", true},
};
static_assert(std::size(kShows) == kShowCount);

// An answer: rows, or why there are none.
using Answer = base::Result<TextRows>;

// What one scrape learned.
class Snapshot {
 public:
  // The rows of that command. Errors: the server's, with the command's name.
  base::Result<const TextRows*> Get(Show show) const;
  void Set(Show show, Answer answer) { answers_[static_cast<size_t>(show)] = std::move(answer); }

  std::string version_text;  // "PgBouncer 1.18.0"; "" when not known.
  int version = 0;           // 11800
  std::string pid_file;
  bool listed = false;  // Whether connections were listed; they were too many otherwise.

 private:
  std::array<std::optional<Answer>, kShowCount> answers_;
};

// "PgBouncer 1.24.1-1" is 12401; 0 when there is no version in it.
int ParseVersion(std::string_view text);

}  // namespace exporters::pgbouncer
