#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "lib/exposition/gzip.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  constexpr size_t kMaxBytes = 1 << 16;
  const auto plain =
      exposition::Gunzip(std::string_view(reinterpret_cast<const char*>(data), size), kMaxBytes);
  if (plain.ok() && plain->size() > kMaxBytes) {
    std::abort();
  }
  return 0;
}
