// TCP connections by state, and the bytes in their queues.
#include "exporters/host/context.h"

namespace exporters::host {
namespace {

constexpr model::MetricDesc kStates{.name = "node_tcp_connection_states",
                                    .help =
                                        "TCP connections by state; and the bytes received and "
                                        "sent that wait in queues.",
                                    .labels = {"state"}};

base::Result<void> CollectTcpstat(Context& host, Scrape& scrape) {
  ASSIGN_OR_RETURN(const TcpStates states, CountTcpStates(host.sock_diag));
  for (const auto& [state, count] : states.connections) {
    scrape.Emit(kStates, static_cast<double>(count), {state});
  }
  scrape.Emit(kStates, static_cast<double>(states.received_bytes), {"rx_queued_bytes"});
  scrape.Emit(kStates, static_cast<double>(states.sent_bytes), {"tx_queued_bytes"});
  return {};
}

}  // namespace

extern constexpr HostCollector kTcpstatCollector{.name = "tcpstat",
                                                 .help = "TCP connections by state.",
                                                 .enabled_by_default = false,
                                                 .collect = CollectTcpstat};

}  // namespace exporters::host
