// URLs and host:port pairs (RFC 3986, as far as monitoring needs it).
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "lib/base/result.h"
#include "lib/base/secret.h"

namespace base {

struct Url {
  std::string scheme;  // Lower case.
  std::string user;    // Percent-decoded.
  Secret password;     // Percent-decoded.
  std::string host;    // Without the brackets of an IPv6 address.
  int port = 0;        // 0 when not given.
  std::string path;    // As written: "" or "/…".
  std::vector<std::pair<std::string, std::string>> query;  // Decoded, in order.

  // Without user and password: safe in logs, labels and pages.
  std::string Redacted() const;
};

// Errors: kInvalidArgument, without quoting the URL, which may hold a password.
Result<Url> ParseUrl(std::string_view text);

// "user:password@" taken out of anything that looks like a URL, for messages of third parties.
std::string RedactUrls(std::string_view text);

Result<std::string> PercentDecode(std::string_view text, bool plus_is_space);
// Everything but letters, digits and "-_.~" is encoded.
std::string PercentEncode(std::string_view text);
// "a=1&b=x%20y", '+' as space. A pair that does not decode is kept as written.
std::vector<std::pair<std::string, std::string>> ParseQuery(std::string_view text);

struct HostPort {
  std::string host;  // Without brackets; empty means every address.
  int port = 0;
};
// "127.0.0.1:9100", "[::1]:9100", ":9100", "db.example:5432". Errors: kInvalidArgument.
Result<HostPort> ParseHostPort(std::string_view text);
// With brackets where the host is an IPv6 address.
std::string FormatHostPort(std::string_view host, int port);

}  // namespace base
