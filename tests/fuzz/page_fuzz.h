// What must hold for any page in either format.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>

#include "lib/exposition/parser.h"

namespace fuzz {

struct ParsedPage {
  bool ok = false;
  size_t samples = 0;
  std::string text;  // Every series and its value, to compare two runs.
};

inline ParsedPage Parse(std::string_view page, exposition::Format format,
                        exposition::ParseMode mode, bool expect_series) {
  ParsedPage parsed;
  exposition::Parser parser(page, format, mode);
  std::string_view last;
  for (;;) {
    if (expect_series) {
      parser.ExpectSeries(last);
    }
    const auto entry = parser.Next();
    if (!entry.ok()) {
      return parsed;
    }
    if (*entry == exposition::Entry::kEnd) {
      parsed.ok = true;
      return parsed;
    }
    if (*entry != exposition::Entry::kSeries) {
      parser.help();
      continue;
    }
    last = parser.series();
    model::LabelsBuilder labels;
    parser.BuildLabels(&labels);
    parsed.samples += 1;
    parsed.text += labels.Build().ToString() + std::to_string(parser.value()) +
                   std::to_string(parser.timestamp_ms().value_or(-1)) + '\n';
  }
}

// No crash; a guessed series changes nothing; what is strictly right can be scraped.
inline void CheckPage(const uint8_t* data, size_t size, exposition::Format format) {
  const std::string_view page(reinterpret_cast<const char*>(data), size);
  const ParsedPage scraped = Parse(page, format, exposition::ParseMode::kScraping, false);
  const ParsedPage guided = Parse(page, format, exposition::ParseMode::kScraping, true);
  const ParsedPage strict = Parse(page, format, exposition::ParseMode::kStrict, false);
  if (scraped.ok != guided.ok || scraped.text != guided.text) {
    std::abort();
  }
  if (strict.ok && (!scraped.ok || strict.text != scraped.text)) {
    std::abort();
  }
}

}  // namespace fuzz
