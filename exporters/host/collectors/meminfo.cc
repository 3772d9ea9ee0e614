// /proc/meminfo, every field of it: "MemTotal:       16384256 kB", "HugePages_Total:       0".
#include <fmt/format.h>

#include "exporters/host/context.h"
#include "exporters/host/parsers.h"
#include "exporters/host/text.h"

namespace exporters::host {
namespace {

constexpr double kKilobyte = 1024;

model::DynamicDesc::Spec MakeSpec(const MemoryField& field) {
  return {.name = fmt::format("node_memory_{}{}", MemoryMetricPart(field.name),
                              field.in_kilobytes ? "_bytes" : ""),
          .help = fmt::format("{} of /proc/meminfo{}.", field.name,
                              field.in_kilobytes ? ", in bytes" : "")};
}

base::Result<void> CollectMeminfo(Context& host, Scrape& scrape) {
  ASSIGN_OR_RETURN(const std::string text, host.proc.ReadOnce("meminfo"));
  ASSIGN_OR_RETURN(const std::vector<MemoryField> fields, ParseMeminfo(text));
  for (size_t i = 0; i < fields.size(); ++i) {
    const MemoryField& field = fields[i];
    const model::DescPtr& desc = host.meminfo_descs.Get(
        i, field.name, [&field] { return model::DynamicDesc::Make(MakeSpec(field)); });
    scrape.Emit(desc, static_cast<double>(field.value) * (field.in_kilobytes ? kKilobyte : 1));
  }
  return {};
}

}  // namespace

base::Result<std::vector<MemoryField>> ParseMeminfo(std::string_view text) {
  std::vector<MemoryField> fields;
  while (!text.empty()) {
    std::string_view line = NextLine(&text);
    const size_t colon = line.find(':');
    if (colon == std::string_view::npos || colon == 0) {
      continue;
    }
    const std::string_view name = line.substr(0, colon);
    line.remove_prefix(colon + 1);
    const auto value = ParseNumber(NextField(&line));
    if (!value) {
      return base::Error(fmt::format("meminfo: {} is not followed by a number", name),
                         base::ErrorKind::kInvalidArgument);
    }
    fields.push_back({.name = name, .value = *value, .in_kilobytes = NextField(&line) == "kB"});
  }
  if (fields.empty()) {
    return base::Error("meminfo: no fields", base::ErrorKind::kInvalidArgument);
  }
  return fields;
}

std::string MemoryMetricPart(std::string_view field) {
  std::string part;
  for (const char c : field) {
    if (c == '(') {
      part += '_';
    } else if (c != ')') {
      const bool fine = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
      part += fine ? c : '_';
    }
  }
  return part;
}

extern constexpr HostCollector kMeminfoCollector{
    .name = "meminfo", .help = "Memory by use, swap, huge pages.", .collect = CollectMeminfo};

}  // namespace exporters::host
