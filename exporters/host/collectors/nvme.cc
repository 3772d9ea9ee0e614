// What the NVMe controllers are.
#include <fmt/format.h>

#include "exporters/host/context.h"
#include "lib/base/strings.h"

namespace exporters::host {
namespace {

constexpr model::MetricDesc kInfo{
    .name = "node_nvme_info",
    .help = "Model, firmware and state of the NVMe controller. Always 1.",
    .labels = {"device", "firmware_revision", "model", "serial", "state"}};

base::Result<void> CollectNvme(Context& host, Scrape& scrape) {
  ASSIGN_OR_RETURN(const std::vector<std::string> devices, host.sys.List("class/nvme"));
  for (const std::string& device : devices) {
    const auto read = [&](std::string_view file) {
      const auto text = host.sys.ReadText(fmt::format("class/nvme/{}/{}", device, file));
      return text.ok() ? std::string(base::TrimSpace(*text)) : std::string();
    };
    scrape.Emit(kInfo, 1,
                {device, read("firmware_rev"), read("model"), read("serial"), read("state")});
  }
  return {};
}

}  // namespace

extern constexpr HostCollector kNvmeCollector{
    .name = "nvme", .help = "NVMe controllers.", .collect = CollectNvme};

}  // namespace exporters::host
