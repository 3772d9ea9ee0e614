// Paging, faults and OOM kills: the fields of /proc/vmstat that --collector.vmstat.fields chooses.
#include <algorithm>

#include <fmt/format.h>

#include "exporters/host/context.h"
#include "exporters/host/parsers.h"
#include "exporters/host/text.h"

namespace exporters::host {
namespace {

model::DescPtr MakeDesc(const Filter& filter, std::string_view field) {
  if (!filter.Accepts(field)) {
    return nullptr;
  }
  return model::DynamicDesc::Make({.name = fmt::format("node_vmstat_{}", field),
                                   .help = fmt::format("{} of /proc/vmstat.", field),
                                   .type = model::MetricType::kUntyped});
}

base::Result<void> CollectVmstat(Context& host, Scrape& scrape) {
  ASSIGN_OR_RETURN(const std::string text, host.proc.Read("vmstat"));
  const auto fields = ParseNamedNumbers(text);
  for (size_t i = 0; i < fields.size(); ++i) {
    const auto& desc = host.vmstat_descs.Get(
        i, fields[i].first, [&] { return MakeDesc(host.filters.vmstat_fields, fields[i].first); });
    if (desc) {
      scrape.Emit(desc, static_cast<double>(fields[i].second));
    }
  }
  return {};
}

}  // namespace

std::vector<std::pair<std::string_view, uint64_t>> ParseNamedNumbers(std::string_view text) {
  std::vector<std::pair<std::string_view, uint64_t>> numbers;
  numbers.reserve(static_cast<size_t>(std::count(text.begin(), text.end(), '\n')));
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
