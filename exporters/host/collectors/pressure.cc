// Pressure stall information: how long tasks waited for a resource. A file of /proc/pressure is
//   some avg10=0.00 avg60=0.00 avg300=0.00 total=141573981
//   full avg10=0.00 avg60=0.00 avg300=0.00 total=0
// with totals in microseconds. For the CPU the system-wide "full" means nothing; for interrupts
// there is no "some".
#include <fmt/format.h>

#include "exporters/host/context.h"
#include "exporters/host/parsers.h"
#include "exporters/host/text.h"

namespace exporters::host {
namespace {

using model::MetricDesc;
using model::MetricType;

struct Resource {
  std::string_view file;
  std::optional<MetricDesc> some;
  std::optional<MetricDesc> full;
};

constexpr MetricDesc Counter(std::string_view name, std::string_view help) {
  return {.name = name, .help = help, .type = MetricType::kCounter};
}

constexpr Resource kResources[] = {
    {.file = "cpu",
     .some = Counter("node_pressure_cpu_waiting_seconds_total",
                     "Time during which some task waited for a CPU."),
     .full = std::nullopt},
    {.file = "io",
     .some = Counter("node_pressure_io_waiting_seconds_total",
                     "Time during which some task waited for I/O."),
     .full = Counter("node_pressure_io_stalled_seconds_total",
                     "Time during which every task that could run waited for I/O.")},
    {.file = "memory",
     .some = Counter("node_pressure_memory_waiting_seconds_total",
                     "Time during which some task waited for memory."),
     .full = Counter("node_pressure_memory_stalled_seconds_total",
                     "Time during which every task that could run waited for memory.")},
    {.file = "irq",
     .some = std::nullopt,
     .full = Counter("node_pressure_irq_stalled_seconds_total",
                     "Time during which interrupts kept every task from running.")},
};

constexpr double kMicroseconds = 1e6;

void EmitIf(const std::optional<MetricDesc>& desc, const std::optional<uint64_t>& total,
            Scrape& scrape) {
  if (desc && total) {
    scrape.Emit(*desc, static_cast<double>(*total) / kMicroseconds);
  }
}

// A kernel may have some of the files: irq came with Linux 6.1 and is a build option.
base::Result<void> CollectPressure(Context& host, Scrape& scrape) {
  size_t read = 0;
  base::Result<void> failure;
  for (const Resource& resource : kResources) {
    const auto text = host.proc.ReadOnce(fmt::format("pressure/{}", resource.file));
    if (!text.ok()) {
      if (text.error().kind() != base::ErrorKind::kNotFound || read == 0) {
        failure = text.error();
      }
      continue;
    }
    ASSIGN_OR_RETURN(const Pressure pressure, ParsePressure(*text));
    EmitIf(resource.some, pressure.some, scrape);
    EmitIf(resource.full, pressure.full, scrape);
    ++read;
  }
  return failure;
}

}  // namespace

base::Result<Pressure> ParsePressure(std::string_view text) {
  Pressure pressure;
  while (!text.empty()) {
    std::string_view line = NextLine(&text);
    const std::string_view kind = NextField(&line);
    const size_t total = line.find("total=");
    if (kind.empty() || total == std::string_view::npos) {
      continue;
    }
    (kind == "some" ? pressure.some : pressure.full) = ParseNumber(line.substr(total + 6));
  }
  if (!pressure.some && !pressure.full) {
    return base::Error("pressure: lines with total= expected", base::ErrorKind::kInvalidArgument);
  }
  return pressure;
}

extern constexpr HostCollector kPressureCollector{
    .name = "pressure",
    .help = "Time lost waiting for CPU, I/O, memory and interrupts (PSI).",
    .collect = CollectPressure};

}  // namespace exporters::host
