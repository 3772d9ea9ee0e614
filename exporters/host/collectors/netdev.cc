// Traffic of network devices, from rtnetlink or /proc/net/dev. The names are those of the columns
// of /proc/net/dev, into which the kernel folds its finer counters: drop is dropped + missed, frame
// is length + over + crc + frame errors, carrier adds aborted, window and heartbeat.
#include <fmt/format.h>

#include "exporters/host/context.h"
#include "exporters/host/parsers.h"
#include "exporters/host/text.h"

namespace exporters::host {
namespace {

constexpr model::MetricDesc Counter(std::string_view name, std::string_view help) {
  return {.name = name, .help = help, .type = model::MetricType::kCounter, .labels = {"device"}};
}

// In the columns of /proc/net/dev.
constexpr model::MetricDesc kColumns[] = {
    Counter("node_network_receive_bytes_total", "Bytes received."),
    Counter("node_network_receive_packets_total", "Packets received."),
    Counter("node_network_receive_errs_total", "Packets received with errors."),
    Counter("node_network_receive_drop_total", "Packets received and dropped."),
    Counter("node_network_receive_fifo_total", "Packets lost to a full receive FIFO."),
    Counter("node_network_receive_frame_total", "Packets received with a broken frame."),
    Counter("node_network_receive_compressed_total", "Compressed packets received."),
    Counter("node_network_receive_multicast_total", "Multicast packets received."),
    Counter("node_network_transmit_bytes_total", "Bytes sent."),
    Counter("node_network_transmit_packets_total", "Packets sent."),
    Counter("node_network_transmit_errs_total", "Packets that could not be sent."),
    Counter("node_network_transmit_drop_total", "Packets dropped before they were sent."),
    Counter("node_network_transmit_fifo_total", "Packets lost to a full send FIFO."),
    Counter("node_network_transmit_colls_total", "Collisions while sending."),
    Counter("node_network_transmit_carrier_total", "Packets lost to the carrier while sending."),
    Counter("node_network_transmit_compressed_total", "Compressed packets sent."),
};
constexpr model::MetricDesc kNohandler =
    Counter("node_network_receive_nohandler_total", "Packets received that no protocol wanted.");

void Emit(std::string_view device, const std::array<uint64_t, 16>& values, Scrape& scrape) {
  for (size_t i = 0; i < values.size(); ++i) {
    scrape.Emit(kColumns[i], static_cast<double>(values[i]), {device});
  }
}

std::array<uint64_t, 16> Fold(const LinkCounters& c) {
  return {c.rx_bytes,
          c.rx_packets,
          c.rx_errors,
          c.rx_dropped + c.rx_missed_errors,
          c.rx_fifo_errors,
          c.rx_length_errors + c.rx_over_errors + c.rx_crc_errors + c.rx_frame_errors,
          c.rx_compressed,
          c.multicast,
          c.tx_bytes,
          c.tx_packets,
          c.tx_errors,
          c.tx_dropped,
          c.tx_fifo_errors,
          c.collisions,
          c.tx_carrier_errors + c.tx_aborted_errors + c.tx_window_errors + c.tx_heartbeat_errors,
          c.tx_compressed};
}

base::Result<void> CollectFromNetlink(Context& host, Scrape& scrape) {
  const base::Result<std::vector<Link>>& links = host.Links();
  if (!links.ok()) {
    return links.error();
  }
  for (const Link& link : *links) {
    if (!link.counters || !host.filters.netdev_devices.Accepts(link.name)) {
      continue;
    }
    Emit(link.name, Fold(*link.counters), scrape);
    if (link.counters->rx_nohandler) {
      scrape.Emit(kNohandler, static_cast<double>(*link.counters->rx_nohandler), {link.name});
    }
  }
  return {};
}

base::Result<void> CollectFromProc(Context& host, Scrape& scrape) {
  ASSIGN_OR_RETURN(const std::string text, host.proc.Read("net/dev"));
  ASSIGN_OR_RETURN(const std::vector<NetDevLine> lines, ParseNetDev(text));
  for (const NetDevLine& line : lines) {
    if (host.filters.netdev_devices.Accepts(line.device)) {
      Emit(line.device, line.values, scrape);
    }
  }
  return {};
}

base::Result<void> CollectNetdev(Context& host, Scrape& scrape) {
  return host.options.netdev_netlink ? CollectFromNetlink(host, scrape)
                                     : CollectFromProc(host, scrape);
}

}  // namespace

base::Result<std::vector<NetDevLine>> ParseNetDev(std::string_view text) {
  std::vector<NetDevLine> lines;
  NextLine(&text);
  NextLine(&text);  // Two lines of headings.
  while (!text.empty()) {
    const std::string_view whole = NextLine(&text);
    const size_t colon = whole.rfind(':');  // An alias such as eth0:1 has one of its own.
    if (colon == std::string_view::npos) {
      continue;
    }
    std::string_view name = whole.substr(0, colon);
    NetDevLine line{.device = NextField(&name)};
    if (ParseNumbers(whole.substr(colon + 1), &line.values) != line.values.size()) {
      return base::Error(fmt::format("net/dev: 16 numbers expected for device {}", line.device),
                         base::ErrorKind::kInvalidArgument);
    }
    lines.push_back(line);
  }
  return lines;
}

extern constexpr HostCollector kNetdevCollector{
    .name = "netdev",
    .help = "Traffic, errors and drops of network devices.",
    .collect = CollectNetdev};

}  // namespace exporters::host
