#include "lib/http/request_head.h"

#include <algorithm>

#include "lib/base/strings.h"

namespace http {
namespace {

// Those that civetweb knows, without CONNECT and TRACE, which nothing here is for.
constexpr std::string_view kMethods[] = {"GET",    "HEAD",    "POST", "PUT",
                                         "DELETE", "OPTIONS", "PATCH"};

// tchar of RFC 9110.
bool IsTokenChar(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
}

bool IsToken(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), IsTokenChar);
}

bool IsVisible(char c) { return c > ' ' && c < 0x7f; }

bool IsFieldChar(char c) {
  return c == '\t' || (static_cast<unsigned char>(c) >= ' ' && c != 0x7f);
}

RequestHead Refuse(int status, std::string_view problem) {
  return {.status = status, .problem = problem};
}

// What several fields say together.
struct Fields {
  size_t count = 0;
  size_t hosts = 0;
  size_t lengths = 0;
  size_t connections = 0;
  bool chunked = false;
  bool close = false;
  bool keep_alive = false;
};

bool HasOption(std::string_view list, std::string_view option) {
  const auto options = base::Split(list, ',');
  return std::any_of(options.begin(), options.end(), [option](std::string_view item) {
    return base::EqualsIgnoreCase(base::TrimSpace(item), option);
  });
}

void ReadLength(std::string_view value, Fields* fields, RequestHead* head) {
  const bool digits =
      !value.empty() && value.find_first_not_of("0123456789") == std::string_view::npos;
  const auto length = base::ParseUint(value);
  if (!digits || !length || ++fields->lengths > 1) {
    *head = Refuse(400, "Content-Length must be one number");
    return;
  }
  head->content_length = *length;
}

void ReadField(std::string_view name, std::string_view value, Fields* fields, RequestHead* head) {
  if (base::EqualsIgnoreCase(name, "Host")) {
    ++fields->hosts;
  } else if (base::EqualsIgnoreCase(name, "Content-Length")) {
    ReadLength(value, fields, head);
  } else if (base::EqualsIgnoreCase(name, "Transfer-Encoding")) {
    fields->chunked = true;
  } else if (base::EqualsIgnoreCase(name, "Connection")) {
    fields->close = fields->close || HasOption(value, "close");
    if (++fields->connections == 1) {  // As civetweb does it.
      fields->keep_alive = HasOption(value, "keep-alive");
    }
  } else if (base::EqualsIgnoreCase(name, "Expect")) {
    if (!base::EqualsIgnoreCase(value, "100-continue")) {
      *head = Refuse(417, "Expect can only be 100-continue");
    }
    head->expects_continue = true;
  }
}

void ReadLine(std::string_view line, Fields* fields, RequestHead* head) {
  const size_t colon = line.find(':');
  if (colon == std::string_view::npos || !IsToken(line.substr(0, colon))) {
    *head = Refuse(400, "malformed header line");
    return;
  }
  const std::string_view value = line.substr(colon + 1);
  if (!std::all_of(value.begin(), value.end(), IsFieldChar)) {
    *head = Refuse(400, "control character in a header");
    return;
  }
  if (++fields->count > kMaxRequestHeaders) {
    *head = Refuse(431, "too many headers");
    return;
  }
  ReadField(line.substr(0, colon), base::TrimSpace(value), fields, head);
}

// "http://host/path" → where the path starts, or npos when it is neither that nor a path.
size_t PathStart(std::string_view target) {
  if (!target.empty() && target.front() == '/') {
    return 0;
  }
  for (const std::string_view scheme : {"http://", "https://"}) {
    if (base::EqualsIgnoreCase(target.substr(0, scheme.size()), scheme)) {
      return target.find('/', scheme.size());
    }
  }
  return std::string_view::npos;
}

RequestHead ReadRequestLine(std::string_view line, bool* is_http_1_0) {
  const auto words = base::Split(line, ' ');
  if (words.size() != 3 || !IsToken(words[0]) ||
      !std::all_of(words[1].begin(), words[1].end(), IsVisible)) {
    return Refuse(400, "malformed request line");
  }
  if (words[2] != "HTTP/1.1" && words[2] != "HTTP/1.0") {
    return words[2].substr(0, 5) == "HTTP/" ? Refuse(505, "HTTP/1.1 is expected")
                                            : Refuse(400, "malformed request line");
  }
  if (std::find(std::begin(kMethods), std::end(kMethods), words[0]) == std::end(kMethods)) {
    return Refuse(501, "unknown method");
  }
  const size_t path_start = PathStart(words[1]);
  if (path_start == std::string_view::npos) {
    return Refuse(400, "the request target must be a path");
  }
  *is_http_1_0 = words[2] == "HTTP/1.0";
  return {.authority_at = words[0].size() + 1, .authority_bytes = path_start};
}

RequestHead Combine(RequestHead head, const Fields& fields, bool is_http_1_0) {
  if (fields.chunked) {
    return fields.lengths > 0 ? Refuse(400, "Content-Length with Transfer-Encoding")
                              : Refuse(411, "Content-Length is expected");
  }
  if (fields.hosts > 1 || (fields.hosts == 0 && !is_http_1_0)) {
    return Refuse(400, "one Host header is expected");
  }
  head.keep_alive = fields.connections > 0 ? fields.keep_alive && !fields.close : !is_http_1_0;
  return head;
}

}  // namespace

bool CanStartHead(char first) { return IsTokenChar(first); }

size_t FindHeadEnd(std::string_view bytes, size_t searched) {
  // "\n\n" ends it too, so that ParseRequestHead can refuse it at once.
  for (size_t at = bytes.find('\n', searched < 3 ? 0 : searched - 3); at != std::string_view::npos;
       at = bytes.find('\n', at + 1)) {
    const std::string_view after = bytes.substr(at + 1, 2);
    if (after.substr(0, 1) == "\n") {
      return at + 2;
    }
    if (after == "\r\n") {
      return at + 3;
    }
  }
  return std::string_view::npos;
}

RequestHead ParseRequestHead(std::string_view head) {
  RequestHead parsed;
  Fields fields;
  bool is_http_1_0 = false;
  for (bool first = true; parsed.status == 0; first = false) {
    const size_t end = head.find('\n');
    if (end == std::string_view::npos || end == 0 || head[end - 1] != '\r') {
      return Refuse(400, "lines must end with CR LF");
    }
    const std::string_view line = head.substr(0, end - 1);
    head.remove_prefix(end + 1);
    if (first) {
      parsed = ReadRequestLine(line, &is_http_1_0);
    } else if (line.empty()) {
      return Combine(parsed, fields, is_http_1_0);
    } else {
      ReadLine(line, &fields, &parsed);
    }
  }
  return parsed;
}

}  // namespace http
