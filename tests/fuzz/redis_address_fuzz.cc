// Addresses and password files, which users write.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "exporters/redis/address.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto address = exporters::redis::ParseAddress(text);
  const auto passwords = exporters::redis::ParsePasswords(text);
  if (address.ok() && passwords.ok()) {
    static_cast<void>(passwords->Find(*address));
  }
  return 0;
}
