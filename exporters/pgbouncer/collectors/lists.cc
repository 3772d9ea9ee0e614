// SHOW LISTS: how many of everything there are. dns_queries has been seen negative, so it is left
// out.
#include "exporters/pgbouncer/context.h"

namespace exporters::pgbouncer {
namespace {

constexpr NamedValue kValues[] = {
    {"databases", {.name = "pgbouncer_databases", .help = "Number of databases."}},
    {"users", {.name = "pgbouncer_users", .help = "Number of users."}},
    {"pools", {.name = "pgbouncer_pools", .help = "Number of pools."}},
    {"free_clients",
     {.name = "pgbouncer_free_clients", .help = "Number of client slots that are not in use."}},
    {"used_clients", {.name = "pgbouncer_used_clients", .help = "Number of client connections."}},
    {"login_clients",
     {.name = "pgbouncer_login_clients", .help = "Number of clients that are logging in."}},
    {"free_servers",
     {.name = "pgbouncer_free_servers", .help = "Number of server slots that are not in use."}},
    {"used_servers", {.name = "pgbouncer_used_servers", .help = "Number of server connections."}},
    {"dns_names",
     {.name = "pgbouncer_cached_dns_names", .help = "Number of host names in the DNS cache."}},
    {"dns_zones",
     {.name = "pgbouncer_cached_dns_zones", .help = "Number of zones in the DNS cache."}},
    {"dns_pending",
     {.name = "pgbouncer_in_flight_dns_queries",
      .help = "Number of DNS queries that wait for their answer."}},
    {"peers",
     {.name = "pgbouncer_peers", .help = "Number of other PgBouncer processes in the group."}},
    {"peer_pools",
     {.name = "pgbouncer_peer_pools", .help = "Number of pools of connections to them."}},
};

base::Result<void> CollectLists(const Snapshot& snapshot, Scrape& scrape) {
  ASSIGN_OR_RETURN(const TextRows* rows, snapshot.Get(Show::kLists));
  return EmitNamedValues(kValues, *rows, scrape);
}

}  // namespace

extern constexpr PgBouncerCollector kLists{
    .name = "lists",
    .help = "Counts of databases, users, pools, clients and servers.",
    .collect = CollectLists};

}  // namespace exporters::pgbouncer
