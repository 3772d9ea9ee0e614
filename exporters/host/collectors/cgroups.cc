// How many control groups each controller has, /proc/cgroups: "memory 0 131 1".
#include "exporters/host/context.h"
#include "exporters/host/text.h"

namespace exporters::host {
namespace {

constexpr model::MetricDesc kGroups{.name = "node_cgroups_cgroups",
                                    .help = "Control groups of the controller.",
                                    .labels = {"subsys_name"}};
constexpr model::MetricDesc kEnabled{.name = "node_cgroups_enabled",
                                     .help = "Whether the controller is enabled.",
                                     .labels = {"subsys_name"}};

base::Result<void> CollectCgroups(Context& host, Scrape& scrape) {
  ASSIGN_OR_RETURN(const std::string content, host.proc.Read("cgroups"));
  for (std::string_view text = content; !text.empty();) {
    const auto fields = SplitFields(NextLine(&text));
    if (fields.size() < 4 || fields[0].front() == '#') {
      continue;
    }
    const auto groups = ParseNumber(fields[2]);
    const auto enabled = ParseNumber(fields[3]);
    if (groups && enabled) {
      scrape.Emit(kGroups, static_cast<double>(*groups), {fields[0]});
      scrape.Emit(kEnabled, static_cast<double>(*enabled), {fields[0]});
    }
  }
  return {};
}

}  // namespace

extern constexpr HostCollector kCgroupsCollector{.name = "cgroups",
                                                 .help = "How many control groups there are.",
                                                 .enabled_by_default = false,
                                                 .collect = CollectCgroups};

}  // namespace exporters::host
