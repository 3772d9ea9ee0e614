// The rows of the function table, one group a file.
#pragma once

#include <span>

#include "agent/promql/functions.h"

namespace promql {

std::span<const Function> AbsentFunctions();
std::span<const Function> HistogramFunctions();
std::span<const Function> InfoFunctions();
std::span<const Function> LabelFunctions();
std::span<const Function> MathFunctions();
std::span<const Function> OverTimeFunctions();
std::span<const Function> RateFunctions();
std::span<const Function> RegressionFunctions();
std::span<const Function> ScalarFunctions();
std::span<const Function> SortFunctions();
std::span<const Function> TimeFunctions();

// Short names for the rows.
inline constexpr ValueType kScalar = ValueType::kScalar;
inline constexpr ValueType kVector = ValueType::kVector;
inline constexpr ValueType kMatrix = ValueType::kMatrix;
inline constexpr ValueType kString = ValueType::kString;

}  // namespace promql
