// Energy used, by the zones of /sys/class/powercap: intel-rapl:0 (package-0), intel-rapl:0:0
// (core). energy_uj is root's since it can tell secrets of other programs.
#include <map>

#include <fmt/format.h>

#include "exporters/host/context.h"
#include "exporters/host/text.h"

namespace exporters::host {
namespace {

constexpr double kMicro = 1e-6;

std::string MetricPart(std::string_view name) {
  std::string part(name);
  for (char& c : part) {
    const bool fine = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    c = fine ? c : '_';
  }
  return part;
}

// "package-0" is number 0 of the packages; where the name has no number, zones are counted.
std::pair<std::string, std::string> NameAndIndex(const std::string& name,
                                                 std::map<std::string, size_t>* counts) {
  const size_t dash = name.rfind('-');
  if (dash != std::string::npos && ParseNumber(std::string_view(name).substr(dash + 1))) {
    return {name.substr(0, dash), name.substr(dash + 1)};
  }
  return {name, std::to_string((*counts)[name]++)};
}

base::Result<void> CollectRapl(Context& host, Scrape& scrape) {
  ASSIGN_OR_RETURN(const std::vector<std::string> zones, host.sys.List("class/powercap"));
  std::map<std::string, size_t> counts;
  size_t shown = 0;
  for (const std::string& zone : zones) {
    const std::string folder = fmt::format("class/powercap/{}", zone);
    const auto zone_name = host.sys.ReadText(folder + "/name");
    if (zone.find(':') == std::string::npos || !zone_name.ok()) {
      continue;  // The control type itself.
    }
    const auto [name, index] = NameAndIndex(*zone_name, &counts);
    const auto microjoules = host.sys.ReadInt(folder + "/energy_uj");
    if (!microjoules) {
      continue;
    }
    const std::string metric = fmt::format("node_rapl_{}_joules_total", MetricPart(name));
    const model::DescPtr& desc = host.descs.Get(metric, [&, part = name] {
      return model::DynamicDesc::Spec{.name = metric,
                                      .help = fmt::format("Energy that {} used.", part),
                                      .type = model::MetricType::kCounter,
                                      .labels = {"index", "path"}};
    });
    scrape.Emit(desc, static_cast<double>(*microjoules) * kMicro, {index, host.sys.Path(folder)});
    ++shown;
  }
  return shown > 0 ? base::Result<void>()
                   : base::Error("class/powercap: no zone whose energy may be read",
                                 base::ErrorKind::kNotFound);
}

}  // namespace

extern constexpr HostCollector kRaplCollector{
    .name = "rapl", .help = "Energy used by the processors.", .collect = CollectRapl};

}  // namespace exporters::host
