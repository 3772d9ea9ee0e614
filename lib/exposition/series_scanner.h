// Finds the pieces of `name{label="value",…}` in a page without copying them. The grammar is that
// of Prometheus' own parsers, which differs between the formats in blanks, commas and newlines.
#pragma once

#include <array>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "lib/base/result.h"
#include "lib/exposition/format.h"

namespace exposition {

// Bytes between quotes, or a bare name.
struct RawText {
  std::string_view bytes;
  bool escaped = false;  // Holds a backslash.
};

struct RawLabel {
  RawText name;
  RawText value;
};

struct RawSeries {
  RawText name;
  std::vector<RawLabel> labels;
};

// Which bytes end a token.
using ByteSet = std::array<bool, 256>;

constexpr ByteSet MakeByteSet(std::string_view bytes) {
  ByteSet set{};
  for (const char c : bytes) {
    set[static_cast<unsigned char>(c)] = true;
  }
  return set;
}

// The first of `ends` in the page from `at` on, or the page's size.
inline size_t FindByte(std::string_view page, size_t at, const ByteSet& ends) {
  while (at < page.size() && !ends[static_cast<unsigned char>(page[at])]) {
    ++at;
  }
  return at;
}

// Both fill `series`, whose views point into `page`, and return where they stopped. Errors:
// kInvalidArgument; kResourceExhausted for more than `max_labels`.

// A series that starts at `at`. Its name may stand among the labels: {"my.metric",a="b"}.
base::Result<size_t> ScanSeries(std::string_view page, size_t at, Format format, size_t max_labels,
                                RawSeries* series);

// The labels of an OpenMetrics exemplar; `at` is behind the opening brace. `series` has no name.
base::Result<size_t> ScanExemplarLabels(std::string_view page, size_t at, size_t max_labels,
                                        RawSeries* series);

// A name, bare or quoted, as HELP, TYPE and UNIT lines have it.
base::Result<size_t> ScanName(std::string_view page, size_t at, RawText* name);

// Resolves \\, \" and \n; any other escape stays as it is. `storage` is used if there is one.
std::string_view Unescape(RawText text, std::string* storage);

// The page from `at`, shortened, quoted, for an error message.
std::string Excerpt(std::string_view page, size_t at);

}  // namespace exposition
