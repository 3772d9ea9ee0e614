// What the kernel does about flaws of the processor: one line a file, "Not affected", "Vulnerable…"
// or "Mitigation: …".
#include <fmt/format.h>

#include "exporters/host/context.h"
#include "lib/base/strings.h"

namespace exporters::host {
namespace {

constexpr std::string_view kFolder = "devices/system/cpu/vulnerabilities";
constexpr model::MetricDesc kInfo{.name = "node_cpu_vulnerabilities_info",
                                  .help = "What is done about a flaw of the processor. Always 1.",
                                  .labels = {"codename", "mitigation", "state"}};

struct State {
  std::string_view start;  // Of the file's line, in lower case.
  std::string_view state;
};
constexpr State kStates[] = {
    {"not affected", "not affected"}, {"mitigation", "mitigation"}, {"vulnerable", "vulnerable"}};

base::Result<void> CollectVulnerabilities(Context& host, Scrape& scrape) {
  ASSIGN_OR_RETURN(const std::vector<std::string> names, host.sys.List(kFolder));
  for (const std::string& name : names) {
    const auto text = host.sys.ReadText(fmt::format("{}/{}", kFolder, name));
    if (!text.ok()) {
      continue;
    }
    const std::string lower = base::ToLower(*text);
    for (const State& row : kStates) {
      if (lower.compare(0, row.start.size(), row.start) != 0) {
        continue;
      }
      const size_t colon = text->find(':');
      const std::string_view what = colon == std::string::npos
                                        ? std::string_view()
                                        : std::string_view(*text).substr(colon + 1);
      scrape.Emit(kInfo, 1, {name, base::TrimSpace(what), row.state});
    }
  }
  return {};
}

}  // namespace

extern constexpr HostCollector kCpuVulnerabilitiesCollector{
    .name = "cpu_vulnerabilities",
    .help = "What the kernel does about flaws of the processor.",
    .enabled_by_default = false,
    .collect = CollectVulnerabilities};

}  // namespace exporters::host
