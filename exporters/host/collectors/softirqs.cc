// Deferred work of interrupts by CPU, /proc/softirqs: a line of CPUs, then "TIMER: 5 6".
#include "exporters/host/context.h"
#include "exporters/host/text.h"

namespace exporters::host {
namespace {

constexpr model::MetricDesc kSoftirqs{.name = "node_softirqs_functions_total",
                                      .help = "Softirqs run.",
                                      .type = model::MetricType::kCounter,
                                      .labels = {"cpu", "type"}};

base::Result<void> CollectSoftirqs(Context& host, Scrape& scrape) {
  ASSIGN_OR_RETURN(const std::string content, host.proc.ReadLong("softirqs"));
  std::string_view text = content;
  NextLine(&text);
  while (!text.empty()) {
    std::string_view line = NextLine(&text);
    std::string_view type = NextField(&line);
    if (type.empty() || type.back() != ':') {
      continue;
    }
    type.remove_suffix(1);
    for (size_t cpu = 0;; ++cpu) {
      const auto count = ParseNumber(NextField(&line));
      if (!count) {
        break;
      }
      scrape.Emit(kSoftirqs, static_cast<double>(*count), {std::to_string(cpu), type});
    }
  }
  return {};
}

}  // namespace

extern constexpr HostCollector kSoftirqsCollector{.name = "softirqs",
                                                  .help = "Softirqs by CPU and kind.",
                                                  .enabled_by_default = false,
                                                  .collect = CollectSoftirqs};

}  // namespace exporters::host
