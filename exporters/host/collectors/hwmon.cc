// Sensors: temperatures, fans, voltages, currents, powers. /sys/class/hwmon/hwmonN/temp1_input is
// the "input" of sensor temp1 in 1/1000 °C; see the kernel's Documentation/hwmon/sysfs-interface.
// Some buses answer in seconds: what took long is not read again for a while.
#include <algorithm>
#include <cctype>
#include <map>

#include <fmt/format.h>
#include <limits.h>
#include <stdlib.h>

#include "exporters/host/context.h"
#include "exporters/host/parsers.h"
#include "exporters/host/text.h"
#include "lib/base/strings.h"

namespace exporters::host {
namespace {

using model::MetricDesc;

constexpr MetricDesc kChipNames{.name = "node_hwmon_chip_names",
                                .help = "What the chip calls itself. Always 1.",
                                .labels = {"chip", "chip_name"}};
constexpr MetricDesc kSensorLabel{.name = "node_hwmon_sensor_label",
                                  .help = "What the sensor measures. Always 1.",
                                  .labels = {"chip", "label", "sensor"}};

constexpr std::string_view kFolder = "class/hwmon";
constexpr std::chrono::milliseconds kSlow{10};

constexpr std::string_view kTypes[] = {
    "beep_enable", "cpu", "curr", "energy",          "fan", "humidity", "in", "intrusion",
    "power",       "pwm", "temp", "update_interval", "vrm"};

// How the number of a property becomes a metric: the first row that matches. "*" is any property.
struct Rule {
  std::string_view type;
  std::string_view property;
  std::string_view suffix;  // After node_hwmon_TYPE[_PROPERTY].
  double factor = 1;
  std::string_view name = {};  // The whole of what follows node_hwmon_, instead.
  bool counter = false;
};
constexpr Rule kRules[] = {
    {"beep_enable", "*", "", 1, "beep_enabled"},
    {"vrm", "*", "", 1, "voltage_regulator_version"},
    {"update_interval", "*", "", 1e-3, "update_interval_seconds"},
    {"*", "fault", ""},
    {"*", "alarm", ""},
    {"*", "beep", "_enabled"},
    {"in", "*", "_volts", 1e-3},
    {"cpu", "*", "_volts", 1e-3},
    {"temp", "type", ""},
    // Truth values, whatever their name says: the official exporter shows them divided by 1000.
    {"temp", "crit_alarm", "_celsius"},
    {"temp", "emergency_alarm", "_celsius"},
    {"temp", "lcrit_alarm", "_celsius"},
    {"temp", "max_alarm", "_celsius"},
    {"temp", "min_alarm", "_celsius"},
    {"temp", "*", "_celsius", 1e-3},
    {"curr", "*", "_amps", 1e-3},
    {"energy", "*", "_joule_total", 1e-6, "", true},
    {"power", "accuracy", "", 1e-6},
    {"power", "average_interval", "_seconds", 1e-3},
    {"power", "average_interval_min", "_seconds", 1e-3},
    {"power", "average_interval_max", "_seconds", 1e-3},
    {"power", "*", "_watt", 1e-6},
    {"humidity", "*", "", 1e-6},
    {"fan", "input", "_rpm"},
    {"fan", "min", "_rpm"},
    {"fan", "max", "_rpm"},
    {"fan", "target", "_rpm"},
    {"*", "*", ""},
};

const Rule& FindRule(const SensorFile& file) {
  return *std::find_if(std::begin(kRules), std::end(kRules), [&file](const Rule& rule) {
    return (rule.type == "*" || rule.type == file.type) &&
           (rule.property == "*" || rule.property == file.property);
  });
}

// temp1_input is node_hwmon_temp_celsius: the value itself has no property in its name, unless
// there is a file without one too (pwm1 and pwm1_input).
std::string MetricName(const Rule& rule, const SensorFile& file, bool has_bare_file) {
  if (!rule.name.empty()) {
    return fmt::format("node_hwmon_{}", rule.name);
  }
  const bool shown = !file.property.empty() && (file.property != "input" || has_bare_file);
  return fmt::format("node_hwmon_{}{}{}{}", file.type, shown ? "_" : "",
                     shown ? CleanSensorName(file.property) : "", rule.suffix);
}

struct Reader {
  Context& host;
  std::vector<SensorReading>* readings;

  void ReadSensor(const std::string& folder, const std::string& chip, const std::string& name,
                  bool has_bare_file) const {
    const SensorFile file = *ParseSensorFile(name);
    const std::string sensor =
        fmt::format("{}{}", file.type, file.number.empty() ? "0" : file.number);
    if (!host.filters.hwmon_sensors.Accepts(fmt::format("{};{}", chip, sensor))) {
      return;
    }
    const auto text = host.sys.ReadText(folder + name);
    if (!text.ok()) {
      return;
    }
    if (file.property == "label") {
      readings->push_back({.chip = chip, .sensor = sensor, .label = *text});
      return;
    }
    const auto value = base::ParseDouble(*text);
    if (!value) {
      return;
    }
    const Rule& rule = FindRule(file);
    const std::string metric = MetricName(rule, file, has_bare_file);
    readings->push_back(
        {.chip = chip,
         .sensor = sensor,
         .desc = host.descs.Get(
             metric,
             [&] {
               return model::DynamicDesc::Spec{
                   .name = metric,
                   .help = fmt::format("{} of {} sensors.",
                                       file.property.empty() ? "Value" : file.property, file.type),
                   .type = rule.counter ? model::MetricType::kCounter : model::MetricType::kGauge,
                   .labels = {"chip", "sensor"}};
             }),
         .value = *value * rule.factor});
  }

  void ReadFolder(const std::string& folder, const std::string& chip) const {
    const auto files = host.sys.List(folder);
    if (!files.ok()) {
      return;
    }
    for (const std::string& name : *files) {
      const auto file = ParseSensorFile(name);
      if (file) {
        const std::string bare = fmt::format("{}{}", file->type, file->number);
        ReadSensor(folder, chip, name, std::binary_search(files->begin(), files->end(), bare));
      }
    }
  }
};

// Unique and stable: where the device is ("platform_coretemp_0"); without a device, what it calls
// itself; else the folder's name.
std::string ChipLabel(Context& host, const std::string& folder, const std::string& entry) {
  char resolved[PATH_MAX];
  if (realpath(host.sys.Path(folder + "device").c_str(), resolved) != nullptr) {
    const auto parts = base::Split(resolved, '/');
    const std::string name = CleanSensorName(parts.back());
    const std::string bus = parts.size() > 1 ? CleanSensorName(parts[parts.size() - 2]) : "";
    if (!name.empty()) {
      return bus.empty() ? name : fmt::format("{}_{}", bus, name);
    }
  }
  const std::string own = CleanSensorName(host.sys.ReadText(folder + "name").value_or(""));
  return own.empty() ? CleanSensorName(entry) : own;
}

std::vector<SensorReading> ReadAll(Context& host, const std::vector<std::string>& entries) {
  std::vector<SensorReading> readings;
  const Reader reader{.host = host, .readings = &readings};
  for (const std::string& entry : entries) {
    const std::string folder = fmt::format("{}/{}/", kFolder, entry);
    const std::string chip = ChipLabel(host, folder, entry);
    if (!host.filters.hwmon_chips.Accepts(chip)) {
      continue;
    }
    const std::string name = CleanSensorName(host.sys.ReadText(folder + "name").value_or(""));
    if (!name.empty()) {
      readings.push_back({.chip = chip, .chip_name = name});
    }
    reader.ReadFolder(folder, chip);
    reader.ReadFolder(folder + "device/", chip);  // Where old drivers keep their files.
  }
  return readings;
}

void Emit(const SensorReading& reading, Scrape& scrape) {
  if (!reading.chip_name.empty()) {
    scrape.Emit(kChipNames, 1, {reading.chip, reading.chip_name});
  } else if (!reading.desc) {
    scrape.Emit(kSensorLabel, 1, {reading.chip, reading.label, reading.sensor});
  } else {
    scrape.Emit(reading.desc, reading.value, {reading.chip, reading.sensor});
  }
}

base::Result<void> CollectHwmon(Context& host, Scrape& scrape) {
  ASSIGN_OR_RETURN(const std::vector<std::string> entries, host.sys.List(kFolder));
  const base::MonotonicTime now = host.clock.Monotonic();
  const auto start = std::chrono::steady_clock::now();
  const bool fresh = !host.sensors.value || now >= host.sensors.expires;
  const std::vector<SensorReading>& readings =
      host.sensors.Get(now, std::chrono::seconds(0), [&] { return ReadAll(host, entries); });
  if (fresh && std::chrono::steady_clock::now() - start > kSlow) {
    host.sensors.expires = now + kKeepHardware;
  }
  for (const SensorReading& reading : readings) {
    Emit(reading, scrape);
  }
  return {};
}

}  // namespace

std::optional<SensorFile> ParseSensorFile(std::string_view name) {
  for (const std::string_view type : kTypes) {
    if (name.substr(0, type.size()) != type) {
      continue;
    }
    const std::string_view rest = name.substr(type.size());
    size_t digits = rest.find_first_not_of("0123456789");
    digits = digits == std::string_view::npos ? rest.size() : digits;
    if (digits == rest.size()) {
      return SensorFile{.type = type, .number = rest, .property = {}};
    }
    if (rest[digits] == '_' && digits + 1 < rest.size()) {
      return SensorFile{
          .type = type, .number = rest.substr(0, digits), .property = rest.substr(digits + 1)};
    }
  }
  return std::nullopt;
}

std::string CleanSensorName(std::string_view name) {
  std::string clean;
  for (const char c : name) {
    const char lower = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    const bool fine =
        (lower >= 'a' && lower <= 'z') || (lower >= '0' && lower <= '9') || lower == ':';
    clean += fine ? lower : '_';
  }
  const size_t begin = clean.find_first_not_of('_');
  const size_t end = clean.find_last_not_of('_');
  return begin == std::string::npos ? std::string() : clean.substr(begin, end - begin + 1);
}

extern constexpr HostCollector kHwmonCollector{
    .name = "hwmon",
    .help = "Temperatures, fans, voltages and other sensors.",
    .collect = CollectHwmon};

}  // namespace exporters::host
