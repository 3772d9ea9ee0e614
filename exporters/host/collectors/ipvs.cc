// The kernel's load balancer: /proc/net/ip_vs_stats has sums, /proc/net/ip_vs the services and,
// below each, the servers behind it. Addresses and ports are hexadecimal:
//   TCP  C0A80016:0CEA wlc
//     -> C0A85216:0CEA      Tunnel  100    248        2
//   FWM  10001000 wlc
#include <arpa/inet.h>
#include <fmt/format.h>

#include "exporters/host/context.h"
#include "exporters/host/text.h"

namespace exporters::host {
namespace {

constexpr auto kCounter = model::MetricType::kCounter;
// In the order of the file's columns.
constexpr model::MetricDesc kTotals[] = {
    {.name = "node_ipvs_connections_total", .help = "Connections made.", .type = kCounter},
    {.name = "node_ipvs_incoming_packets_total", .help = "Packets received.", .type = kCounter},
    {.name = "node_ipvs_outgoing_packets_total", .help = "Packets sent.", .type = kCounter},
    {.name = "node_ipvs_incoming_bytes_total", .help = "Bytes received.", .type = kCounter},
    {.name = "node_ipvs_outgoing_bytes_total", .help = "Bytes sent.", .type = kCounter}};
constexpr model::LabelNames kLabels = {"local_address", "local_mark",     "local_port",
                                       "proto",         "remote_address", "remote_port"};
constexpr model::MetricDesc kWeight{
    .name = "node_ipvs_backend_weight", .help = "The server's weight.", .labels = kLabels};
constexpr model::MetricDesc kActive{.name = "node_ipvs_backend_connections_active",
                                    .help = "Connections that are established.",
                                    .labels = kLabels};
constexpr model::MetricDesc kInactive{.name = "node_ipvs_backend_connections_inactive",
                                      .help = "Connections in other states.",
                                      .labels = kLabels};

struct Service {
  std::string address, mark, port, protocol;
};

// "C0A80016:0CEA" or "[2620:…:0001]:0050"; false for anything else.
bool ParseAddress(std::string_view text, std::string* address, std::string* port) {
  const size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) {
    return false;
  }
  const auto number = ParseNumber(text.substr(colon + 1), 16);
  const std::string_view host = text.substr(0, colon);
  if (!number || host.empty()) {
    return false;
  }
  *port = std::to_string(*number);
  if (host.front() == '[') {
    const std::string plain(host.substr(1, host.size() - 2));
    in6_addr six{};
    char shown[INET6_ADDRSTRLEN];
    if (inet_pton(AF_INET6, plain.c_str(), &six) != 1) {
      return false;
    }
    *address = inet_ntop(AF_INET6, &six, shown, sizeof(shown));
    return true;
  }
  const auto four = ParseNumber(host, 16);
  if (!four || host.size() != 8) {
    return false;
  }
  *address =
      fmt::format("{}.{}.{}.{}", *four >> 24, *four >> 16 & 255, *four >> 8 & 255, *four & 255);
  return true;
}

void EmitServers(std::string_view text, Scrape& scrape) {
  Service service;
  while (!text.empty()) {
    const auto fields = SplitFields(NextLine(&text));
    if (fields.size() < 2) {
      continue;
    }
    if (fields[0] == "TCP" || fields[0] == "UDP" || fields[0] == "SCTP") {
      service = {.protocol = std::string(fields[0])};
      ParseAddress(fields[1], &service.address, &service.port);
    } else if (fields[0] == "FWM") {
      service = {.mark = std::string(fields[1]), .port = "0", .protocol = "FWM"};
    }
    std::string address;
    std::string port;
    if (fields[0] != "->" || fields.size() < 6 || !ParseAddress(fields[1], &address, &port)) {
      continue;
    }
    const std::pair<const model::MetricDesc*, std::string_view> values[] = {
        {&kWeight, fields[3]}, {&kActive, fields[4]}, {&kInactive, fields[5]}};
    for (const auto& [desc, field] : values) {
      if (const auto value = ParseNumber(field)) {
        scrape.Emit(*desc, static_cast<double>(*value),
                    {service.address, service.mark, service.port, service.protocol, address, port});
      }
    }
  }
}

base::Result<void> CollectIpvs(Context& host, Scrape& scrape) {
  ASSIGN_OR_RETURN(const std::string content, host.proc.Read("net/ip_vs_stats"));
  std::string_view text = content;
  NextLine(&text);
  NextLine(&text);
  std::string_view line = NextLine(&text);
  for (const model::MetricDesc& desc : kTotals) {
    const auto value = ParseNumber(NextField(&line), 16);
    if (!value) {
      return base::Error("net/ip_vs_stats: five hexadecimal numbers expected in the third line",
                         base::ErrorKind::kInvalidArgument);
    }
    scrape.Emit(desc, static_cast<double>(*value));
  }
  ASSIGN_OR_RETURN(const std::string servers, host.proc.Read("net/ip_vs"));
  EmitServers(servers, scrape);
  return {};
}

}  // namespace

extern constexpr HostCollector kIpvsCollector{
    .name = "ipvs", .help = "The kernel's load balancer.", .collect = CollectIpvs};

}  // namespace exporters::host
