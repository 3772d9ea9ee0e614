#include "lib/base/url.h"

#include <algorithm>

#include <fmt/format.h>

#include "lib/base/strings.h"

namespace base {
namespace {

Error BadUrl(std::string_view why) {
  return Error(fmt::format("not a URL: {}", why), ErrorKind::kInvalidArgument);
}

int HexDigit(char c) {
  if (c >= '0' && c <= '9') {
    return c - '0';
  }
  const char lower = static_cast<char>(c | 0x20);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

bool IsSchemeChar(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '+' ||
         c == '-' || c == '.';
}

Result<int> ParsePort(std::string_view text) {
  const auto port = ParseUint(text);
  if (!port || *port > 65535) {
    return Error(fmt::format("\"{}\" is not a port number (0 to 65535)", text),
                 ErrorKind::kInvalidArgument);
  }
  return static_cast<int>(*port);
}

// "host", "host:port", "[v6]", "[v6]:port"; the port stays 0 when absent.
Result<HostPort> ParseAuthority(std::string_view text) {
  HostPort parsed;
  std::string_view port;
  if (!text.empty() && text.front() == '[') {
    const size_t close = text.find(']');
    if (close == std::string_view::npos) {
      return Error("\"[\" without \"]\" in the address", ErrorKind::kInvalidArgument);
    }
    parsed.host = std::string(text.substr(1, close - 1));
    port = text.substr(close + 1);
    if (!port.empty() && port.front() != ':') {
      return Error("bytes after \"]\" in the address", ErrorKind::kInvalidArgument);
    }
  } else {
    const size_t colon = text.find(':');
    if (colon != text.rfind(':')) {
      return Error("an IPv6 address needs brackets: [::1]:9100", ErrorKind::kInvalidArgument);
    }
    parsed.host = std::string(text.substr(0, colon));
    port = colon == std::string_view::npos ? std::string_view() : text.substr(colon);
  }
  if (!port.empty()) {
    ASSIGN_OR_RETURN(parsed.port, ParsePort(port.substr(1)));
  }
  return parsed;
}

}  // namespace

std::string Url::Redacted() const {
  std::string text = scheme + "://";
  if (!host.empty() || port != 0) {
    text += port != 0 ? FormatHostPort(host, port)
                      : (host.find(':') != std::string::npos ? "[" + host + "]" : host);
  }
  return text + path;
}

Result<Url> ParseUrl(std::string_view text) {
  Url url;
  const size_t scheme_end = text.find("://");
  if (scheme_end == std::string_view::npos || scheme_end == 0) {
    return BadUrl("scheme:// is expected at its start");
  }
  const std::string_view scheme = text.substr(0, scheme_end);
  if (!std::all_of(scheme.begin(), scheme.end(), IsSchemeChar)) {
    return BadUrl("its scheme has a character that is not allowed");
  }
  url.scheme = ToLower(scheme);
  text.remove_prefix(scheme_end + 3);
  text = text.substr(0, text.find('#'));

  std::string_view authority = text.substr(0, text.find_first_of("/?"));
  text.remove_prefix(authority.size());
  if (const size_t at = authority.rfind('@'); at != std::string_view::npos) {
    const std::string_view credentials = authority.substr(0, at);
    authority.remove_prefix(at + 1);
    const size_t colon = credentials.find(':');
    auto user = PercentDecode(credentials.substr(0, colon), false);
    auto password = PercentDecode(
        colon == std::string_view::npos ? std::string_view() : credentials.substr(colon + 1),
        false);
    if (!user.ok() || !password.ok()) {
      return BadUrl("user or password: % must be followed by two hexadecimal digits");
    }
    url.user = *std::move(user);
    url.password = Secret(*std::move(password));
  }
  auto host_port = ParseAuthority(authority);
  if (!host_port.ok()) {
    return host_port.error().WithContext("not a URL");
  }
  url.host = host_port->host;
  url.port = host_port->port;

  const size_t question = text.find('?');
  url.path = std::string(text.substr(0, question));
  if (question != std::string_view::npos) {
    url.query = ParseQuery(text.substr(question + 1));
  }
  return url;
}

std::string RedactUrls(std::string_view text) {
  std::string out;
  for (;;) {
    const size_t start = text.find("://");
    if (start == std::string_view::npos) {
      out += text;
      return out;
    }
    out += text.substr(0, start + 3);
    text.remove_prefix(start + 3);
    // A password may hold any of "/?#" when somebody forgot to encode it: everything up to the last
    // '@' of the word goes.
    const std::string_view word = text.substr(0, text.find_first_of(" \t\r\n\"'<>"));
    if (const size_t at = word.rfind('@'); at != std::string_view::npos) {
      text.remove_prefix(at + 1);
    }
  }
}

Result<std::string> PercentDecode(std::string_view text, bool plus_is_space) {
  std::string out;
  out.reserve(text.size());
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '+' && plus_is_space) {
      out += ' ';
    } else if (text[i] != '%') {
      out += text[i];
    } else {
      const int high = i + 2 < text.size() ? HexDigit(text[i + 1]) : -1;
      const int low = i + 2 < text.size() ? HexDigit(text[i + 2]) : -1;
      if (high < 0 || low < 0) {
        return Error("% must be followed by two hexadecimal digits", ErrorKind::kInvalidArgument);
      }
      out += static_cast<char>(high * 16 + low);
      i += 2;
    }
  }
  return out;
}

std::string PercentEncode(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       c == '-' || c == '_' || c == '.' || c == '~';
    if (plain) {
      out += c;
    } else {
      out += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    }
  }
  return out;
}

std::vector<std::pair<std::string, std::string>> ParseQuery(std::string_view text) {
  std::vector<std::pair<std::string, std::string>> pairs;
  for (const std::string_view pair : Split(text, '&')) {
    if (pair.empty()) {
      continue;
    }
    const size_t equals = pair.find('=');
    const std::string_view name = pair.substr(0, equals);
    const std::string_view value =
        equals == std::string_view::npos ? std::string_view() : pair.substr(equals + 1);
    pairs.emplace_back(PercentDecode(name, true).value_or(std::string(name)),
                       PercentDecode(value, true).value_or(std::string(value)));
  }
  return pairs;
}

Result<HostPort> ParseHostPort(std::string_view text) {
  auto parsed = ParseAuthority(text);
  if (!parsed.ok()) {
    return parsed.error().WithContext(fmt::format("address \"{}\"", text));
  }
  if (text.empty() || text.find(':') == std::string_view::npos || text.back() == ']') {
    return Error(fmt::format("address \"{}\": host:port or :port is expected", text),
                 ErrorKind::kInvalidArgument);
  }
  return parsed;
}

std::string FormatHostPort(std::string_view host, int port) {
  return host.find(':') != std::string_view::npos ? fmt::format("[{}]:{}", host, port)
                                                  : fmt::format("{}:{}", host, port);
}

}  // namespace base
