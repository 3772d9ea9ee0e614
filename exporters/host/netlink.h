// Asking the kernel for lists over netlink: sockets, queueing disciplines.
#pragma once

#include <cstdint>
#include <cstring>
#include <functional>
#include <optional>
#include <string_view>
#include <vector>

#include "lib/base/file.h"
#include "lib/base/result.h"

namespace exporters::host {

// The start of `bytes`, which may be unaligned, as a T.
template <typename T>
std::optional<T> PeekStruct(std::string_view bytes) {
  if (bytes.size() < sizeof(T)) {
    return std::nullopt;
  }
  T value;
  std::memcpy(&value, bytes.data(), sizeof(T));
  return value;
}

using NetlinkFunc = std::function<base::Result<void>(uint16_t type, std::string_view body)>;

// The messages of one datagram; true when the list is complete. Errors: kInvalidArgument for
// malformed bytes, else what the kernel or `on_message` said.
base::Result<bool> ParseNetlinkMessages(std::string_view datagram, const NetlinkFunc& on_message);

// Calls `on_attribute` with the number and the payload of each attribute. False when the bytes are
// malformed.
bool ParseNetlinkAttributes(std::string_view bytes,
                            const std::function<void(uint16_t, std::string_view)>& on_attribute);

// Thread-compatible; keeps its socket.
class NetlinkSocket {
 public:
  static constexpr size_t kMaxMessages = 1'000'000;  // Of one list.

  explicit NetlinkSocket(int protocol) : protocol_(protocol) {}

  // Asks for all that `body` describes.
  base::Result<void> Dump(uint16_t type, std::string_view body, const NetlinkFunc& on_message);

 private:
  base::Result<void> Open();
  base::Result<void> Receive(const NetlinkFunc& on_message);

  const int protocol_;
  base::UniqueFd socket_;
  uint32_t sequence_ = 0;
  std::vector<char> buffer_;
};

}  // namespace exporters::host
