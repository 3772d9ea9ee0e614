// Lengths of time that are computed: [5m * 2], offset (1h / 2), [max_of(step(), 30s)].
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "agent/promql/operators.h"
#include "lib/base/result.h"

namespace promql {

// What a duration is made of besides operators. One row each, so that parser and printer agree.
struct DurationTerm {
  std::string_view name;
  // Of the query, in seconds; one of the two.
  double (*of_query)(double range, double step) = nullptr;
  double (*of_two)(double a, double b) = nullptr;
};
// Null when there is none of that name.
const DurationTerm* FindDurationTerm(std::string_view name);

// A tree; immutable once it is parsed.
struct DurationExpr {
  enum class Kind : uint8_t { kNumber, kTerm, kUnary, kBinary, kParen };
  Kind kind = Kind::kNumber;
  double number = 0;         // In seconds.
  bool is_duration = false;  // Written as 1h30m; prints the same way.
  const DurationTerm* term = nullptr;
  const Operator* op = nullptr;
  std::shared_ptr<const DurationExpr> left = nullptr;  // Also of unary operators and parentheses.
  std::shared_ptr<const DurationExpr> right = nullptr;
};
using DurationPtr = std::shared_ptr<const DurationExpr>;

std::string ToString(const DurationExpr& expr);

// The times of the query a duration may refer to.
struct DurationContext {
  int64_t range_ms = 0;
  int64_t step_ms = 0;  // 0 in an instant query.
};
// In milliseconds. Errors: kInvalidArgument for a division by zero and for what is out of range.
base::Result<int64_t> Evaluate(const DurationExpr& expr, const DurationContext& context);

bool UsesQueryTimes(const DurationExpr& expr);

}  // namespace promql
