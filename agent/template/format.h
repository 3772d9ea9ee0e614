// Go's fmt: numbers and Sprintf.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

#include "agent/template/value.h"
#include "lib/base/result.h"

namespace tmpl {

inline constexpr int kShortest = -1;  // As many digits as read back to the same number.
inline constexpr int kMaxFormatWidth = 1000;

// strconv.FormatFloat for the verbs e E f F g G x X. The shortest 'g' (which is %v) has an exponent
// below 1e-4 and from 1e6 on: "100000", "1e+06".
std::string FormatFloat(double value, char verb, int precision);

// fmt.Sprintf. Mistakes are written into the text, as in Go ("%!d(MISSING)"). The verbs are
// v d s f F g G e E q x X o O b c t T U %. Errors: kInvalidArgument for a width or precision
// beyond kMaxFormatWidth, kResourceExhausted for an output beyond kMaxOutputBytes.
base::Result<std::string> Sprintf(std::string_view format, std::span<const Value> args);

// A Go string literal in double quotes.
std::string Quote(std::string_view text);

}  // namespace tmpl
