#include "agent/discovery/listeners.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>
#include <map>
#include <optional>
#include <tuple>
#include <utility>

#include <arpa/inet.h>
#include <sys/stat.h>

#include "lib/base/file.h"
#include "lib/base/strings.h"
#include "lib/base/url.h"

namespace discovery {
namespace {

// Columns of /proc/net/tcp, see proc_net_tcp(5): sl local_address rem_address st … uid timeout
// inode.
constexpr size_t kLocalColumn = 1;
constexpr size_t kStateColumn = 3;
constexpr size_t kUidColumn = 7;
constexpr size_t kInodeColumn = 9;
constexpr std::string_view kListenState = "0A";
constexpr size_t kIpv4Digits = 8;
constexpr size_t kIpv6Digits = 32;

std::vector<std::string_view> Columns(std::string_view line) {
  std::vector<std::string_view> columns;
  for (const std::string_view column : base::Split(line, ' ')) {
    if (!column.empty()) {
      columns.push_back(column);
    }
  }
  return columns;
}

std::optional<uint32_t> ParseHex(std::string_view digits) {
  uint32_t value = 0;
  const auto [end, error] =
      std::from_chars(digits.data(), digits.data() + digits.size(), value, 16);
  if (error != std::errc{} || end != digits.data() + digits.size()) {
    return std::nullopt;
  }
  return value;
}

// The kernel prints an address as 32-bit words in the machine's own byte order.
std::optional<std::string> ParseAddress(std::string_view digits) {
  if (digits.size() != kIpv4Digits && digits.size() != kIpv6Digits) {
    return std::nullopt;
  }
  std::array<uint32_t, 4> words{};
  for (size_t i = 0; i * 8 < digits.size(); ++i) {
    const auto word = ParseHex(digits.substr(i * 8, 8));
    if (!word) {
      return std::nullopt;
    }
    words[i] = *word;
  }
  const bool wildcard = std::all_of(words.begin(), words.end(), [](uint32_t w) { return w == 0; });
  const bool ipv4 = digits.size() == kIpv4Digits;
  if (wildcard) {
    return ipv4 ? "127.0.0.1" : "::1";
  }
  std::array<char, INET6_ADDRSTRLEN> text{};
  inet_ntop(ipv4 ? AF_INET : AF_INET6, words.data(), text.data(), text.size());
  return std::string(text.data());
}

std::optional<Listener> ParseLine(std::string_view line) {
  const std::vector<std::string_view> columns = Columns(line);
  if (columns.size() <= kInodeColumn || columns[kStateColumn] != kListenState) {
    return std::nullopt;
  }
  const std::string_view local = columns[kLocalColumn];
  const size_t colon = local.find(':');
  if (colon == std::string_view::npos) {
    return std::nullopt;
  }
  auto host = ParseAddress(local.substr(0, colon));
  const auto port = ParseHex(local.substr(colon + 1));
  const auto inode = base::ParseUint(columns[kInodeColumn]);
  const auto uid = base::ParseUint(columns[kUidColumn]);
  if (!host || !port || *port == 0 || *port > 65535 || !inode || !uid) {
    return std::nullopt;
  }
  return Listener{.host = *std::move(host),
                  .port = static_cast<int>(*port),
                  .id = *inode,
                  .uid = static_cast<uint32_t>(*uid)};
}

// Lower is better to dial.
int Distance(const Listener& listener) {
  const bool loopback = listener.host.starts_with("127.") || listener.host == "::1";
  const bool ipv6 = listener.host.find(':') != std::string::npos;
  return (loopback ? 0 : 2) + (ipv6 ? 1 : 0);
}

}  // namespace

std::string Listener::ToString() const {
  return socket_path.empty() ? base::FormatHostPort(host, port) : socket_path;
}

bool Listener::operator<(const Listener& other) const {
  return std::tie(host, port, socket_path, id, uid) <
         std::tie(other.host, other.port, other.socket_path, other.id, other.uid);
}

std::vector<Listener> ParseProcNetTcp(std::string_view text) {
  std::vector<Listener> listeners;
  for (const std::string_view line : base::Split(text, '\n')) {
    if (listeners.size() == kMaxListeners) {
      break;
    }
    if (auto listener = ParseLine(line)) {
      listeners.push_back(*std::move(listener));
    }
  }
  return listeners;
}

base::Result<std::vector<Listener>> ReadTcpListeners(const std::string& proc) {
  ASSIGN_OR_RETURN(const std::string tcp, base::ReadFile(proc + "/net/tcp"));
  std::vector<Listener> all = ParseProcNetTcp(tcp);
  if (const auto tcp6 = base::ReadFile(proc + "/net/tcp6"); tcp6.ok()) {
    for (Listener& listener : ParseProcNetTcp(*tcp6)) {
      all.push_back(std::move(listener));
    }
  }
  std::map<int, Listener> by_port;
  for (Listener& listener : all) {
    const auto [known, is_new] = by_port.emplace(listener.port, listener);
    if (!is_new && Distance(listener) < Distance(known->second)) {
      known->second = std::move(listener);
    }
  }
  std::vector<Listener> listeners;
  listeners.reserve(by_port.size());
  for (auto& [port, listener] : by_port) {
    listeners.push_back(std::move(listener));
  }
  return listeners;
}

std::vector<Listener> FindUnixListeners(const std::vector<std::string>& patterns) {
  std::vector<Listener> listeners;
  for (const std::string& pattern : patterns) {
    for (const std::string& path : base::Glob(pattern)) {
      struct stat file {};
      if (stat(path.c_str(), &file) == 0 && S_ISSOCK(file.st_mode) &&
          listeners.size() < kMaxListeners) {
        listeners.push_back({.socket_path = path, .id = file.st_ino, .uid = file.st_uid});
      }
    }
  }
  return listeners;
}

}  // namespace discovery
