#include "exporters/redis/address.h"

#include <algorithm>
#include <exception>
#include <utility>

#include <fmt/format.h>
#include <yaml-cpp/yaml.h>

#include "exporters/redis/key_selector.h"
#include "lib/base/strings.h"
#include "lib/base/url.h"

namespace exporters::redis {
namespace {

struct Scheme {
  std::string_view name;
  bool tls = false;
  bool unix_socket = false;
};

constexpr Scheme kSchemes[] = {{.name = "redis"},
                               {.name = "rediss", .tls = true},
                               {.name = "valkey"},
                               {.name = "valkeys", .tls = true},
                               {.name = "unix", .unix_socket = true}};

base::Error BadAddress(std::string_view why) {
  return base::Error(fmt::format("Redis address: {}", why), base::ErrorKind::kInvalidArgument);
}

base::Result<const Scheme*> FindScheme(std::string_view name) {
  for (const Scheme& scheme : kSchemes) {
    if (scheme.name == name) {
      return &scheme;
    }
  }
  return BadAddress(
      fmt::format("the scheme \"{}\" is not one of redis, rediss, valkey, valkeys and unix", name));
}

// The host of `entry` may be a pattern.
bool SameServer(const Address& entry, const Address& address) {
  return entry.tls == address.tls && entry.endpoint.unix_path == address.endpoint.unix_path &&
         entry.endpoint.port == address.endpoint.port &&
         GlobMatches(base::ToLower(entry.endpoint.host), base::ToLower(address.endpoint.host));
}

}  // namespace

std::string Address::ToString() const {
  if (!endpoint.unix_path.empty()) {
    return "unix://" + endpoint.unix_path;
  }
  return (tls ? "rediss://" : "redis://") + endpoint.ToString();
}

base::Result<Address> ParseAddress(std::string_view text) {
  text = base::TrimSpace(text);
  const bool bare = text.find("://") == std::string_view::npos;
  auto url = base::ParseUrl(bare ? "redis://" + std::string(text) : std::string(text));
  if (!url.ok()) {
    return url.error().WithContext("Redis address");
  }
  ASSIGN_OR_RETURN(const Scheme* scheme, FindScheme(url->scheme));
  Address address{.endpoint = {}, .tls = scheme->tls, .user = url->user, .password = url->password};
  if (scheme->unix_socket) {
    if (url->path.size() < 2) {
      return BadAddress("unix:// needs the path of a socket: unix:///run/redis/redis.sock");
    }
    address.endpoint.unix_path = url->path;
    return address;
  }
  address.endpoint.host = url->host.empty() ? "localhost" : url->host;
  address.endpoint.port = url->port == 0 ? kDefaultRedisPort : url->port;
  return address;
}

base::Secret Passwords::Find(const Address& address) const {
  return plain.empty() ? FindBound(address) : plain;
}

base::Secret Passwords::FindBound(const Address& address) const {
  // An entry of this very server beats a pattern, one with the user beats one without.
  const base::Secret* best = nullptr;
  int best_rank = -1;
  for (const auto& [name, password] : by_address) {
    const auto entry = ParseAddress(name);
    if (!entry.ok() || !SameServer(*entry, address) ||
        (!entry->user.empty() && entry->user != address.user)) {
      continue;
    }
    const bool exact = base::EqualsIgnoreCase(entry->endpoint.host, address.endpoint.host);
    const int rank = (exact ? 2 : 0) + (entry->user == address.user ? 1 : 0);
    if (rank > best_rank) {
      best = &password;
      best_rank = rank;
    }
  }
  return best == nullptr ? base::Secret() : *best;
}

base::Result<Passwords> ParsePasswords(std::string_view content) {
  content = base::TrimSpace(content);
  Passwords passwords;
  if (content.substr(0, 1) != "{") {
    passwords.plain = base::Secret(std::string(content));
    return passwords;
  }
  const base::Error bad(
      "password file: a JSON object {\"redis://host:port\": \"password\"} or a "
      "plain password is expected",
      base::ErrorKind::kInvalidArgument);
  try {
    const YAML::Node node = YAML::Load(std::string(content));  // JSON is YAML.
    for (const auto& entry : node) {
      if (!entry.first.IsScalar() || !entry.second.IsScalar()) {
        return bad;
      }
      passwords.by_address.insert_or_assign(entry.first.Scalar(),
                                            base::Secret(entry.second.Scalar()));
    }
  } catch (const std::exception&) {  // Its text would quote the file.
    return bad;
  }
  return passwords;
}

}  // namespace exporters::redis
