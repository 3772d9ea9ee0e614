#include "agent/promql/operators.h"

#include <algorithm>
#include <cmath>

namespace promql {
namespace {

constexpr OperatorClass kSet = OperatorClass::kSet;
constexpr OperatorClass kComparison = OperatorClass::kComparison;
constexpr OperatorClass kArithmetic = OperatorClass::kArithmetic;

constexpr Operator kOperators[] = {
    {"or", kSet, 1},
    {"and", kSet, 2, false, nullptr, nullptr, [](bool matched) { return matched; }},
    {"unless", kSet, 2, false, nullptr, nullptr, [](bool matched) { return !matched; }},
    {"==", kComparison, 3, false, nullptr, [](double a, double b) { return a == b; }},
    {"!=", kComparison, 3, false, nullptr, [](double a, double b) { return a != b; }},
    {"<", kComparison, 3, false, nullptr, [](double a, double b) { return a < b; }},
    {"<=", kComparison, 3, false, nullptr, [](double a, double b) { return a <= b; }},
    {">", kComparison, 3, false, nullptr, [](double a, double b) { return a > b; }},
    {">=", kComparison, 3, false, nullptr, [](double a, double b) { return a >= b; }},
    {"+", kArithmetic, 4, false, [](double a, double b) { return a + b; }},
    {"-", kArithmetic, 4, false, [](double a, double b) { return a - b; }},
    {"*", kArithmetic, kUnaryPrecedence, false, [](double a, double b) { return a * b; }},
    {"/", kArithmetic, kUnaryPrecedence, false, [](double a, double b) { return a / b; }},
    {"%", kArithmetic, kUnaryPrecedence, false, [](double a, double b) { return std::fmod(a, b); }},
    {"atan2", kArithmetic, kUnaryPrecedence, false,
     [](double a, double b) { return std::atan2(a, b); }},
    {"^", kArithmetic, 6, true, [](double a, double b) { return std::pow(a, b); }},
};

}  // namespace

std::span<const Operator> Operators() { return kOperators; }

const Operator* FindOperator(std::string_view text) {
  const auto* found = std::find_if(std::begin(kOperators), std::end(kOperators),
                                   [text](const Operator& row) { return row.text == text; });
  return found == std::end(kOperators) ? nullptr : found;
}

}  // namespace promql
