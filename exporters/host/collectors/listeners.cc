// Connections that wait for a server to accept them, and how many may: a full queue drops or delays
// clients long before the server itself notices.
#include <fmt/format.h>

#include "exporters/host/context.h"

namespace exporters::host {
namespace {

constexpr model::MetricDesc kQueue{.name = "host_listen_queue_length",
                                   .help = "Connections that wait to be accepted.",
                                   .labels = {"address", "protocol"}};
constexpr model::MetricDesc kLimit{.name = "host_listen_queue_limit",
                                   .help = "How many connections may wait to be accepted.",
                                   .labels = {"address", "protocol"}};
constexpr model::MetricDesc kDropped{.name = "host_listen_queues_left_out",
                                     .help = "Listening sockets beyond the 500 that are shown."};

base::Result<void> CollectListeners(Context& host, Scrape& scrape) {
  size_t dropped = 0;
  ASSIGN_OR_RETURN(const std::vector<Listener> listeners, ListListeners(host.sock_diag, &dropped));
  for (const Listener& listener : listeners) {
    scrape.Emit(kQueue, static_cast<double>(listener.waiting),
                {listener.address, listener.protocol});
    scrape.Emit(kLimit, static_cast<double>(listener.limit), {listener.address, listener.protocol});
    if (listener.waiting > 0 && listener.limit > 0) {
      host.limit_uses.push_back({"listen_queue", listener.address,
                                 static_cast<double>(listener.waiting),
                                 static_cast<double>(listener.limit)});
    }
  }
  scrape.Emit(kDropped, static_cast<double>(dropped));
  return {};
}

}  // namespace

extern constexpr HostCollector kListenersCollector{
    .name = "listeners",
    .help = "Connections that wait to be accepted, by listening socket.",
    .collect = CollectListeners};

}  // namespace exporters::host
