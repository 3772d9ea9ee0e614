// Interrupts by CPU, /proc/interrupts:
//              CPU0       CPU1
//     0:         35          0   IO-APIC   2-edge      timer
//   NMI:          0          0   Non-maskable interrupts
//   ERR:          0
#include "exporters/host/context.h"
#include "exporters/host/parsers.h"
#include "exporters/host/text.h"

namespace exporters::host {
namespace {

constexpr model::MetricDesc kInterrupts{.name = "node_interrupts_total",
                                        .help = "Interrupts handled.",
                                        .type = model::MetricType::kCounter,
                                        .labels = {"cpu", "devices", "info", "type"}};

std::string_view Trimmed(std::string_view text) {
  while (!text.empty() && IsBlank(text.front())) {
    text.remove_prefix(1);
  }
  while (!text.empty() && IsBlank(text.back())) {
    text.remove_suffix(1);
  }
  return text;
}

// With one space between the words.
std::string Joined(std::string_view text) {
  std::string joined;
  for (auto word = NextField(&text); !word.empty(); word = NextField(&text)) {
    joined += joined.empty() ? "" : " ";
    joined += word;
  }
  return joined;
}

base::Result<void> CollectInterrupts(Context& host, Scrape& scrape) {
  ASSIGN_OR_RETURN(const std::string text, host.proc.ReadLong("interrupts"));
  ASSIGN_OR_RETURN(const std::vector<Interrupt> interrupts, ParseInterrupts(text));
  for (const Interrupt& row : interrupts) {
    for (size_t cpu = 0; cpu < row.counts.size(); ++cpu) {
      scrape.Emit(kInterrupts, static_cast<double>(row.counts[cpu]),
                  {std::to_string(cpu), row.devices, row.info, row.type});
    }
  }
  return {};
}

}  // namespace

base::Result<std::vector<Interrupt>> ParseInterrupts(std::string_view text) {
  std::string_view heading = NextLine(&text);
  size_t cpus = 0;
  while (!NextField(&heading).empty()) {
    ++cpus;
  }
  if (cpus == 0 || cpus > kMaxCpus) {
    return base::Error("interrupts: a first line that names the CPUs expected",
                       base::ErrorKind::kInvalidArgument);
  }
  std::vector<Interrupt> interrupts;
  while (!text.empty()) {
    std::string_view line = NextLine(&text);
    Interrupt row{.type = Trimmed(NextField(&line))};
    if (row.type.empty() || row.type.back() != ':') {
      continue;
    }
    row.type.remove_suffix(1);
    while (row.counts.size() < cpus) {
      const auto count = ParseNumber(NextField(&line));
      if (!count) {
        break;
      }
      row.counts.push_back(*count);
    }
    if (row.counts.size() < cpus || Trimmed(line).empty()) {
      continue;  // ERR and MIS have one number for all CPUs.
    }
    if (ParseNumber(row.type)) {
      row.info = std::string(NextField(&line));
      row.devices = Joined(line);
    } else {
      row.info = Joined(line);
    }
    interrupts.push_back(std::move(row));
  }
  return interrupts;
}

extern constexpr HostCollector kInterruptsCollector{.name = "interrupts",
                                                    .help = "Interrupts by CPU and device.",
                                                    .enabled_by_default = false,
                                                    .collect = CollectInterrupts};

}  // namespace exporters::host
