// Connection strings and password files, which users write.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "exporters/pgbouncer/connection_string.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto info = exporters::pgbouncer::ParseConnectionString(text, {.user = "me"});
  static_cast<void>(exporters::pgbouncer::FindInPassFile(text, {}));
  if (info.ok()) {
    static_cast<void>(info->ToString());
  }
  return 0;
}
