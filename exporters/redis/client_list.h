// CLIENT LIST: a line of name=value pairs for each connection.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>
#include <vector>

namespace exporters::redis {

// The server writes the whole list at once, so it is asked for only while there are no more
// connections than this.
inline constexpr double kMaxListedClients = 2000;

class ClientLine {
 public:
  // A view into `line`.
  explicit ClientLine(std::string_view line);

  std::optional<std::string_view> Find(std::string_view name) const;
  std::string_view Get(std::string_view name) const { return Find(name).value_or(""); }
  std::optional<double> Number(std::string_view name) const;
  // Of "addr", which is host:port, [v6]:port or path:0.
  std::string_view Host() const;
  std::string_view Port() const;

 private:
  std::vector<std::string_view> pairs_;
};

std::vector<ClientLine> ParseClientList(std::string_view text);

}  // namespace exporters::redis
