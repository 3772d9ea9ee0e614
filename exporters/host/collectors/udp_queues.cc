// Bytes waiting in UDP sockets: the sum of the fifth fields, "tx:rx" in hexadecimal, of
// /proc/net/udp and udp6.
#include <fmt/format.h>

#include "exporters/host/context.h"
#include "exporters/host/parsers.h"
#include "exporters/host/text.h"

namespace exporters::host {
namespace {

constexpr model::MetricDesc kQueues{.name = "node_udp_queues",
                                    .help = "Bytes in the queues of UDP sockets.",
                                    .labels = {"ip", "queue"}};
constexpr std::pair<std::string_view, std::string_view> kFiles[] = {{"net/udp", "v4"},
                                                                    {"net/udp6", "v6"}};

base::Result<void> CollectUdpQueues(Context& host, Scrape& scrape) {
  size_t read = 0;
  for (const auto& [file, ip] : kFiles) {
    const auto text = host.proc.Read(file);
    if (!text.ok()) {
      continue;  // Without IPv6 there is no udp6.
    }
    ASSIGN_OR_RETURN(const UdpQueues queues, ParseUdpQueues(*text));
    scrape.Emit(kQueues, static_cast<double>(queues.tx), {ip, "tx"});
    scrape.Emit(kQueues, static_cast<double>(queues.rx), {ip, "rx"});
    ++read;
  }
  return read > 0 ? base::Result<void>()
                  : base::Error("net/udp and net/udp6 cannot be read", base::ErrorKind::kNotFound);
}

}  // namespace

base::Result<UdpQueues> ParseUdpQueues(std::string_view text) {
  UdpQueues queues;
  NextLine(&text);  // The heading.
  while (!text.empty()) {
    const auto fields = SplitFields(NextLine(&text));
    if (fields.empty()) {
      continue;
    }
    const std::string_view both = fields.size() > 4 ? fields[4] : std::string_view();
    const size_t colon = both.find(':');
    const auto tx = ParseNumber(both.substr(0, colon), 16);
    const auto rx =
        colon == std::string_view::npos ? std::nullopt : ParseNumber(both.substr(colon + 1), 16);
    if (!tx || !rx) {
      return base::Error("net/udp: \"tx_queue:rx_queue\" expected in the fifth field",
                         base::ErrorKind::kInvalidArgument);
    }
    queues.tx += *tx;
    queues.rx += *rx;
  }
  return queues;
}

extern constexpr HostCollector kUdpQueuesCollector{
    .name = "udp_queues", .help = "Bytes waiting in UDP sockets.", .collect = CollectUdpQueues};

}  // namespace exporters::host
