// Any text as a test script: parsed or refused with a line.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "agent/promql/test_script.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static_cast<void>(
      promql::ParseTestScript(std::string_view(reinterpret_cast<const char*>(data), size)));
  return 0;
}
