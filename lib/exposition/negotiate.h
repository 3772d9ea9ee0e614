// Which format and encoding a request asks for, and which a response has.
#pragma once

#include <optional>
#include <string_view>

#include "lib/exposition/format.h"

namespace exposition {

struct Negotiated {
  Format format = Format::kText;
  std::string_view content_type;  // For the response; lives for ever.
};

// Of an Accept header; "" accepts anything. Highest q wins, then what is named first, then text;
// text is also the answer when nothing we write is acceptable.
Negotiated NegotiateFormat(std::string_view accept);

// Whether an Accept-Encoding header allows gzip: "gzip;q=0" does not, "" does not.
bool AcceptsGzip(std::string_view accept_encoding);

// The format of a scraped page, or nullopt for a Content-Type that is neither.
std::optional<Format> FormatOfContentType(std::string_view content_type);

}  // namespace exposition
