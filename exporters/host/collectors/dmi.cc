// What the firmware says about the machine. Serial numbers are readable by root only; an attribute
// that cannot be read is no label.
#include <fmt/format.h>

#include "exporters/host/context.h"
#include "lib/base/strings.h"

namespace exporters::host {
namespace {

constexpr std::chrono::hours kKeep{1};  // It cannot change while the machine runs.

struct Attribute {
  std::string_view file;
  std::string_view label;
};
constexpr Attribute kAttributes[] = {{"bios_date", "bios_date"},
                                     {"bios_release", "bios_release"},
                                     {"bios_vendor", "bios_vendor"},
                                     {"bios_version", "bios_version"},
                                     {"board_asset_tag", "board_asset_tag"},
                                     {"board_name", "board_name"},
                                     {"board_serial", "board_serial"},
                                     {"board_vendor", "board_vendor"},
                                     {"board_version", "board_version"},
                                     {"chassis_asset_tag", "chassis_asset_tag"},
                                     {"chassis_serial", "chassis_serial"},
                                     {"chassis_vendor", "chassis_vendor"},
                                     {"chassis_version", "chassis_version"},
                                     {"product_family", "product_family"},
                                     {"product_name", "product_name"},
                                     {"product_serial", "product_serial"},
                                     {"product_sku", "product_sku"},
                                     {"product_uuid", "product_uuid"},
                                     {"product_version", "product_version"},
                                     {"sys_vendor", "system_vendor"}};
static_assert(std::size(kAttributes) <= model::LabelNames::kMax);

DmiInfo ReadDmi(Context& host) {
  DmiInfo dmi;
  model::DynamicDesc::Spec spec{.name = "node_dmi_info",
                                .help =
                                    "What the firmware (SMBIOS) says about the machine. "
                                    "Always 1."};
  for (const Attribute& attribute : kAttributes) {
    const auto text = host.sys.ReadText(fmt::format("class/dmi/id/{}", attribute.file));
    if (text.ok()) {
      spec.labels.emplace_back(attribute.label);
      dmi.values.Add(base::TrimSpace(*text));
    }
  }
  dmi.desc = spec.labels.empty() ? nullptr : model::DynamicDesc::Make(std::move(spec));
  return dmi;
}

base::Result<void> CollectDmi(Context& host, Scrape& scrape) {
  const DmiInfo& dmi =
      host.dmi.Get(host.clock.Monotonic(), kKeep, [&host] { return ReadDmi(host); });
  if (!dmi.desc) {
    return base::Error("class/dmi/id: the firmware says nothing", base::ErrorKind::kNotFound);
  }
  scrape.Emit(dmi.desc, 1, dmi.values);
  return {};
}

}  // namespace

extern constexpr HostCollector kDmiCollector{
    .name = "dmi", .help = "What the firmware says about the machine.", .collect = CollectDmi};

}  // namespace exporters::host
