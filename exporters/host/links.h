// Network devices as rtnetlink reports them: one dump covers the counters and nearly all attributes
// that /sys/class/net has in thirty files a device.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lib/base/file.h"
#include "lib/base/result.h"

namespace exporters::host {

// Counters in the terms of the kernel's struct rtnl_link_stats64.
struct LinkCounters {
  uint64_t rx_packets = 0, tx_packets = 0, rx_bytes = 0, tx_bytes = 0;
  uint64_t rx_errors = 0, tx_errors = 0, rx_dropped = 0, tx_dropped = 0;
  uint64_t multicast = 0, collisions = 0;
  uint64_t rx_length_errors = 0, rx_over_errors = 0, rx_crc_errors = 0, rx_frame_errors = 0;
  uint64_t rx_fifo_errors = 0, rx_missed_errors = 0;
  uint64_t tx_aborted_errors = 0, tx_carrier_errors = 0, tx_fifo_errors = 0;
  uint64_t tx_heartbeat_errors = 0, tx_window_errors = 0;
  uint64_t rx_compressed = 0, tx_compressed = 0;
  std::optional<uint64_t> rx_nohandler;  // Since Linux 4.6.
};

struct Link {
  std::string name;
  int32_t index = 0;
  uint16_t type = 0;  // ARPHRD_*.
  uint32_t flags = 0;
  std::string address;
  std::string broadcast;
  std::string alias;
  uint32_t mtu = 0;
  uint32_t queue_length = 0;
  uint32_t group = 0;
  std::optional<uint32_t> parent_index;  // The device below it; itself when none.
  uint8_t operational_state = 0;         // IF_OPER_*.
  uint8_t link_mode = 0;
  std::optional<uint8_t> carrier;
  uint32_t promiscuity = 0, all_multicast = 0;  // How many asked for it.
  std::optional<uint32_t> carrier_changes, carrier_ups, carrier_downs;
  std::optional<LinkCounters> counters;
};

inline constexpr size_t kMaxLinks = 65536;

// One datagram of an answer to RTM_GETLINK: appends to `links`; true when the dump is complete.
// Errors: kInvalidArgument for malformed bytes, else what the kernel said.
base::Result<bool> ParseLinkMessages(std::string_view datagram, std::vector<Link>* links);

// Thread-compatible; keeps its socket.
class LinkSocket {
 public:
  // Every device of this process' network namespace, in the kernel's order (by index).
  base::Result<std::vector<Link>> Dump();

 private:
  base::Result<void> Open();
  base::Result<std::vector<Link>> Receive();

  base::UniqueFd socket_;
  uint32_t sequence_ = 0;
  std::vector<char> buffer_;
};

}  // namespace exporters::host
