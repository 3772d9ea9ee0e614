// Element-wise arithmetic.
#include <cmath>
#include <limits>
#include <numbers>

#include "agent/promql/functions/groups.h"

namespace promql {
namespace {

using Args = std::span<const double>;

constexpr double kInfinity = std::numeric_limits<double>::infinity();

// As Go's math.Max and math.Min: NaN wins over every number but the infinity that nothing exceeds.
double MaxOf(double a, double b) {
  if (std::isnan(a) || std::isnan(b)) {
    return std::fmax(a, b) == kInfinity ? kInfinity : a + b;
  }
  return std::fmax(a, b);
}
double MinOf(double a, double b) {
  if (std::isnan(a) || std::isnan(b)) {
    return std::fmin(a, b) == -kInfinity ? -kInfinity : a + b;
  }
  return std::fmin(a, b);
}

std::optional<double> Clamp(double value, Args args) {
  if (args[0] > args[1]) {
    return std::nullopt;
  }
  return MaxOf(args[0], MinOf(args[1], value));
}

std::optional<double> ClampMax(double value, Args args) { return MinOf(args[0], value); }
std::optional<double> ClampMin(double value, Args args) { return MaxOf(args[0], value); }

// Ties go up. The inverse is used because 1/0.1 is exact where 0.1 is not.
std::optional<double> Round(double value, Args args) {
  const double inverse = 1 / (args.empty() ? 1 : args[0]);
  return std::floor(value * inverse + 0.5) / inverse;
}

std::optional<double> Sgn(double value, Args /*args*/) {
  return value < 0 ? -1 : value > 0 ? 1 : value;
}

template <double (*Apply)(double)>
std::optional<double> Map(double value, Args /*args*/) {
  return Apply(value);
}

std::optional<double> Deg(double value, Args /*args*/) { return value * 180 / std::numbers::pi; }
std::optional<double> Rad(double value, Args /*args*/) { return value * std::numbers::pi / 180; }

constexpr Function kFunctions[] = {
    {.name = "abs", .help = "Absolute value.", .args = {kVector}, .eval = Map<std::fabs>},
    {.name = "acos", .help = "Arc cosine.", .args = {kVector}, .eval = Map<std::acos>},
    {.name = "acosh",
     .help = "Inverse hyperbolic cosine.",
     .args = {kVector},
     .eval = Map<std::acosh>},
    {.name = "asin", .help = "Arc sine.", .args = {kVector}, .eval = Map<std::asin>},
    {.name = "asinh",
     .help = "Inverse hyperbolic sine.",
     .args = {kVector},
     .eval = Map<std::asinh>},
    {.name = "atan", .help = "Arc tangent.", .args = {kVector}, .eval = Map<std::atan>},
    {.name = "atanh",
     .help = "Inverse hyperbolic tangent.",
     .args = {kVector},
     .eval = Map<std::atanh>},
    {.name = "ceil", .help = "Rounds up.", .args = {kVector}, .eval = Map<std::ceil>},
    {.name = "clamp",
     .help = "Limits values to a minimum and a maximum.",
     .args = {kVector, kScalar, kScalar},
     .eval = Clamp},
    {.name = "clamp_max",
     .help = "Limits values to a maximum.",
     .args = {kVector, kScalar},
     .eval = ClampMax},
    {.name = "clamp_min",
     .help = "Limits values to a minimum.",
     .args = {kVector, kScalar},
     .eval = ClampMin},
    {.name = "cos", .help = "Cosine.", .args = {kVector}, .eval = Map<std::cos>},
    {.name = "cosh", .help = "Hyperbolic cosine.", .args = {kVector}, .eval = Map<std::cosh>},
    {.name = "deg", .help = "Radians to degrees.", .args = {kVector}, .eval = Deg},
    {.name = "exp",
     .help = "e to the power of the value.",
     .args = {kVector},
     .eval = Map<std::exp>},
    {.name = "floor", .help = "Rounds down.", .args = {kVector}, .eval = Map<std::floor>},
    {.name = "ln", .help = "Natural logarithm.", .args = {kVector}, .eval = Map<std::log>},
    {.name = "log10", .help = "Decimal logarithm.", .args = {kVector}, .eval = Map<std::log10>},
    {.name = "log2", .help = "Binary logarithm.", .args = {kVector}, .eval = Map<std::log2>},
    {.name = "rad", .help = "Degrees to radians.", .args = {kVector}, .eval = Rad},
    {.name = "round",
     .help = "Rounds to the nearest multiple (default 1), ties up.",
     .args = {kVector, kScalar},
     .variadic = Function::kOptional,
     .eval = Round},
    {.name = "sgn", .help = "Sign: -1, 0 or 1.", .args = {kVector}, .eval = Sgn},
    {.name = "sin", .help = "Sine.", .args = {kVector}, .eval = Map<std::sin>},
    {.name = "sinh", .help = "Hyperbolic sine.", .args = {kVector}, .eval = Map<std::sinh>},
    {.name = "sqrt", .help = "Square root.", .args = {kVector}, .eval = Map<std::sqrt>},
    {.name = "tan", .help = "Tangent.", .args = {kVector}, .eval = Map<std::tan>},
    {.name = "tanh", .help = "Hyperbolic tangent.", .args = {kVector}, .eval = Map<std::tanh>},
};

}  // namespace

std::span<const Function> MathFunctions() { return kFunctions; }

}  // namespace promql
