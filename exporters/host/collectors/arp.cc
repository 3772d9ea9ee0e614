// How many neighbours each device knows: the lines of /proc/net/arp,
//   192.0.2.1        0x1         0x2         02:fc:00:00:00:05     *        eth0
#include "exporters/host/context.h"
#include "exporters/host/parsers.h"
#include "exporters/host/text.h"

namespace exporters::host {
namespace {

constexpr model::MetricDesc kEntries{
    .name = "node_arp_entries", .help = "ARP entries of the device.", .labels = {"device"}};

base::Result<void> CollectArp(Context& host, Scrape& scrape) {
  ASSIGN_OR_RETURN(const std::string text, host.proc.Read("net/arp"));
  for (const auto& [device, count] : ParseArp(text)) {
    if (host.filters.arp_devices.Accepts(device)) {
      scrape.Emit(kEntries, static_cast<double>(count), {device});
    }
  }
  return {};
}

}  // namespace

std::map<std::string, uint64_t, std::less<>> ParseArp(std::string_view text) {
  std::map<std::string, uint64_t, std::less<>> entries;
  NextLine(&text);  // The heading.
  while (!text.empty()) {
    const auto fields = SplitFields(NextLine(&text));
    if (fields.size() == 6) {
      ++entries[std::string(fields[5])];
    }
  }
  return entries;
}

extern constexpr HostCollector kArpCollector{
    .name = "arp", .help = "ARP entries by device.", .collect = CollectArp};

}  // namespace exporters::host
