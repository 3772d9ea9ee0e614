#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "lib/base/url.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (base::PercentDecode(base::PercentEncode(text), true).value_or("") != text) {
    std::abort();
  }
  base::ParseQuery(text);
  base::RedactUrls(text);
  const auto host_port = base::ParseHostPort(text);
  if (host_port.ok() && (host_port->port < 0 || host_port->port > 65535)) {
    std::abort();
  }
  const auto url = base::ParseUrl(text);
  if (!url.ok()) {
    return 0;
  }
  // What is redacted parses again, to the same place and without credentials.
  const auto again = base::ParseUrl(url->Redacted());
  if (!again.ok() || again->host != url->host || again->port != url->port || !again->user.empty() ||
      !again->password.empty()) {
    std::abort();
  }
  return 0;
}
