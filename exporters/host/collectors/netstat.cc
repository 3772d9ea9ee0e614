// Protocol counters of /proc/net/netstat, snmp and snmp6, as --collector.netstat.fields chooses.
// In the first two each protocol has two lines, names and values:
//   TcpExt: SyncookiesSent SyncookiesRecv …
//   TcpExt: 0 0 …
#include <algorithm>

#include <fmt/format.h>

#include "exporters/host/context.h"
#include "exporters/host/parsers.h"
#include "exporters/host/text.h"
#include "lib/base/strings.h"

namespace exporters::host {
namespace {

constexpr size_t kUsualFields = 160;  // Of a file; today's kernels have 150 in the longest.

model::DescPtr MakeDesc(const Filter& filter, const ProtocolField& field) {
  const std::string key = fmt::format("{}_{}", field.protocol, field.name);
  if (!filter.Accepts(key)) {
    return nullptr;
  }
  return model::DynamicDesc::Make(
      {.name = fmt::format("node_netstat_{}", key),
       .help = fmt::format("The kernel's {} counter {}.", field.protocol, field.name),
       .type = model::MetricType::kUntyped});
}

// Fields of one protocol follow each other.
void EmitFields(Context& host, const std::vector<ProtocolField>& fields, Scrape& scrape) {
  FieldDescs* descs = nullptr;
  size_t first = 0;
  for (size_t i = 0; i < fields.size(); ++i) {
    const ProtocolField& field = fields[i];
    if (i == 0 || field.protocol != fields[i - 1].protocol) {
      descs = &host.netstat_descs[std::string(field.protocol)];
      first = i;
    }
    const model::DescPtr& desc = descs->Get(
        i - first, field.name, [&] { return MakeDesc(host.filters.netstat_fields, field); });
    if (desc) {
      scrape.Emit(desc, static_cast<double>(field.value));
    }
  }
}

base::Result<void> CollectNetstat(Context& host, Scrape& scrape) {
  for (const std::string_view file : {"net/netstat", "net/snmp"}) {
    ASSIGN_OR_RETURN(const std::string text, host.proc.ReadOnce(file));
    ASSIGN_OR_RETURN(const std::vector<ProtocolField> fields, ParseNetstat(text));
    EmitFields(host, fields, scrape);
  }
  // Absent without IPv6.
  if (const auto text = host.proc.ReadOnce("net/snmp6"); text.ok()) {
    EmitFields(host, ParseSnmp6(*text), scrape);
  }
  return {};
}

}  // namespace

base::Result<std::vector<ProtocolField>> ParseNetstat(std::string_view text) {
  std::vector<ProtocolField> fields;
  fields.reserve(kUsualFields);
  while (!text.empty()) {
    std::string_view names = NextLine(&text);
    std::string_view values = NextLine(&text);
    const std::string_view protocol = NextField(&names);
    if (protocol.empty()) {
      continue;
    }
    if (protocol.back() != ':' || NextField(&values) != protocol) {
      return base::Error(fmt::format("netstat: a line of values for {} expected", protocol),
                         base::ErrorKind::kInvalidArgument);
    }
    for (std::string_view name = NextField(&names); !name.empty(); name = NextField(&names)) {
      const auto value = base::ParseInt(NextField(&values));
      if (!value) {
        return base::Error(fmt::format("netstat: {} {} has no number", protocol, name),
                           base::ErrorKind::kInvalidArgument);
      }
      fields.push_back(
          {.protocol = protocol.substr(0, protocol.size() - 1), .name = name, .value = *value});
    }
  }
  return fields;
}

std::vector<ProtocolField> ParseSnmp6(std::string_view text) {
  std::vector<ProtocolField> fields;
  while (!text.empty()) {
    std::string_view line = NextLine(&text);
    const std::string_view name = NextField(&line);
    const size_t six = name.find('6');
    const auto value = base::ParseInt(NextField(&line));
    if (six != std::string_view::npos && value) {
      fields.push_back(
          {.protocol = name.substr(0, six + 1), .name = name.substr(six + 1), .value = *value});
    }
  }
  return fields;
}

extern constexpr HostCollector kNetstatCollector{
    .name = "netstat", .help = "Counters of IP, ICMP, TCP and UDP.", .collect = CollectNetstat};

}  // namespace exporters::host
