// InfiniBand and Omni-Path ports, /sys/class/infiniband/DEVICE/ports/N.
#include <fmt/format.h>

#include "exporters/host/context.h"
#include "exporters/host/text.h"
#include "lib/base/strings.h"

namespace exporters::host {
namespace {

constexpr model::MetricDesc Gauge(std::string_view name, std::string_view help) {
  return {.name = name, .help = help, .labels = {"device", "port"}};
}
constexpr model::MetricDesc Counter(std::string_view name, std::string_view help) {
  return {.name = name,
          .help = help,
          .type = model::MetricType::kCounter,
          .labels = {"device", "port"}};
}

constexpr model::MetricDesc kInfo{.name = "node_infiniband_info",
                                  .help = "What the adapter is. Always 1.",
                                  .labels = {"board_id", "device", "firmware_version", "hca_type"}};
constexpr model::MetricDesc kState = Gauge(
    "node_infiniband_state_id", "0 no change, 1 down, 2 init, 3 armed, 4 active, 5 deferred.");
constexpr model::MetricDesc kPhysicalState =
    Gauge("node_infiniband_physical_state_id",
          "0 no change, 1 sleep, 2 polling, 3 disabled, 4 shift, 5 link up, 6 recover, 7 test.");
constexpr model::MetricDesc kRate =
    Gauge("node_infiniband_rate_bytes_per_second", "The most that the port can move.");
constexpr double kBytesPerGigabit = 1e9 / 8;
constexpr double kBytesPerWord = 4;  // Data is counted in words.

struct Row {
  std::string_view file;
  double scale;
  model::MetricDesc desc;
};
constexpr Row kRows[] = {
    {"excessive_buffer_overrun_errors", 1,
     Counter("node_infiniband_excessive_buffer_overrun_errors_total", "Buffers that overran.")},
    {"link_downed", 1, Counter("node_infiniband_link_downed_total", "Links lost for good.")},
    {"link_error_recovery", 1,
     Counter("node_infiniband_link_error_recovery_total", "Links that recovered from errors.")},
    {"local_link_integrity_errors", 1,
     Counter("node_infiniband_local_link_integrity_errors_total", "Too many local errors.")},
    {"multicast_rcv_packets", 1,
     Counter("node_infiniband_multicast_packets_received_total", "Multicast packets received.")},
    {"multicast_xmit_packets", 1,
     Counter("node_infiniband_multicast_packets_transmitted_total", "Multicast packets sent.")},
    {"port_rcv_constraint_errors", 1,
     Counter("node_infiniband_port_constraint_errors_received_total",
             "Packets received and dropped by rule.")},
    {"port_xmit_constraint_errors", 1,
     Counter("node_infiniband_port_constraint_errors_transmitted_total",
             "Packets not sent by rule.")},
    {"port_rcv_data", kBytesPerWord,
     Counter("node_infiniband_port_data_received_bytes_total", "Bytes received.")},
    {"port_xmit_data", kBytesPerWord,
     Counter("node_infiniband_port_data_transmitted_bytes_total", "Bytes sent.")},
    {"port_rcv_discards", 1,
     Counter("node_infiniband_port_discards_received_total", "Packets received and dropped.")},
    {"port_xmit_discards", 1,
     Counter("node_infiniband_port_discards_transmitted_total",
             "Packets dropped since the port was down or congested.")},
    {"port_rcv_errors", 1,
     Counter("node_infiniband_port_errors_received_total", "Packets received with errors.")},
    {"port_rcv_packets", 1,
     Counter("node_infiniband_port_packets_received_total", "Packets received.")},
    {"port_xmit_packets", 1,
     Counter("node_infiniband_port_packets_transmitted_total", "Packets sent.")},
    {"port_rcv_remote_physical_errors", 1,
     Counter("node_infiniband_port_receive_remote_physical_errors_total",
             "Packets that were marked as bad on their way.")},
    {"port_rcv_switch_relay_errors", 1,
     Counter("node_infiniband_port_receive_switch_relay_errors_total",
             "Packets that could not be passed on.")},
    {"port_xmit_wait", 1,
     Counter("node_infiniband_port_transmit_wait_total",
             "Ticks during which data waited to be sent.")},
    {"symbol_error", 1,
     Counter("node_infiniband_symbol_error_total", "Small errors of the physical link.")},
    {"unicast_rcv_packets", 1,
     Counter("node_infiniband_unicast_packets_received_total", "Unicast packets received.")},
    {"unicast_xmit_packets", 1,
     Counter("node_infiniband_unicast_packets_transmitted_total", "Unicast packets sent.")},
    {"VL15_dropped", 1,
     Counter("node_infiniband_vl15_dropped_total", "Management packets dropped.")}};

// "4: ACTIVE", "40 Gb/sec (4X QDR)": the number in front.
std::optional<double> LeadingNumber(std::string_view text) {
  const size_t end = text.find_first_not_of("0123456789.");
  return base::ParseDouble(text.substr(0, end));
}

void EmitPort(Context& host, const std::string& device, const std::string& port, Scrape& scrape) {
  const std::string folder = fmt::format("class/infiniband/{}/ports/{}/", device, port);
  const auto leading = [&](std::string_view file) {
    const auto text = host.sys.ReadText(folder + std::string(file));
    return text.ok() ? LeadingNumber(*text) : std::nullopt;
  };
  const auto emit = [&](const model::MetricDesc& desc, std::optional<double> value, double scale) {
    if (value) {
      scrape.Emit(desc, *value * scale, {device, port});
    }
  };
  emit(kState, leading("state"), 1);
  emit(kPhysicalState, leading("phys_state"), 1);
  emit(kRate, leading("rate"), kBytesPerGigabit);
  for (const Row& row : kRows) {
    const auto value = host.sys.ReadInt(fmt::format("{}counters/{}", folder, row.file));
    emit(row.desc, value ? std::optional(static_cast<double>(*value)) : std::nullopt, row.scale);
  }
}

base::Result<void> CollectInfiniband(Context& host, Scrape& scrape) {
  ASSIGN_OR_RETURN(const std::vector<std::string> devices, host.sys.List("class/infiniband"));
  for (const std::string& device : devices) {
    const auto word = [&](std::string_view file) {
      return host.sys.ReadText(fmt::format("class/infiniband/{}/{}", device, file)).value_or("");
    };
    scrape.Emit(kInfo, 1, {word("board_id"), device, word("fw_ver"), word("hca_type")});
    const auto ports = host.sys.List(fmt::format("class/infiniband/{}/ports", device));
    for (const std::string& port : ports.ok() ? *ports : std::vector<std::string>()) {
      EmitPort(host, device, port, scrape);
    }
  }
  return {};
}

}  // namespace

extern constexpr HostCollector kInfinibandCollector{
    .name = "infiniband", .help = "InfiniBand ports.", .collect = CollectInfiniband};

}  // namespace exporters::host
