// Each swap area, /proc/swaps: "/dev/sda2  partition  2097148  4096  -2", sizes in KiB.
#include "exporters/host/context.h"
#include "exporters/host/text.h"
#include "lib/base/strings.h"

namespace exporters::host {
namespace {

constexpr model::MetricDesc kSize{.name = "node_swap_size_bytes",
                                  .help = "Size of the swap area.",
                                  .labels = {"device", "swap_type"}};
constexpr model::MetricDesc kUsed{.name = "node_swap_used_bytes",
                                  .help = "How much of the swap area is in use.",
                                  .labels = {"device", "swap_type"}};
constexpr model::MetricDesc kPriority{.name = "node_swap_priority",
                                      .help = "The swap area's priority; higher is used first.",
                                      .labels = {"device", "swap_type"}};
constexpr double kKibibyte = 1024;

base::Result<void> CollectSwap(Context& host, Scrape& scrape) {
  ASSIGN_OR_RETURN(const std::string content, host.proc.Read("swaps"));
  std::string_view text = content;
  NextLine(&text);
  while (!text.empty()) {
    const auto fields = SplitFields(NextLine(&text));
    if (fields.size() < 5) {
      continue;
    }
    const auto size = ParseNumber(fields[2]);
    const auto used = ParseNumber(fields[3]);
    const auto priority = base::ParseInt(fields[4]);
    if (!size || !used || !priority) {
      return base::Error("swaps: size, use and priority expected as numbers",
                         base::ErrorKind::kInvalidArgument);
    }
    const model::LabelValues labels = {fields[0], fields[1]};
    scrape.Emit(kSize, static_cast<double>(*size) * kKibibyte, labels);
    scrape.Emit(kUsed, static_cast<double>(*used) * kKibibyte, labels);
    scrape.Emit(kPriority, static_cast<double>(*priority), labels);
  }
  return {};
}

}  // namespace

extern constexpr HostCollector kSwapCollector{.name = "swap",
                                              .help = "Size, use and priority of each swap area.",
                                              .enabled_by_default = false,
                                              .collect = CollectSwap};

}  // namespace exporters::host
