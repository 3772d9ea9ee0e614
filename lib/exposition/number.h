// Numbers as Prometheus reads them.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace exposition {

// Go's strconv.ParseFloat without hexadecimal and underscores: inf, infinity and nan in any case,
// "1." and ".5"; what overflows is refused, what underflows is 0. Every NaN is model::kNormalNaN.
std::optional<double> ParseValue(std::string_view text);

// OpenMetrics' seconds, to the nearest millisecond; what int64_t cannot hold becomes its nearest
// end. NaN and infinities are refused.
std::optional<int64_t> ParseSeconds(std::string_view text);

}  // namespace exposition
