// Bonded network devices: how many members each has, and how many of them are up.
#include <fmt/format.h>

#include "exporters/host/context.h"
#include "exporters/host/text.h"

namespace exporters::host {
namespace {

constexpr model::MetricDesc kMembers{.name = "node_bonding_slaves",
                                     .help = "Devices configured into the bond.",
                                     .labels = {"master"}};
constexpr model::MetricDesc kActive{.name = "node_bonding_active",
                                    .help = "Devices of the bond whose link is up.",
                                    .labels = {"master"}};

bool IsUp(Context& host, std::string_view bond, std::string_view member) {
  for (const std::string_view prefix : {"lower_", "slave_"}) {
    const auto status = host.sys.ReadText(
        fmt::format("class/net/{}/{}{}/bonding_slave/mii_status", bond, prefix, member));
    if (status.ok()) {
      return *status == "up";
    }
  }
  return false;
}

base::Result<void> CollectBonding(Context& host, Scrape& scrape) {
  ASSIGN_OR_RETURN(const std::string bonds, host.sys.ReadText("class/net/bonding_masters"));
  for (const std::string_view bond : SplitFields(bonds)) {
    ASSIGN_OR_RETURN(const std::string text,
                     host.sys.ReadText(fmt::format("class/net/{}/bonding/slaves", bond)));
    const auto members = SplitFields(text);
    size_t active = 0;
    for (const std::string_view member : members) {
      if (IsUp(host, bond, member)) {
        ++active;
      }
    }
    scrape.Emit(kMembers, static_cast<double>(members.size()), {bond});
    scrape.Emit(kActive, static_cast<double>(active), {bond});
  }
  return {};
}

}  // namespace

extern constexpr HostCollector kBondingCollector{
    .name = "bonding", .help = "Members of bonded network devices.", .collect = CollectBonding};

}  // namespace exporters::host
