// The head of a request, read strictly before civetweb sees it: what two parsers could read
// differently (RFC 9112: folded lines, a space before the colon, two lengths, …) is refused.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace http {

inline constexpr size_t kMaxRequestHeaders = 64;  // civetweb ignores what comes after.

struct RequestHead {
  int status = 0;  // 0 for a good one, else what to answer.
  std::string_view problem;
  uint64_t content_length = 0;
  bool keep_alive = false;
  bool expects_continue = false;
  // "http://host" in front of the path, to be taken out: civetweb knows only its own name.
  size_t authority_at = 0;
  size_t authority_bytes = 0;
};

// Whether a request can start so. A TLS handshake, for one, cannot.
bool CanStartHead(char first);

// Where the head ends, its empty line included; npos when more bytes are needed. `searched` bytes
// at the front have been looked at before.
size_t FindHeadEnd(std::string_view bytes, size_t searched);

// `head` ends with the empty line.
RequestHead ParseRequestHead(std::string_view head);

}  // namespace http
