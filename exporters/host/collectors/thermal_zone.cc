// Temperatures and cooling devices of the kernel's thermal framework, in 1/1000 °C in sysfs.
#include <fmt/format.h>

#include "exporters/host/context.h"

namespace exporters::host {
namespace {

constexpr model::MetricDesc kTemperature{.name = "node_thermal_zone_temp",
                                         .help = "Temperature of the zone in degrees Celsius.",
                                         .labels = {"type", "zone"}};
constexpr model::MetricDesc kCurrent{.name = "node_cooling_device_cur_state",
                                     .help = "How hard the device cools now.",
                                     .labels = {"name", "type"}};
constexpr model::MetricDesc kMaximum{.name = "node_cooling_device_max_state",
                                     .help = "How hard the device can cool.",
                                     .labels = {"name", "type"}};

constexpr std::string_view kZone = "thermal_zone";
constexpr std::string_view kCooler = "cooling_device";
constexpr double kMillidegrees = 1000;

void EmitInt(Context& host, const model::MetricDesc& desc, const std::string& path, double unit,
             const model::LabelValues& labels, Scrape& scrape) {
  if (const auto value = host.sys.ReadInt(path)) {
    scrape.Emit(desc, static_cast<double>(*value) / unit, labels);
  }
}

base::Result<void> CollectThermalZone(Context& host, Scrape& scrape) {
  ASSIGN_OR_RETURN(const std::vector<std::string> names, host.sys.List("class/thermal"));
  for (const std::string& name : names) {
    const std::string folder = fmt::format("class/thermal/{}/", name);
    const std::string type = host.sys.ReadText(folder + "type").value_or("");
    if (name.compare(0, kZone.size(), kZone) == 0) {
      EmitInt(host, kTemperature, folder + "temp", kMillidegrees, {type, name.substr(kZone.size())},
              scrape);
    } else if (name.compare(0, kCooler.size(), kCooler) == 0) {
      const model::LabelValues labels = {name.substr(kCooler.size()), type};
      EmitInt(host, kCurrent, folder + "cur_state", 1, labels, scrape);
      EmitInt(host, kMaximum, folder + "max_state", 1, labels, scrape);
    }
  }
  return {};
}

}  // namespace

extern constexpr HostCollector kThermalZoneCollector{.name = "thermal_zone",
                                                     .help = "Temperatures and cooling devices.",
                                                     .collect = CollectThermalZone};

}  // namespace exporters::host
