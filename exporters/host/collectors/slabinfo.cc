// Caches of kernel objects, /proc/slabinfo, which only root may read:
//   name <active_objs> <num_objs> <objsize> <objperslab> <pagesperslab> : …
#include "exporters/host/context.h"
#include "exporters/host/text.h"

namespace exporters::host {
namespace {

constexpr model::MetricDesc Gauge(std::string_view name, std::string_view help) {
  return {.name = name, .help = help, .labels = {"slab"}};
}
// In the order of the file's columns.
constexpr model::MetricDesc kColumns[] = {
    Gauge("node_slabinfo_active_objects", "Objects in use."),
    Gauge("node_slabinfo_objects", "Objects that there is room for."),
    Gauge("node_slabinfo_object_size_bytes", "Size of an object."),
    Gauge("node_slabinfo_objects_per_slab", "Objects in a slab."),
    Gauge("node_slabinfo_pages_per_slab", "Pages of a slab.")};

base::Result<void> CollectSlabinfo(Context& host, Scrape& scrape) {
  ASSIGN_OR_RETURN(const std::string content, host.proc.Read("slabinfo"));
  std::string_view text = content;
  NextLine(&text);  // The version.
  while (!text.empty()) {
    std::string_view line = NextLine(&text);
    const std::string_view slab = NextField(&line);
    std::array<uint64_t, std::size(kColumns)> values{};
    if (slab.empty() || slab.front() == '#' || ParseNumbers(line, &values) < values.size()) {
      continue;
    }
    for (size_t i = 0; i < values.size(); ++i) {
      scrape.Emit(kColumns[i], static_cast<double>(values[i]), {slab});
    }
  }
  return {};
}

}  // namespace

extern constexpr HostCollector kSlabinfoCollector{.name = "slabinfo",
                                                  .help = "Caches of kernel objects.",
                                                  .enabled_by_default = false,
                                                  .collect = CollectSlabinfo};

}  // namespace exporters::host
