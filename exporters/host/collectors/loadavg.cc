// Load averages. /proc/loadavg is "0.21 0.37 0.39 1/719 19737"; the last two fields are not loads.
#include "exporters/host/context.h"
#include "exporters/host/parsers.h"
#include "exporters/host/text.h"
#include "lib/base/strings.h"

namespace exporters::host {
namespace {

constexpr model::MetricDesc kLoads[] = {
    {.name = "node_load1", .help = "Tasks running or waiting, averaged over a minute."},
    {.name = "node_load5", .help = "Tasks running or waiting, averaged over 5 minutes."},
    {.name = "node_load15", .help = "Tasks running or waiting, averaged over 15 minutes."}};

base::Result<void> CollectLoadavg(Context& host, Scrape& scrape) {
  ASSIGN_OR_RETURN(const std::string text, host.proc.ReadOnce("loadavg"));
  ASSIGN_OR_RETURN(const auto loads, ParseLoadavg(text));
  for (size_t i = 0; i < loads.size(); ++i) {
    scrape.Emit(kLoads[i], loads[i]);
  }
  return {};
}

}  // namespace

base::Result<std::array<double, 3>> ParseLoadavg(std::string_view text) {
  std::array<double, 3> loads{};
  for (double& load : loads) {
    const auto value = base::ParseDouble(NextField(&text));
    if (!value) {
      return base::Error("loadavg: three numbers expected", base::ErrorKind::kInvalidArgument);
    }
    load = *value;
  }
  return loads;
}

extern constexpr HostCollector kLoadavgCollector{
    .name = "loadavg", .help = "Load averages.", .collect = CollectLoadavg};

}  // namespace exporters::host
