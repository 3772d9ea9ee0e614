// Hardware watchdogs: what they are, and when they would reset the machine.
#include <fmt/format.h>

#include "exporters/host/context.h"

namespace exporters::host {
namespace {

using model::MetricDesc;

struct Row {
  std::string_view file;
  MetricDesc desc;
};
constexpr MetricDesc Gauge(std::string_view name, std::string_view help) {
  return {.name = name, .help = help, .labels = {"name"}};
}
constexpr Row kRows[] = {
    {"access_cs0", Gauge("node_watchdog_access_cs0", "Whether the first boot image is selected.")},
    {"bootstatus", Gauge("node_watchdog_bootstatus", "Why the machine booted, as bits (WDIOF_*).")},
    {"fw_version", Gauge("node_watchdog_fw_version", "Version of the watchdog's firmware.")},
    {"nowayout", Gauge("node_watchdog_nowayout", "Whether it cannot be stopped once started.")},
    {"pretimeout",
     Gauge("node_watchdog_pretimeout_seconds", "How long before the reset it warns.")},
    {"timeleft", Gauge("node_watchdog_timeleft_seconds", "How long until it resets the machine.")},
    {"timeout", Gauge("node_watchdog_timeout_seconds", "How long it waits to be fed.")},
};
constexpr MetricDesc kInfo{
    .name = "node_watchdog_info",
    .help = "What the watchdog is and does. Always 1.",
    .labels = {"identity", "name", "options", "pretimeout_governor", "state", "status"}};

base::Result<void> CollectWatchdog(Context& host, Scrape& scrape) {
  ASSIGN_OR_RETURN(const std::vector<std::string> names, host.sys.List("class/watchdog"));
  for (const std::string& name : names) {
    const std::string folder = fmt::format("class/watchdog/{}/", name);
    for (const Row& row : kRows) {
      if (const auto value = host.sys.ReadInt(folder + std::string(row.file))) {
        scrape.Emit(row.desc, static_cast<double>(*value), {name});
      }
    }
    const auto read = [&](std::string_view file) {
      return host.sys.ReadText(folder + std::string(file)).value_or("");
    };
    scrape.Emit(kInfo, 1,
                {read("identity"), name, read("options"), read("pretimeout_governor"),
                 read("state"), read("status")});
  }
  return {};
}

}  // namespace

extern constexpr HostCollector kWatchdogCollector{
    .name = "watchdog", .help = "Hardware watchdogs.", .collect = CollectWatchdog};

}  // namespace exporters::host
