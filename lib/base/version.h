// What was built. The texts come from CMake: the project's version and, where the sources are a git
// checkout, its revision and branch when CMake last ran; else those two are "unknown".
#pragma once

#include <string_view>

namespace base {

std::string_view Version();   // "0.1.0"
std::string_view Revision();  // 40 hexadecimal digits.
std::string_view Branch();
std::string_view Compiler();  // "GNU 12.2.0"

}  // namespace base
