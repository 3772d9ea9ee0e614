#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "lib/http/web_config.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

// Whatever the bytes: a configuration whose parts fit together, or an error with the file's name.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto config = http::ParseWebConfig(text, "web.yml");
  if (!config.ok()) {
    if (config.error().message().rfind("web.yml", 0) != 0) {
      std::abort();
    }
    return 0;
  }
  if (config->tls && (!config->tls->cert.given() || !config->tls->key.given())) {
    std::abort();
  }
  for (const auto& [name, value] : config->headers) {
    if (value.find_first_of("\r\n") != std::string::npos) {
      std::abort();
    }
  }
  return 0;
}
