// The wall clock, its zone, and the hardware behind it.
#include <ctime>

#include <fmt/format.h>

#include "exporters/host/context.h"
#include "exporters/host/text.h"
#include "lib/base/duration.h"

namespace exporters::host {
namespace {

constexpr model::MetricDesc kSeconds{.name = "node_time_seconds",
                                     .help = "The machine's clock, as seconds since 1970."};
constexpr model::MetricDesc kZoneOffset{.name = "node_time_zone_offset_seconds",
                                        .help = "How far the local time zone is east of UTC.",
                                        .labels = {"time_zone"}};
constexpr model::MetricDesc kAvailable{.name = "node_time_clocksource_available_info",
                                       .help = "Clock sources the kernel could use. Always 1.",
                                       .labels = {"clocksource", "device"}};
constexpr model::MetricDesc kCurrent{.name = "node_time_clocksource_current_info",
                                     .help = "The clock source the kernel uses. Always 1.",
                                     .labels = {"clocksource", "device"}};

constexpr std::string_view kFolder = "devices/system/clocksource";
constexpr std::string_view kPrefix = "clocksource";

void EmitSources(Context& host, const model::MetricDesc& desc, std::string_view source,
                 std::string_view file, Scrape& scrape) {
  const auto text = host.sys.ReadText(fmt::format("{}/{}/{}", kFolder, source, file));
  if (!text.ok()) {
    return;
  }
  for (const std::string_view name : SplitFields(*text)) {
    scrape.Emit(desc, 1, {name, source.substr(kPrefix.size())});
  }
}

base::Result<void> CollectTime(Context& host, Scrape& scrape) {
  const base::WallTime now = host.clock.Now();
  scrape.Emit(kSeconds, base::ToSeconds(now.time_since_epoch()));

  const std::time_t seconds = std::chrono::system_clock::to_time_t(now);
  std::tm local{};
  localtime_r(&seconds, &local);
  // Not tm_zone: that points into libc, where the zone's name may change under another thread's
  // call.
  char zone[32];
  const size_t length = std::strftime(zone, sizeof(zone), "%Z", &local);
  scrape.Emit(kZoneOffset, static_cast<double>(local.tm_gmtoff), {std::string_view(zone, length)});

  // Linux has had exactly one since there is the folder.
  EmitSources(host, kAvailable, "clocksource0", "available_clocksource", scrape);
  EmitSources(host, kCurrent, "clocksource0", "current_clocksource", scrape);
  return {};
}

}  // namespace

extern constexpr HostCollector kTimeCollector{
    .name = "time", .help = "The clock, its zone and its hardware.", .collect = CollectTime};

}  // namespace exporters::host
