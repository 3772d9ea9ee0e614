#include "exporters/redis/client_list.h"

#include "lib/base/strings.h"

namespace exporters::redis {

ClientLine::ClientLine(std::string_view line) : pairs_(base::Split(line, ' ')) {}

std::optional<std::string_view> ClientLine::Find(std::string_view name) const {
  for (const std::string_view pair : pairs_) {
    if (pair.size() > name.size() && pair[name.size()] == '=' &&
        pair.substr(0, name.size()) == name) {
      return pair.substr(name.size() + 1);
    }
  }
  return std::nullopt;
}

std::optional<double> ClientLine::Number(std::string_view name) const {
  return base::ParseDouble(Get(name));
}

std::string_view ClientLine::Host() const {
  const std::string_view address = Get("addr");
  return address.substr(0, address.rfind(':'));
}

std::string_view ClientLine::Port() const {
  const std::string_view address = Get("addr");
  const size_t colon = address.rfind(':');
  return colon == std::string_view::npos ? "" : address.substr(colon + 1);
}

std::vector<ClientLine> ParseClientList(std::string_view text) {
  std::vector<ClientLine> clients;
  for (const std::string_view line : base::Split(text, '\n')) {
    if (const std::string_view trimmed = base::TrimSpace(line); trimmed.substr(0, 3) == "id=") {
      clients.emplace_back(trimmed);
    }
  }
  return clients;
}

}  // namespace exporters::redis
