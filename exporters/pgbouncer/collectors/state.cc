// SHOW STATE: whether PgBouncer serves, is paused or suspended; SHOW PEERS: the other processes of
// its group. Both since version 1.19.
#include "exporters/pgbouncer/context.h"

namespace exporters::pgbouncer {
namespace {

constexpr NamedValue kStates[] = {
    {"active", {.name = "pgbouncer_active", .help = "Whether PgBouncer serves its clients."}},
    {"paused", {.name = "pgbouncer_paused", .help = "Whether PgBouncer is paused."}},
    {"suspended", {.name = "pgbouncer_suspended", .help = "Whether PgBouncer is suspended."}},
};

constexpr ColumnTable kPeers({
    {.name = "peer_id", .usage = Usage::kLabel},
    {.name = "host", .usage = Usage::kLabel},
    {.name = "port", .usage = Usage::kLabel},
    {.name = "pool_size",
     .metric = "pgbouncer_peer_pool_size",
     .help = "Number of connections to the other process, for cancel requests."},
});

base::Result<void> CollectState(const Snapshot& snapshot, Scrape& scrape) {
  if (snapshot.version < kHasStateAndPeers) {
    return {};
  }
  ASSIGN_OR_RETURN(const TextRows* states, snapshot.Get(Show::kState));
  RETURN_IF_ERROR(EmitNamedValues(kStates, *states, scrape));
  ASSIGN_OR_RETURN(const TextRows* peers, snapshot.Get(Show::kPeers));
  return EmitRows(kPeers, *peers, snapshot.version, scrape);
}

}  // namespace

extern constexpr PgBouncerCollector kState{
    .name = "state", .help = "Whether it is paused, and its peers.", .collect = CollectState};

}  // namespace exporters::pgbouncer
