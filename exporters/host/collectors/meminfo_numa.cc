// Memory by NUMA node: node*/meminfo has lines "Node 0 MemTotal:  123 kB", node*/numastat
// "numa_hit 5".
#include <fmt/format.h>

#include "exporters/host/context.h"
#include "exporters/host/parsers.h"
#include "exporters/host/text.h"

namespace exporters::host {
namespace {

constexpr std::string_view kFolder = "devices/system/node";
constexpr double kKibibyte = 1024;

void Emit(Context& host, std::string_view field, model::MetricType type, double value,
          std::string_view node, Scrape& scrape) {
  const bool counter = type == model::MetricType::kCounter;
  const std::string name =
      fmt::format("node_memory_numa_{}{}", MemoryMetricPart(field), counter ? "_total" : "");
  const model::DescPtr& desc = host.descs.Get(name, [&] {
    return model::DynamicDesc::Spec{.name = name,
                                    .help = fmt::format("{} of the memory of a NUMA node.", field),
                                    .type = type,
                                    .labels = {"node"}};
  });
  scrape.Emit(desc, value, {node});
}

void EmitMeminfo(Context& host, std::string_view text, std::string_view node, Scrape& scrape) {
  while (!text.empty()) {
    auto fields = SplitFields(NextLine(&text));
    if (fields.size() < 4 || fields[0] != "Node" || fields[2].back() != ':') {
      continue;
    }
    fields[2].remove_suffix(1);
    if (const auto value = ParseNumber(fields[3])) {
      const bool kibibytes = fields.size() > 4 && fields[4] == "kB";
      Emit(host, fields[2], model::MetricType::kGauge,
           static_cast<double>(*value) * (kibibytes ? kKibibyte : 1), node, scrape);
    }
  }
}

base::Result<void> CollectMeminfoNuma(Context& host, Scrape& scrape) {
  ASSIGN_OR_RETURN(const std::vector<std::string> entries, host.sys.List(kFolder));
  for (const std::string& entry : entries) {
    const std::string_view node = std::string_view(entry).substr(std::min<size_t>(4, entry.size()));
    if (entry.substr(0, 4) != "node" || !ParseNumber(node)) {
      continue;
    }
    const std::string folder = fmt::format("{}/{}", kFolder, entry);
    ASSIGN_OR_RETURN(const std::string meminfo, host.sys.Read(folder + "/meminfo"));
    EmitMeminfo(host, meminfo, node, scrape);
    ASSIGN_OR_RETURN(const std::string numastat, host.sys.Read(folder + "/numastat"));
    for (const auto& [name, value] : ParseNamedNumbers(numastat)) {
      Emit(host, name, model::MetricType::kCounter, static_cast<double>(value), node, scrape);
    }
  }
  return {};
}

}  // namespace

extern constexpr HostCollector kMeminfoNumaCollector{.name = "meminfo_numa",
                                                     .help = "Memory by NUMA node.",
                                                     .enabled_by_default = false,
                                                     .collect = CollectMeminfoNuma};

}  // namespace exporters::host
