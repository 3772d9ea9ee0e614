// Memory zones, /proc/zoneinfo: blocks that start with "Node 0, zone   DMA"; the first of a node
// has the numbers of the whole node too.
#include <algorithm>

#include <fmt/format.h>

#include "exporters/host/context.h"
#include "exporters/host/text.h"

namespace exporters::host {
namespace {

using model::MetricType;

constexpr model::MetricDesc Gauge(std::string_view name, std::string_view help) {
  return {.name = name, .help = help, .labels = {"node", "zone"}};
}
constexpr model::MetricDesc Counter(std::string_view name, std::string_view help) {
  return {.name = name, .help = help, .type = MetricType::kCounter, .labels = {"node", "zone"}};
}

struct Row {
  std::string_view key;
  model::MetricDesc desc;
};
constexpr Row kRows[] = {
    {"free", Gauge("node_zoneinfo_nr_free_pages", "Free pages.")},
    {"min", Gauge("node_zoneinfo_min_pages", "The lowest watermark.")},
    {"low", Gauge("node_zoneinfo_low_pages", "Below this, pages are reclaimed.")},
    {"high", Gauge("node_zoneinfo_high_pages", "Up to this, pages are reclaimed.")},
    {"spanned", Gauge("node_zoneinfo_spanned_pages", "Pages that the zone spans, with holes.")},
    {"present", Gauge("node_zoneinfo_present_pages", "Pages that exist.")},
    {"managed", Gauge("node_zoneinfo_managed_pages", "Pages that the allocator has.")},
    {"scanned", Gauge("node_zoneinfo_scanned_pages", "Pages scanned since the last reclaim.")},
    {"nr_active_anon", Gauge("node_zoneinfo_nr_active_anon_pages", "Anonymous pages in use.")},
    {"nr_inactive_anon",
     Gauge("node_zoneinfo_nr_inactive_anon_pages", "Anonymous pages not used lately.")},
    {"nr_isolated_anon",
     Gauge("node_zoneinfo_nr_isolated_anon_pages", "Anonymous pages taken off the lists.")},
    {"nr_anon_pages", Gauge("node_zoneinfo_nr_anon_pages", "Anonymous pages that are mapped.")},
    {"nr_anon_transparent_hugepages",
     Gauge("node_zoneinfo_nr_anon_transparent_hugepages", "Transparent huge pages.")},
    {"nr_active_file", Gauge("node_zoneinfo_nr_active_file_pages", "File pages in use.")},
    {"nr_inactive_file",
     Gauge("node_zoneinfo_nr_inactive_file_pages", "File pages not used lately.")},
    {"nr_isolated_file",
     Gauge("node_zoneinfo_nr_isolated_file_pages", "File pages taken off the lists.")},
    {"nr_file_pages", Gauge("node_zoneinfo_nr_file_pages", "Pages of files.")},
    {"nr_slab_reclaimable",
     Gauge("node_zoneinfo_nr_slab_reclaimable_pages", "Slab pages that can be reclaimed.")},
    {"nr_slab_unreclaimable",
     Gauge("node_zoneinfo_nr_slab_unreclaimable_pages", "Slab pages that cannot be reclaimed.")},
    {"nr_mlock_stack",
     Gauge("node_zoneinfo_nr_mlock_stack_pages", "Pages that are locked in memory.")},
    {"nr_kernel_stack", Gauge("node_zoneinfo_nr_kernel_stacks", "Stacks of the kernel.")},
    {"nr_mapped", Gauge("node_zoneinfo_nr_mapped_pages", "File pages that are mapped.")},
    {"nr_dirty", Gauge("node_zoneinfo_nr_dirty_pages", "File pages that wait to be written.")},
    {"nr_writeback", Gauge("node_zoneinfo_nr_writeback_pages", "Pages that are being written.")},
    {"nr_unevictable",
     Gauge("node_zoneinfo_nr_unevictable_pages", "Pages that cannot be reclaimed.")},
    {"nr_shmem", Gauge("node_zoneinfo_nr_shmem_pages", "Pages of shared memory.")},
    {"nr_dirtied", Counter("node_zoneinfo_nr_dirtied_total", "Pages that were changed.")},
    {"nr_written", Counter("node_zoneinfo_nr_written_total", "Pages that were written.")},
    {"numa_hit", Counter("node_zoneinfo_numa_hit_total", "Pages allocated where intended.")},
    {"numa_miss", Counter("node_zoneinfo_numa_miss_total", "Pages allocated elsewhere.")},
    {"numa_foreign",
     Counter("node_zoneinfo_numa_foreign_total", "Pages intended here, allocated elsewhere.")},
    {"numa_interleave",
     Counter("node_zoneinfo_numa_interleave_total", "Pages allocated by interleaving.")},
    {"numa_local", Counter("node_zoneinfo_numa_local_total", "Pages allocated by this node.")},
    {"numa_other", Counter("node_zoneinfo_numa_other_total", "Pages allocated by other nodes.")},
};

// "protection: (0, 3019, 24090)".
void EmitProtection(Context& host, std::string_view text, const model::LabelValues& labels,
                    Scrape& scrape) {
  size_t index = 0;
  for (std::string_view word = NextField(&text); !word.empty(); word = NextField(&text)) {
    const size_t begin = word.find_first_of("0123456789");
    const size_t end = word.find_last_of("0123456789");
    const auto value = begin == std::string_view::npos
                           ? std::nullopt
                           : ParseNumber(word.substr(begin, end - begin + 1));
    if (!value) {
      continue;
    }
    const std::string name = fmt::format("node_zoneinfo_protection_{}", index++);
    const model::DescPtr& desc = host.descs.Get(name, [&name] {
      return model::DynamicDesc::Spec{.name = name,
                                      .help =
                                          "Pages kept from allocations that could be met by "
                                          "another zone.",
                                      .labels = {"node", "zone"}};
    });
    scrape.Emit(desc, static_cast<double>(*value), labels);
  }
}

base::Result<void> CollectZoneinfo(Context& host, Scrape& scrape) {
  ASSIGN_OR_RETURN(const std::string content, host.proc.ReadLong("zoneinfo"));
  model::LabelValues labels;
  bool in_pagesets = false;  // Of each CPU, whose keys repeat.
  for (std::string_view text = content; !text.empty();) {
    std::string_view line = NextLine(&text);
    std::string_view key = NextField(&line);
    if (key == "Node") {
      std::string_view node = NextField(&line);
      node = node.substr(0, node.find(','));
      NextField(&line);  // "zone".
      labels = {node, NextField(&line)};
      in_pagesets = false;
      continue;
    }
    if (key == "pages") {
      key = NextField(&line);
    }
    in_pagesets = in_pagesets || key == "pagesets";
    if (labels.size() == 0 || in_pagesets) {
      continue;
    }
    if (key == "protection:") {
      EmitProtection(host, line, labels, scrape);
      continue;
    }
    const auto* const row = std::find_if(std::begin(kRows), std::end(kRows),
                                         [key](const Row& known) { return known.key == key; });
    const auto value = ParseNumber(NextField(&line));
    if (row != std::end(kRows) && value) {
      scrape.Emit(row->desc, static_cast<double>(*value), labels);
    }
  }
  return {};
}

}  // namespace

extern constexpr HostCollector kZoneinfoCollector{.name = "zoneinfo",
                                                  .help = "Memory zones and their watermarks.",
                                                  .enabled_by_default = false,
                                                  .collect = CollectZoneinfo};

}  // namespace exporters::host
