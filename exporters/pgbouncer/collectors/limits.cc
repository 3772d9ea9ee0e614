// Which limit each pool meets first, and how near it is: that of the pool, of the database, of the
// user. 0 is no limit, but for pool sizes.
#include <algorithm>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "exporters/pgbouncer/context.h"
#include "lib/base/strings.h"

namespace exporters::pgbouncer {
namespace {

constexpr model::MetricDesc kRoom{
    .name = "pgbouncer_pool_server_room",
    .help = "Server connections that the pool may still open under each of its limits.",
    .labels = {"database", "user", "limit"}};
constexpr model::MetricDesc kBinding{.name = "pgbouncer_pool_binding_limit",
                                     .help = "The limit that the pool meets first, always 1.",
                                     .labels = {"database", "user", "limit"}};
constexpr model::MetricDesc kSaturation{
    .name = "pgbouncer_pool_saturation_ratio",
    .help =
        "Server connections of the pool against what it may have under its tightest limit; at "
        "1 clients wait.",
    .labels = {"database", "user"}};
constexpr model::MetricDesc kClientRoom{
    .name = "pgbouncer_client_room",
    .help = "Clients that may still connect under max_client_conn."};

// A table of answers by the text of one column.
class Lookup {
 public:
  Lookup(const TextRows& rows, std::string_view key) : rows_(rows) {
    const std::optional<size_t> column = rows.Find(key);
    for (size_t row = 0; column.has_value() && row < rows.row_count(); ++row) {
      by_key_.emplace(rows.at(row, *column).value_or(""), row);
    }
  }

  std::optional<double> Number(std::string_view key, std::string_view column) const {
    const auto row = by_key_.find(key);
    const std::optional<size_t> at = rows_.Find(column);
    if (row == by_key_.end() || !at.has_value()) {
      return std::nullopt;
    }
    return ParseCell(base::TrimSpace(rows_.at(row->second, *at).value_or("")));
  }

 private:
  const TextRows& rows_;
  std::map<std::string_view, size_t> by_key_;
};

constexpr std::string_view kServerColumns[] = {
    "sv_active", "sv_active_cancel", "sv_being_canceled", "sv_idle",
    "sv_used",   "sv_tested",        "sv_login",
};

struct Pool {
  std::string database;
  std::string user;
  double servers = 0;
};

std::vector<Pool> PoolsOf(const TextRows& rows) {
  const auto database = rows.Find("database");
  const auto user = rows.Find("user");
  std::vector<Pool> pools;
  if (!database.has_value() || !user.has_value()) {
    return pools;
  }
  for (size_t row = 0; row < rows.row_count(); ++row) {
    Pool pool{.database = base::ToValidUtf8(rows.at(row, *database).value_or("")),
              .user = base::ToValidUtf8(rows.at(row, *user).value_or(""))};
    for (const std::string_view name : kServerColumns) {
      if (const auto column = rows.Find(name); column.has_value()) {
        pool.servers += ParseCell(rows.at(row, *column).value_or("")).value_or(0);
      }
    }
    // The console is no pool of servers.
    if (pool.database != "pgbouncer") {
      pools.push_back(std::move(pool));
    }
  }
  return pools;
}

struct Limit {
  std::string_view name;
  double room = 0;
};

// `maximum` of 0 is no limit.
void AddLimit(std::string_view name, std::optional<double> maximum, std::optional<double> used,
              std::vector<Limit>* limits) {
  if (maximum.has_value() && used.has_value() && *maximum > 0) {
    limits->push_back({.name = name, .room = std::max(0.0, *maximum - *used)});
  }
}

class Limits {
 public:
  Limits(const TextRows& databases, const TextRows& users, const TextRows& config,
         const std::vector<Pool>& pools)
      : databases_(databases, "name"), users_(users, "name"), config_(config, "key") {
    for (const Pool& pool : pools) {
      user_servers_[pool.user] += pool.servers;
    }
  }

  std::vector<Limit> Of(const Pool& pool) const {
    std::vector<Limit> limits;
    if (const auto size = databases_.Number(pool.database, "pool_size"); size.has_value()) {
      const double reserve =
          databases_.Number(pool.database, "reserve_pool_size")
              .value_or(databases_.Number(pool.database, "reserve_pool").value_or(0));
      limits.push_back(
          {.name = "pool_size", .room = std::max(0.0, *size + reserve - pool.servers)});
    }
    AddLimit("max_db_connections", databases_.Number(pool.database, "max_connections"),
             databases_.Number(pool.database, "current_connections"), &limits);
    // Before version 1.23 a user has no limit of its own, only the setting.
    std::optional<double> maximum = users_.Number(pool.user, "max_user_connections");
    if (maximum.value_or(0) <= 0) {
      maximum = config_.Number("max_user_connections", "value");
    }
    const auto servers = user_servers_.find(pool.user);
    AddLimit("max_user_connections", maximum, servers == user_servers_.end() ? 0 : servers->second,
             &limits);
    return limits;
  }

  std::optional<double> MaxClients() const { return config_.Number("max_client_conn", "value"); }

 private:
  Lookup databases_;
  Lookup users_;
  Lookup config_;
  std::map<std::string, double> user_servers_;
};

void EmitPool(const Pool& pool, const std::vector<Limit>& limits, Scrape& scrape) {
  for (const Limit& limit : limits) {
    scrape.Emit(kRoom, limit.room, {pool.database, pool.user, limit.name});
  }
  const auto tightest = std::min_element(
      limits.begin(), limits.end(), [](const Limit& a, const Limit& b) { return a.room < b.room; });
  if (tightest == limits.end()) {
    return;
  }
  scrape.Emit(kBinding, 1, {pool.database, pool.user, tightest->name});
  const double most = pool.servers + tightest->room;
  scrape.Emit(kSaturation, most > 0 ? pool.servers / most : 1, {pool.database, pool.user});
}

base::Result<void> CollectLimits(const Snapshot& snapshot, Scrape& scrape) {
  ASSIGN_OR_RETURN(const TextRows* pool_rows, snapshot.Get(Show::kPools));
  ASSIGN_OR_RETURN(const TextRows* databases, snapshot.Get(Show::kDatabases));
  ASSIGN_OR_RETURN(const TextRows* users, snapshot.Get(Show::kUsers));
  ASSIGN_OR_RETURN(const TextRows* config, snapshot.Get(Show::kConfig));
  ASSIGN_OR_RETURN(const TextRows* lists, snapshot.Get(Show::kLists));
  const std::vector<Pool> pools = PoolsOf(*pool_rows);
  const Limits limits(*databases, *users, *config, pools);
  for (const Pool& pool : pools) {
    EmitPool(pool, limits.Of(pool), scrape);
  }
  const std::optional<double> used = Lookup(*lists, "list").Number("used_clients", "items");
  if (const std::optional<double> maximum = limits.MaxClients();
      maximum.has_value() && used.has_value()) {
    scrape.Emit(kClientRoom, std::max(0.0, *maximum - *used));
  }
  return {};
}

}  // namespace

extern constexpr PgBouncerCollector kLimits{
    .name = "limits",
    .help = "The limit that each pool meets first, and the room under it.",
    .collect = CollectLimits};

}  // namespace exporters::pgbouncer
