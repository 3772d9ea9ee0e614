#include "agent/promql/operators.h"

#include <algorithm>
#include <cmath>

namespace promql {
namespace {

constexpr OperatorClass kSet = OperatorClass::kSet;
constexpr OperatorClass kComparison = OperatorClass::kComparison;

model::HistogramMismatch Difference(const model::NativeHistogram& right,
                                    model::NativeHistogram* left) {
  const auto mismatch = model::Subtract(right, left);
  left->reset = model::CounterReset::kGauge;
  return mismatch;
}

constexpr Operator kOperators[] = {
    {.text = "or", .type = kSet, .precedence = 1},
    {.text = "and", .type = kSet, .precedence = 2, .keep = [](bool matched) { return matched; }},
    {.text = "unless",
     .type = kSet,
     .precedence = 2,
     .keep = [](bool matched) { return !matched; }},
    {.text = "==",
     .type = kComparison,
     .precedence = 3,
     .compare = [](double a, double b) { return a == b; },
     .if_same = true},
    {.text = "!=",
     .type = kComparison,
     .precedence = 3,
     .compare = [](double a, double b) { return a != b; },
     .if_same = false},
    {.text = "<",
     .type = kComparison,
     .precedence = 3,
     .compare = [](double a, double b) { return a < b; }},
    {.text = "<=",
     .type = kComparison,
     .precedence = 3,
     .compare = [](double a, double b) { return a <= b; }},
    {.text = ">",
     .type = kComparison,
     .precedence = 3,
     .compare = [](double a, double b) { return a > b; }},
    {.text = ">=",
     .type = kComparison,
     .precedence = 3,
     .compare = [](double a, double b) { return a >= b; }},
    {.text = "+",
     .precedence = 4,
     .apply = [](double a, double b) { return a + b; },
     .combine = model::Add},
    {.text = "-",
     .precedence = 4,
     .apply = [](double a, double b) { return a - b; },
     .combine = Difference},
    {.text = "*",
     .precedence = kUnaryPrecedence,
     .apply = [](double a, double b) { return a * b; },
     .scale = model::Multiply,
     .float_may_be_left = true},
    {.text = "/",
     .precedence = kUnaryPrecedence,
     .apply = [](double a, double b) { return a / b; },
     .scale = model::Divide},
    {.text = "%",
     .precedence = kUnaryPrecedence,
     .apply = [](double a, double b) { return std::fmod(a, b); }},
    {.text = "atan2",
     .precedence = kUnaryPrecedence,
     .apply = [](double a, double b) { return std::atan2(a, b); }},
    {.text = "^",
     .precedence = 6,
     .right_associative = true,
     .apply = [](double a, double b) { return std::pow(a, b); }},
};

}  // namespace

std::span<const Operator> Operators() { return kOperators; }

const Operator* FindOperator(std::string_view text) {
  const auto* found = std::find_if(std::begin(kOperators), std::end(kOperators),
                                   [text](const Operator& row) { return row.text == text; });
  return found == std::end(kOperators) ? nullptr : found;
}

}  // namespace promql
