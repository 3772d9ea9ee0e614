// Any text: the parser answers or refuses, and what it prints it reads back as the same query.
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

#include "agent/promql/parser.h"
#include "agent/promql/printer.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const promql::ParserOptions options{
      .experimental_functions = true, .fill_modifiers = true, .extended_ranges = true};
  const auto expr = promql::ParseExpr(text, options);
  if (!expr) {
    return 0;
  }
  const std::string printed = promql::ToString(**expr);
  const auto again = promql::ParseExpr(printed, options);
  if (!again || promql::ToString(**again) != printed) {
    std::fprintf(stderr, "not stable: %s\n", printed.c_str());
    std::abort();
  }
  return 0;
}
