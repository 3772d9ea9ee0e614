// Tasks that hung for longer than kernel.hung_task_timeout_secs, counted by Linux 6.13 and later.
#include "exporters/host/context.h"

namespace exporters::host {
namespace {

constexpr model::MetricDesc kTotal{.name = "node_kernel_hung_tasks_total",
                                   .help = "Tasks that hung since the machine started.",
                                   .type = model::MetricType::kCounter};
// The dashboard Node Exporter Full asks for this one.
constexpr model::MetricDesc kOldName{.name = "node_kernel_hung_tasks",
                                     .help = "node_kernel_hung_tasks_total under its other name.",
                                     .type = model::MetricType::kUntyped};

base::Result<void> CollectKernelHung(Context& host, Scrape& scrape) {
  const auto count = host.proc.ReadInt("sys/kernel/hung_task_detect_count");
  if (!count) {
    return base::Error("sys/kernel/hung_task_detect_count: this kernel does not count",
                       base::ErrorKind::kNotFound);
  }
  scrape.Emit(kTotal, static_cast<double>(*count));
  scrape.Emit(kOldName, static_cast<double>(*count));
  return {};
}

}  // namespace

extern constexpr HostCollector kKernelHungCollector{
    .name = "kernel_hung", .help = "Tasks that hung.", .collect = CollectKernelHung};

}  // namespace exporters::host
