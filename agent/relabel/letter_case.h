// Letter case of UTF-8 text, beyond ASCII.
#pragma once

#include <string>
#include <string_view>

namespace relabel {

// Code point by code point, whatever the process' locale is. Bytes that are not UTF-8 stay.
std::string ToLowerUtf8(std::string_view text);
std::string ToUpperUtf8(std::string_view text);

}  // namespace relabel
