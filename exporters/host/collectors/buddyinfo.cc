// Free blocks of memory by size, /proc/buddyinfo: "Node 0, zone   DMA   1   0   1 …", where the
// n-th number counts blocks of 2^n pages. Few large ones mean fragmentation.
#include "exporters/host/context.h"
#include "exporters/host/text.h"

namespace exporters::host {
namespace {

constexpr model::MetricDesc kBlocks{.name = "node_buddyinfo_blocks",
                                    .help = "Free blocks of 2^size pages.",
                                    .labels = {"node", "size", "zone"}};

base::Result<void> CollectBuddyinfo(Context& host, Scrape& scrape) {
  ASSIGN_OR_RETURN(const std::string content, host.proc.Read("buddyinfo"));
  for (std::string_view text = content; !text.empty();) {
    std::string_view line = NextLine(&text);
    NextField(&line);  // "Node".
    std::string_view node = NextField(&line);
    NextField(&line);  // "zone".
    const std::string_view zone = NextField(&line);
    if (zone.empty() || node.back() != ',') {
      continue;
    }
    node.remove_suffix(1);
    for (size_t size = 0;; ++size) {
      const auto blocks = ParseNumber(NextField(&line));
      if (!blocks) {
        break;
      }
      scrape.Emit(kBlocks, static_cast<double>(*blocks), {node, std::to_string(size), zone});
    }
  }
  return {};
}

}  // namespace

extern constexpr HostCollector kBuddyinfoCollector{.name = "buddyinfo",
                                                   .help = "Free blocks of memory by size.",
                                                   .enabled_by_default = false,
                                                   .collect = CollectBuddyinfo};

}  // namespace exporters::host
