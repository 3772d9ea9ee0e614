// The binary operators: one row each, so that lexer, parser, printer and engine agree.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "lib/model/native_histogram.h"

namespace promql {

enum class OperatorClass : uint8_t { kSet, kComparison, kArithmetic };

struct Operator {
  std::string_view text;
  OperatorClass type = OperatorClass::kArithmetic;
  uint8_t precedence = 0;  // Higher binds tighter.
  bool right_associative = false;
  // Arithmetic operators.
  double (*apply)(double, double) = nullptr;
  // Comparison operators.
  bool (*compare)(double, double) = nullptr;
  // Set operators: is an element kept, given whether the other side has its match group? Null for
  // `or`, which takes from both sides.
  bool (*keep)(bool) = nullptr;

  // What exists for native histograms too; all others drop the element with an info. Between two:
  // changes the left one.
  model::HistogramMismatch (*combine)(const model::NativeHistogram& right,
                                      model::NativeHistogram* left) = nullptr;
  // By a float.
  void (*scale)(double by, model::NativeHistogram* histogram) = nullptr;
  bool float_may_be_left = false;  // Of scale.
  // For the operators that tell equal from not equal: the outcome for equal ones.
  std::optional<bool> if_same = std::nullopt;
};

std::span<const Operator> Operators();
// By its text in lower case; null when there is none.
const Operator* FindOperator(std::string_view text);

// Unary + and - bind like multiplication.
inline constexpr uint8_t kUnaryPrecedence = 5;

}  // namespace promql
