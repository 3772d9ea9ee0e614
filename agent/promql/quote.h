// Quoted strings as Go writes and reads them, which is how PromQL does.
#pragma once

#include <string>
#include <string_view>

#include "lib/base/result.h"

namespace promql {

// "…" with escapes for what is not printable; bytes that are not UTF-8 become \xHH.
std::string Quote(std::string_view text);

// The same of one character, in single quotes.
std::string QuoteRune(std::string_view text);

// The inside of a "…" or '…' literal whose quote is `quote`.
base::Result<std::string> Unescape(std::string_view inside, char quote);

// Bytes of the UTF-8 character at the start of `text`; 0 when it is not valid.
size_t RuneLength(std::string_view text);

}  // namespace promql
