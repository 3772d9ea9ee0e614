// Bytes waiting in UDP sockets: the sum of the fifth fields, "tx:rx" in hexadecimal, of
// /proc/net/udp and udp6.
#include <algorithm>

#include <fmt/format.h>

#include "exporters/host/context.h"
#include "exporters/host/parsers.h"
#include "exporters/host/text.h"

namespace exporters::host {
namespace {

constexpr model::MetricDesc kQueues{.name = "node_udp_queues",
                                    .help = "Bytes in the queues of UDP sockets.",
                                    .labels = {"ip", "queue"}};
struct Family {
  std::string_view file;
  std::string_view ip;
  std::string_view sockstat;  // Where the kernel counts its sockets.
  std::string_view protocol;
};
constexpr Family kFamilies[] = {{"net/udp", "v4", "net/sockstat", "UDP"},
                                {"net/udp6", "v6", "net/sockstat6", "UDP6"}};

// To list sockets the kernel walks a table of many thousand places; most machines have none of one
// family or the other.
bool HasNone(Context& host, const Family& family) {
  const auto text = host.proc.ReadOnce(family.sockstat);
  if (!text.ok()) {
    return false;
  }
  const auto fields = ParseSockstat(*text);
  return std::any_of(fields.begin(), fields.end(), [&family](const ProtocolField& field) {
    return field.protocol == family.protocol && field.name == "inuse" && field.value == 0;
  });
}

base::Result<UdpQueues> ReadQueues(Context& host, const Family& family) {
  if (HasNone(host, family)) {
    return UdpQueues{};
  }
  ASSIGN_OR_RETURN(const std::string text, host.proc.Read(family.file));
  return ParseUdpQueues(text);
}

base::Result<void> CollectUdpQueues(Context& host, Scrape& scrape) {
  size_t read = 0;
  for (const Family& family : kFamilies) {
    const base::Result<UdpQueues> queues = ReadQueues(host, family);
    if (!queues.ok() && queues.error().kind() == base::ErrorKind::kNotFound) {
      continue;  // Without IPv6 there is no udp6.
    }
    if (!queues.ok()) {
      return queues.error();
    }
    scrape.Emit(kQueues, static_cast<double>(queues->tx), {family.ip, "tx"});
    scrape.Emit(kQueues, static_cast<double>(queues->rx), {family.ip, "rx"});
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
