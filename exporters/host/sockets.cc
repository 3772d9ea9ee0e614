#include "exporters/host/sockets.h"

#include <algorithm>

#include <arpa/inet.h>
#include <fmt/format.h>
#include <linux/inet_diag.h>
#include <linux/sock_diag.h>
#include <linux/unix_diag.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include "lib/base/strings.h"

namespace exporters::host {
namespace {

constexpr uint32_t kListening = 1U << TCP_LISTEN;
constexpr uint32_t kAllStates = 0xfff;

struct State {
  uint8_t number;
  std::string_view name;
};
constexpr State kStates[] = {{TCP_ESTABLISHED, "established"},
                             {TCP_SYN_SENT, "syn_sent"},
                             {TCP_SYN_RECV, "syn_recv"},
                             {TCP_FIN_WAIT1, "fin_wait1"},
                             {TCP_FIN_WAIT2, "fin_wait2"},
                             {TCP_TIME_WAIT, "time_wait"},
                             {TCP_CLOSE, "close"},
                             {TCP_CLOSE_WAIT, "close_wait"},
                             {TCP_LAST_ACK, "last_ack"},
                             {TCP_LISTEN, "listen"},
                             {TCP_CLOSING, "closing"}};

template <typename T>
std::string_view Bytes(const T& value) {
  return {reinterpret_cast<const char*>(&value), sizeof(value)};
}

base::Error Malformed() {
  return base::Error("sock_diag: malformed socket", base::ErrorKind::kInvalidArgument);
}

inet_diag_req_v2 InetRequest(uint8_t family, uint32_t states) {
  inet_diag_req_v2 request{};
  request.sdiag_family = family;
  request.sdiag_protocol = IPPROTO_TCP;
  request.idiag_states = states;
  return request;
}

class ListenerList {
 public:
  base::Result<void> Add(base::Result<Listener> listener) {
    if (!listener.ok()) {
      return listener.error();
    }
    if (listener->address.empty()) {
      return {};  // A Unix socket without a name: no one else can connect to it.
    }
    const auto key = std::pair(listener->protocol, listener->address);
    const auto found = listeners_.find(key);
    if (found != listeners_.end()) {
      found->second.waiting += listener->waiting;
      found->second.limit += listener->limit;
    } else if (listeners_.size() < kMaxListeners) {
      listeners_.emplace(key, std::move(*listener));
    } else {
      ++dropped_;
    }
    return {};
  }

  std::vector<Listener> Take(size_t* dropped) {
    std::vector<Listener> listeners;
    for (auto& [key, listener] : listeners_) {
      listeners.push_back(std::move(listener));
    }
    *dropped = dropped_;
    return listeners;
  }

 private:
  std::map<std::pair<std::string, std::string>, Listener> listeners_;
  size_t dropped_ = 0;
};

}  // namespace

base::Result<Listener> ParseInetListener(std::string_view body) {
  const auto message = PeekStruct<inet_diag_msg>(body);
  if (!message) {
    return Malformed();
  }
  char text[INET6_ADDRSTRLEN] = "";
  const bool six = message->idiag_family == AF_INET6;
  if (inet_ntop(message->idiag_family, message->id.idiag_src, text, sizeof(text)) == nullptr) {
    return Malformed();
  }
  const uint16_t port = ntohs(message->id.idiag_sport);
  return Listener{
      .protocol = "tcp",
      .address = six ? fmt::format("[{}]:{}", text, port) : fmt::format("{}:{}", text, port),
      .waiting = message->idiag_rqueue,
      .limit = message->idiag_wqueue};
}

base::Result<Listener> ParseUnixListener(std::string_view body) {
  if (body.size() < sizeof(unix_diag_msg)) {
    return Malformed();
  }
  Listener listener{.protocol = "unix"};
  const bool well_formed = ParseNetlinkAttributes(
      body.substr(sizeof(unix_diag_msg)), [&](uint16_t type, std::string_view payload) {
        if (type == UNIX_DIAG_NAME && !payload.empty()) {
          // An abstract name starts with a NUL; a path may end with one.
          const bool abstract = payload.front() == '\0';
          std::string_view name = payload.substr(abstract ? 1 : 0);
          name = abstract ? name : name.substr(0, name.find('\0'));
          listener.address = (abstract ? "@" : "") + base::ToValidUtf8(name);
        } else if (type == UNIX_DIAG_RQLEN) {
          if (const auto queue = PeekStruct<unix_diag_rqlen>(payload)) {
            listener.waiting = queue->udiag_rqueue;
            listener.limit = queue->udiag_wqueue;
          }
        }
      });
  if (!well_formed) {
    return Malformed();
  }
  return listener;
}

base::Result<std::vector<Listener>> ListListeners(NetlinkSocket& socket, size_t* dropped) {
  ListenerList list;
  for (const uint8_t family : {uint8_t{AF_INET}, uint8_t{AF_INET6}}) {
    const inet_diag_req_v2 request = InetRequest(family, kListening);
    RETURN_IF_ERROR(socket.Dump(
        SOCK_DIAG_BY_FAMILY, Bytes(request),
        [&list](uint16_t, std::string_view body) { return list.Add(ParseInetListener(body)); }));
  }
  unix_diag_req request{};
  request.sdiag_family = AF_UNIX;
  request.udiag_states = kListening;
  request.udiag_show = UDIAG_SHOW_NAME | UDIAG_SHOW_RQLEN;
  // A kernel may be without unix_diag; what TCP has is worth showing all the same.
  const auto unix_sockets = socket.Dump(
      SOCK_DIAG_BY_FAMILY, Bytes(request),
      [&list](uint16_t, std::string_view body) { return list.Add(ParseUnixListener(body)); });
  if (!unix_sockets.ok() && unix_sockets.error().kind() != base::ErrorKind::kNotFound) {
    return unix_sockets.error();
  }
  return list.Take(dropped);
}

base::Result<TcpStates> CountTcpStates(NetlinkSocket& socket) {
  TcpStates states;
  std::array<uint64_t, 16> counts{};
  for (const uint8_t family : {uint8_t{AF_INET}, uint8_t{AF_INET6}}) {
    const inet_diag_req_v2 request = InetRequest(family, kAllStates);
    RETURN_IF_ERROR(socket.Dump(SOCK_DIAG_BY_FAMILY, Bytes(request),
                                [&](uint16_t, std::string_view body) -> base::Result<void> {
                                  const auto message = PeekStruct<inet_diag_msg>(body);
                                  if (!message) {
                                    return Malformed();
                                  }
                                  ++counts[message->idiag_state % counts.size()];
                                  states.received_bytes += message->idiag_rqueue;
                                  states.sent_bytes += message->idiag_wqueue;
                                  return {};
                                }));
  }
  for (const State& state : kStates) {
    if (counts[state.number] > 0) {
      states.connections.emplace(state.name, counts[state.number]);
    }
  }
  return states;
}

}  // namespace exporters::host
