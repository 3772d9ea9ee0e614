// Packet processing of each CPU: a line of hexadecimal numbers each in /proc/net/softnet_stat. The
// CPU is in column 12; kernels before 5.10 lack it, and the line is the CPU.
#include <fmt/format.h>

#include "exporters/host/context.h"
#include "exporters/host/parsers.h"
#include "exporters/host/text.h"
#include "lib/base/strings.h"

namespace exporters::host {
namespace {

struct Column {
  size_t index;
  model::MetricDesc desc;
};

constexpr model::MetricDesc Counter(std::string_view name, std::string_view help) {
  return {.name = name, .help = help, .type = model::MetricType::kCounter, .labels = {"cpu"}};
}

constexpr Column kColumns[] = {
    {0, Counter("node_softnet_processed_total", "Packets processed.")},
    {1, Counter("node_softnet_dropped_total", "Packets dropped because the backlog was full.")},
    {2, Counter("node_softnet_times_squeezed_total",
                "How often processing ended with work left, for lack of budget or time.")},
    {8, Counter("node_softnet_cpu_collision_total",
                "How often the device's lock was taken when sending.")},
    {9, Counter("node_softnet_received_rps_total", "How often other CPUs woke this one (RPS).")},
    {10, Counter("node_softnet_flow_limit_count_total", "How often the flow limit was reached.")},
    {11,
     {.name = "node_softnet_backlog_len", .help = "Packets in the backlog.", .labels = {"cpu"}}},
};
constexpr size_t kCpuColumn = 12;
constexpr size_t kMinColumns = 9;

base::Result<void> CollectSoftnet(Context& host, Scrape& scrape) {
  ASSIGN_OR_RETURN(const std::string text, host.proc.Read("net/softnet_stat"));
  ASSIGN_OR_RETURN(const std::vector<SoftnetCpu> cpus, ParseSoftnet(text));
  for (const SoftnetCpu& cpu : cpus) {
    for (const Column& column : kColumns) {
      if (column.index < cpu.count) {
        scrape.Emit(column.desc, static_cast<double>(cpu.values[column.index]),
                    {std::to_string(cpu.cpu)});
      }
    }
  }
  return {};
}

}  // namespace

base::Result<std::vector<SoftnetCpu>> ParseSoftnet(std::string_view text) {
  std::vector<SoftnetCpu> cpus;
  while (!text.empty()) {
    std::string_view line = NextLine(&text);
    if (base::TrimSpace(line).empty()) {
      continue;
    }
    SoftnetCpu cpu{.cpu = static_cast<uint32_t>(cpus.size())};
    for (std::string_view field = NextField(&line); !field.empty() && cpu.count < cpu.values.size();
         field = NextField(&line)) {
      const auto value = ParseNumber(field, 16);
      if (!value) {
        break;
      }
      cpu.values[cpu.count++] = *value;
    }
    if (cpu.count < kMinColumns || cpus.size() >= kMaxCpus) {
      return base::Error(
          fmt::format("softnet_stat: {} hexadecimal numbers a line expected", kMinColumns),
          base::ErrorKind::kInvalidArgument);
    }
    if (cpu.count > kCpuColumn) {
      cpu.cpu = static_cast<uint32_t>(cpu.values[kCpuColumn]);
    }
    cpus.push_back(cpu);
  }
  return cpus;
}

extern constexpr HostCollector kSoftnetCollector{
    .name = "softnet",
    .help = "Packets processed and dropped by each CPU.",
    .collect = CollectSoftnet};

}  // namespace exporters::host
