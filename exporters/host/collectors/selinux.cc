// SELinux: whether it is on, what is configured and what is in force (1 enforcing, 0 permissive,
// -1 disabled).
#include <fmt/format.h>

#include "exporters/host/context.h"
#include "exporters/host/text.h"
#include "lib/base/strings.h"

namespace exporters::host {
namespace {

constexpr model::MetricDesc kEnabled{.name = "node_selinux_enabled",
                                     .help = "Whether SELinux is enabled."};
constexpr model::MetricDesc kConfigured{
    .name = "node_selinux_config_mode",
    .help = "The configured mode: 1 enforcing, 0 permissive, -1 disabled."};
constexpr model::MetricDesc kCurrent{.name = "node_selinux_current_mode",
                                     .help = "The mode in force: 1 enforcing, 0 permissive."};

// "SELINUX=enforcing" of /etc/selinux/config.
std::optional<double> ConfiguredMode(std::string_view config) {
  constexpr std::pair<std::string_view, double> kModes[] = {
      {"enforcing", 1}, {"permissive", 0}, {"disabled", -1}};
  constexpr std::string_view kKey = "SELINUX=";
  while (!config.empty()) {
    const std::string_view line = base::TrimSpace(NextLine(&config));
    for (const auto& [name, value] : kModes) {
      if (line.substr(0, kKey.size()) == kKey && line.substr(kKey.size()) == name) {
        return value;
      }
    }
  }
  return std::nullopt;
}

base::Result<void> CollectSelinux(Context& host, Scrape& scrape) {
  const auto enforcing = host.sys.ReadInt("fs/selinux/enforce");
  scrape.Emit(kEnabled, enforcing ? 1 : 0);
  if (!enforcing) {
    return {};
  }
  scrape.Emit(kCurrent, static_cast<double>(*enforcing));
  const auto config = base::ReadFile(host.root.Path("etc/selinux/config"));
  if (const auto mode = ConfiguredMode(config.ok() ? *config : "")) {
    scrape.Emit(kConfigured, *mode);
  }
  return {};
}

}  // namespace

extern constexpr HostCollector kSelinuxCollector{
    .name = "selinux", .help = "Whether SELinux is on and enforcing.", .collect = CollectSelinux};

}  // namespace exporters::host
