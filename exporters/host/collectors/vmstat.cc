// Paging, faults and OOM kills: the fields of /proc/vmstat that --collector.vmstat.fields chooses.
#include <fmt/format.h>

#include "exporters/host/context.h"
#include "exporters/host/parsers.h"
#include "exporters/host/text.h"

namespace exporters::host {
namespace {

base::Result<void> CollectVmstat(Context& host, Scrape& scrape) {
  ASSIGN_OR_RETURN(const std::string text, host.proc.Read("vmstat"));
  for (const auto& [name, value] : ParseNamedNumbers(text)) {
    if (!host.filters.vmstat_fields.Accepts(name)) {
      continue;
    }
    const std::string metric = fmt::format("node_vmstat_{}", name);
    const model::DescPtr& desc = host.descs.Get(metric, [&, field = name] {
      return model::DynamicDesc::Spec{.name = metric,
                                      .help = fmt::format("{} of /proc/vmstat.", field),
                                      .type = model::MetricType::kUntyped};
    });
    scrape.Emit(desc, static_cast<double>(value));
  }
  return {};
}

}  // namespace

std::vector<std::pair<std::string_view, uint64_t>> ParseNamedNumbers(std::string_view text) {
  std::vector<std::pair<std::string_view, uint64_t>> numbers;
  while (!text.empty()) {
    std::string_view line = NextLine(&text);
    const std::string_view name = NextField(&line);
    if (const auto value = ParseNumber(NextField(&line)); value && !name.empty()) {
      numbers.emplace_back(name, *value);
    }
  }
  return numbers;
}

extern constexpr HostCollector kVmstatCollector{
    .name = "vmstat",
    .help = "Paging, page faults, swapping and OOM kills.",
    .collect = CollectVmstat};

}  // namespace exporters::host
