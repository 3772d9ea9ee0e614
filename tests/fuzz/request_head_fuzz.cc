#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "lib/http/request_head.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

// The end is found the same however the bytes arrive, and a head that is accepted has nothing that
// another parser could read differently.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const size_t end = http::FindHeadEnd(text, 0);
  size_t stepped = std::string_view::npos;
  for (size_t have = 1; have <= size && stepped == std::string_view::npos; ++have) {
    stepped = http::FindHeadEnd(text.substr(0, have), have - 1);
  }
  if (stepped != end) {
    std::abort();
  }
  if (end == std::string_view::npos) {
    return 0;
  }
  const http::RequestHead head = http::ParseRequestHead(text.substr(0, end));
  if (head.status != 0) {
    return 0;
  }
  const std::string_view accepted = text.substr(0, end);
  const size_t path_at = head.authority_at + head.authority_bytes;
  if (path_at >= end || text[path_at] != '/' || accepted.find("\n ") != std::string_view::npos ||
      accepted.find("\n\t") != std::string_view::npos ||
      accepted.find('\0') != std::string_view::npos) {
    std::abort();
  }
  return 0;
}
