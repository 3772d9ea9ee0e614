#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "agent/web/api_parameters.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto time = web::ParseTimeMs(text);
  if (time.ok() && (*time < web::kMinTimeMs || *time > web::kMaxTimeMs)) {
    std::abort();
  }
  static_cast<void>(web::ParseApiDuration(text));
  web::UnescapeLabelName(text);
  return 0;
}
