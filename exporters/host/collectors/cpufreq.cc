// Clock rates and governors of the CPUs, in kHz in sysfs.
#include <fmt/format.h>

#include "exporters/host/context.h"
#include "exporters/host/parsers.h"
#include "exporters/host/text.h"

namespace exporters::host {
namespace {

using model::MetricDesc;

struct Row {
  std::string_view file;
  MetricDesc desc;
};
constexpr Row kRows[] = {
    {"cpuinfo_cur_freq",
     {.name = "node_cpu_frequency_hertz",
      .help = "Clock rate as the hardware reports it.",
      .labels = {"cpu"}}},
    {"cpuinfo_avg_freq",
     {.name = "node_cpu_frequency_avg_hertz",
      .help = "Average clock rate as the hardware reports it.",
      .labels = {"cpu"}}},
    {"cpuinfo_min_freq",
     {.name = "node_cpu_frequency_min_hertz",
      .help = "Lowest clock rate of the hardware.",
      .labels = {"cpu"}}},
    {"cpuinfo_max_freq",
     {.name = "node_cpu_frequency_max_hertz",
      .help = "Highest clock rate of the hardware.",
      .labels = {"cpu"}}},
    {"scaling_cur_freq",
     {.name = "node_cpu_scaling_frequency_hertz",
      .help = "Clock rate as the kernel set it.",
      .labels = {"cpu"}}},
    {"scaling_min_freq",
     {.name = "node_cpu_scaling_frequency_min_hertz",
      .help = "Lowest clock rate the kernel may set.",
      .labels = {"cpu"}}},
    {"scaling_max_freq",
     {.name = "node_cpu_scaling_frequency_max_hertz",
      .help = "Highest clock rate the kernel may set.",
      .labels = {"cpu"}}},
};
constexpr MetricDesc kGovernor{.name = "node_cpu_scaling_governor",
                               .help = "Which of the available governors sets the clock rate.",
                               .labels = {"cpu", "governor"}};
constexpr double kKilohertz = 1000;

void EmitGovernors(Context& host, const std::string& folder, const std::string& cpu,
                   Scrape& scrape) {
  const auto current = host.sys.ReadText(folder + "scaling_governor");
  const auto available = host.sys.ReadText(folder + "scaling_available_governors");
  if (!current.ok() || !available.ok()) {
    return;
  }
  for (const std::string_view governor : SplitFields(*available)) {
    scrape.Emit(kGovernor, governor == *current ? 1 : 0, {cpu, governor});
  }
}

base::Result<void> CollectCpufreq(Context& host, Scrape& scrape) {
  ASSIGN_OR_RETURN(const std::string present, host.sys.ReadText("devices/system/cpu/present"));
  ASSIGN_OR_RETURN(const std::vector<uint32_t> cpus, ParseCpuList(present));
  for (const uint32_t number : cpus) {
    const std::string cpu = std::to_string(number);
    const std::string folder = fmt::format("devices/system/cpu/cpu{}/cpufreq/", cpu);
    for (const Row& row : kRows) {
      if (const auto kilohertz = host.sys.ReadInt(folder + std::string(row.file))) {
        scrape.Emit(row.desc, static_cast<double>(*kilohertz) * kKilohertz, {cpu});
      }
    }
    EmitGovernors(host, folder, cpu, scrape);
  }
  return {};
}

}  // namespace

extern constexpr HostCollector kCpufreqCollector{
    .name = "cpufreq", .help = "Clock rates and governors of the CPUs.", .collect = CollectCpufreq};

}  // namespace exporters::host
