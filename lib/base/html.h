// HTML text.
#pragma once

#include <string>
#include <string_view>

namespace base {

// Safe as text and inside quoted attributes.
std::string EscapeHtml(std::string_view text);

}  // namespace base
