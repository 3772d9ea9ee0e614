// Batteries and power adapters. sysfs has voltages, currents, energies and powers in millionths,
// temperatures in tenths.
#include <algorithm>

#include <fmt/format.h>

#include "exporters/host/context.h"
#include "lib/base/strings.h"

namespace exporters::host {
namespace {

constexpr double kMicro = 1e-6;
constexpr double kTenths = 0.1;

struct Attribute {
  std::string_view file;
  std::string_view metric;  // After node_power_supply_.
  double factor = 1;
};
constexpr Attribute kAttributes[] = {
    {"authentic", "authentic"},
    {"calibrate", "calibrate"},
    {"capacity", "capacity"},
    {"capacity_alert_max", "capacity_alert_max"},
    {"capacity_alert_min", "capacity_alert_min"},
    {"charge_avg", "charge_avg", kMicro},
    {"charge_control_limit", "charge_control_limit"},
    {"charge_control_limit_max", "charge_control_limit_max"},
    {"charge_counter", "charge_counter", kMicro},
    {"charge_empty", "charge_empty", kMicro},
    {"charge_empty_design", "charge_empty_design", kMicro},
    {"charge_full", "charge_full", kMicro},
    {"charge_full_design", "charge_full_design", kMicro},
    {"charge_now", "charge_ampere", kMicro},
    {"charge_term_current", "charge_term_current", kMicro},
    {"constant_charge_current", "constant_charge_current", kMicro},
    {"constant_charge_current_max", "constant_charge_current_max", kMicro},
    {"constant_charge_voltage", "constant_charge_voltage", kMicro},
    {"constant_charge_voltage_max", "constant_charge_voltage_max", kMicro},
    {"current_avg", "current_avg", kMicro},
    {"current_boot", "current_boot", kMicro},
    {"current_max", "current_max", kMicro},
    {"current_now", "current_ampere", kMicro},
    {"cycle_count", "cyclecount"},
    {"energy_avg", "energy_avg", kMicro},
    {"energy_empty", "energy_empty", kMicro},
    {"energy_empty_design", "energy_empty_design", kMicro},
    {"energy_full", "energy_full", kMicro},
    {"energy_full_design", "energy_full_design", kMicro},
    {"energy_now", "energy_watthour", kMicro},
    {"input_current_limit", "input_current_limit", kMicro},
    {"online", "online"},
    {"power_avg", "power_avg", kMicro},
    {"power_now", "power_watt", kMicro},
    {"precharge_current", "precharge_current", kMicro},
    {"present", "present"},
    {"temp", "temp_celsius", kTenths},
    {"temp_alert_max", "temp_alert_max_celsius", kTenths},
    {"temp_alert_min", "temp_alert_min_celsius", kTenths},
    {"temp_ambient", "temp_ambient_celsius", kTenths},
    {"temp_ambient_max", "temp_ambient_max_celsius", kTenths},
    {"temp_ambient_min", "temp_ambient_min_celsius", kTenths},
    {"temp_max", "temp_max_celsius", kTenths},
    {"temp_min", "temp_min_celsius", kTenths},
    {"time_to_empty_avg", "time_to_empty_avg_seconds"},
    {"time_to_empty_now", "time_to_empty_seconds"},
    {"time_to_full_avg", "time_to_full_avg_seconds"},
    {"time_to_full_now", "time_to_full_seconds"},
    {"voltage_avg", "voltage_avg", kMicro},
    {"voltage_boot", "voltage_boot", kMicro},
    {"voltage_max", "voltage_max", kMicro},
    {"voltage_max_design", "voltage_max_design", kMicro},
    {"voltage_min", "voltage_min", kMicro},
    {"voltage_min_design", "voltage_min_design", kMicro},
    {"voltage_now", "voltage_volt", kMicro},
    {"voltage_ocv", "voltage_ocv", kMicro},
};

constexpr model::MetricDesc kInfo{
    .name = "node_power_supply_info",
    .help = "What the power supply is, and its state in words. Always 1.",
    .labels = {"capacity_level", "charge_type", "health", "manufacturer", "model_name",
               "power_supply", "scope", "serial_number", "status", "technology", "type",
               "usb_type"}};

base::Result<void> CollectSupply(Context& host, const std::string& supply, Scrape& scrape) {
  const std::string folder = fmt::format("class/power_supply/{}/", supply);
  ASSIGN_OR_RETURN(const std::vector<std::string> files, host.sys.List(folder));
  const auto has = [&files](std::string_view file) {
    return std::binary_search(files.begin(), files.end(), file);
  };
  for (const Attribute& attribute : kAttributes) {
    const std::string path = folder + std::string(attribute.file);
    const auto value = has(attribute.file) ? host.sys.ReadInt(path) : std::nullopt;
    if (value) {
      const model::DescPtr& desc = host.descs.Get(attribute.metric, [&attribute] {
        return model::DynamicDesc::Spec{
            .name = fmt::format("node_power_supply_{}", attribute.metric),
            .help = fmt::format("{} of the power supply.", attribute.file),
            .labels = {"power_supply"}};
      });
      scrape.Emit(desc, static_cast<double>(*value) * attribute.factor, {supply});
    }
  }
  model::LabelValues info;
  for (const std::string_view label : kInfo.labels) {
    const bool name = label == "power_supply";
    info.Add(name ? supply
                  : (has(label) ? host.sys.ReadText(folder + std::string(label)).value_or("")
                                : std::string()));
  }
  scrape.Emit(kInfo, 1, std::move(info));
  return {};
}

base::Result<void> CollectPowerSupplyClass(Context& host, Scrape& scrape) {
  ASSIGN_OR_RETURN(const std::vector<std::string> supplies, host.sys.List("class/power_supply"));
  for (const std::string& supply : supplies) {
    if (host.filters.power_supplies.Accepts(supply)) {
      RETURN_IF_ERROR(CollectSupply(host, supply, scrape));
    }
  }
  return {};
}

}  // namespace

extern constexpr HostCollector kPowerSupplyClassCollector{.name = "powersupplyclass",
                                                          .help = "Batteries and power adapters.",
                                                          .collect = CollectPowerSupplyClass};

}  // namespace exporters::host
