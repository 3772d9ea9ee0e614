// Sockets in use: lines "TCP: inuse 8 orphan 0 tw 5 alloc 9 mem 98" of /proc/net/sockstat and
// sockstat6; mem counts pages.
#include <fmt/format.h>
#include <unistd.h>

#include "exporters/host/context.h"
#include "exporters/host/parsers.h"
#include "exporters/host/text.h"
#include "lib/base/strings.h"

namespace exporters::host {
namespace {

constexpr model::MetricDesc kUsed{.name = "node_sockstat_sockets_used",
                                  .help = "Sockets in use, of every kind."};

void EmitField(Context& host, const ProtocolField& field, std::string_view suffix, double value,
               Scrape& scrape) {
  const std::string name = fmt::format("node_sockstat_{}_{}{}", field.protocol, field.name, suffix);
  const model::DescPtr& desc = host.descs.Get(name, [&] {
    return model::DynamicDesc::Spec{
        .name = name,
        .help = fmt::format("{} sockets: {}{}.", field.protocol, field.name,
                            suffix.empty() ? "" : ", in bytes")};
  });
  scrape.Emit(desc, value);
}

void EmitFields(Context& host, const std::vector<ProtocolField>& fields, Scrape& scrape) {
  for (const ProtocolField& field : fields) {
    const auto value = static_cast<double>(field.value);
    if (field.protocol == "sockets") {
      if (field.name == "used") {
        scrape.Emit(kUsed, value);
      }
      continue;
    }
    EmitField(host, field, "", value, scrape);
    if (field.name == "mem") {
      EmitField(host, field, "_bytes", value * static_cast<double>(sysconf(_SC_PAGESIZE)), scrape);
    }
  }
}

base::Result<void> CollectSockstat(Context& host, Scrape& scrape) {
  ASSIGN_OR_RETURN(const std::string text, host.proc.ReadOnce("net/sockstat"));
  EmitFields(host, ParseSockstat(text), scrape);
  // Absent without IPv6.
  if (const auto six = host.proc.ReadOnce("net/sockstat6"); six.ok()) {
    EmitFields(host, ParseSockstat(*six), scrape);
  }
  return {};
}

}  // namespace

std::vector<ProtocolField> ParseSockstat(std::string_view text) {
  std::vector<ProtocolField> fields;
  while (!text.empty()) {
    std::string_view line = NextLine(&text);
    const std::string_view protocol = NextField(&line);
    if (protocol.size() < 2 || protocol.back() != ':') {
      continue;
    }
    for (std::string_view name = NextField(&line); !name.empty(); name = NextField(&line)) {
      if (const auto value = base::ParseInt(NextField(&line))) {
        fields.push_back(
            {.protocol = protocol.substr(0, protocol.size() - 1), .name = name, .value = *value});
      }
    }
  }
  return fields;
}

extern constexpr HostCollector kSockstatCollector{
    .name = "sockstat",
    .help = "Sockets in use and the memory they take.",
    .collect = CollectSockstat};

}  // namespace exporters::host
