// SHOW MEM: the caches of objects; SHOW DNS_HOSTS: names and how many addresses they have.
#include <algorithm>

#include "exporters/pgbouncer/context.h"
#include "lib/base/strings.h"

namespace exporters::pgbouncer {
namespace {

constexpr size_t kMaxHosts = 200;

constexpr ColumnTable kTable({
    {.name = "name", .usage = Usage::kLabel},
    {.name = "used", .metric = "pgbouncer_memory_used_objects", .help = "Objects in use."},
    {.name = "free", .metric = "pgbouncer_memory_free_objects", .help = "Objects kept for use."},
    {.name = "memtotal",
     .metric = "pgbouncer_memory_bytes",
     .help = "Memory of the cache, in use or not."},
});

constexpr model::MetricDesc kAddresses{.name = "pgbouncer_dns_host_addresses",
                                       .help = "Addresses that the name has.",
                                       .labels = {"hostname"}};
constexpr model::MetricDesc kTtl{.name = "pgbouncer_dns_host_ttl_seconds",
                                 .help = "Seconds until the name is looked up again.",
                                 .labels = {"hostname"}};

void EmitHosts(const TextRows& rows, Scrape& scrape) {
  const auto name = rows.Find("hostname");
  const auto ttl = rows.Find("ttl");
  const auto addresses = rows.Find("addrs");
  if (!name.has_value() || !ttl.has_value() || !addresses.has_value()) {
    return;
  }
  for (size_t row = 0; row < std::min(rows.row_count(), kMaxHosts); ++row) {
    const std::string host = base::ToValidUtf8(rows.at(row, *name).value_or(""));
    const std::string_view list = rows.at(row, *addresses).value_or("");
    const auto count = list.empty() ? 0 : std::count(list.begin(), list.end(), ',') + 1;
    scrape.Emit(kAddresses, static_cast<double>(count), {host});
    if (const auto seconds = ParseCell(rows.at(row, *ttl).value_or("")); seconds.has_value()) {
      scrape.Emit(kTtl, *seconds, {host});
    }
  }
}

base::Result<void> CollectMemory(const Snapshot& snapshot, Scrape& scrape) {
  ASSIGN_OR_RETURN(const TextRows* memory, snapshot.Get(Show::kMemory));
  RETURN_IF_ERROR(EmitRows(kTable, *memory, snapshot.version, scrape));
  ASSIGN_OR_RETURN(const TextRows* hosts, snapshot.Get(Show::kDnsHosts));
  EmitHosts(*hosts, scrape);
  return {};
}

}  // namespace

extern constexpr PgBouncerCollector kMemory{
    .name = "memory", .help = "Object caches and host names.", .collect = CollectMemory};

}  // namespace exporters::pgbouncer
