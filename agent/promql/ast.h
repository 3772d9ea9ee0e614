// A parsed query. Immutable after the parser has checked it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "agent/promql/duration.h"
#include "agent/promql/operators.h"
#include "lib/model/matcher.h"

namespace promql {

struct Aggregation;  // aggregations.h
struct Function;     // functions.h

enum class ValueType : uint8_t { kNone, kScalar, kVector, kMatrix, kString };

// "scalar", "instant vector", "range vector", "string".
std::string_view TypeName(ValueType type);

// Byte offsets into the query.
struct Position {
  size_t start = 0;
  size_t end = 0;
};

struct Expr;
using ExprPtr = std::unique_ptr<Expr>;

struct NumberLiteral {
  double value = 0;
  bool is_duration = false;  // Written as 1h30m; prints the same way.
};

struct StringLiteral {
  std::string value;
};

struct Paren {
  ExprPtr inner;
};

struct Unary {
  const Operator* op = nullptr;
  ExprPtr operand;
};

// How a selector looks beyond its window: `anchored` takes the last sample before it as its first
// value, `smoothed` interpolates at both ends.
enum class Extension : uint8_t { kNone, kAnchored, kSmoothed };

// The @ and offset modifiers. Durations that are expressions are computed per query: see
// ResolveDurations.
struct TimeShift {
  enum class At : uint8_t { kNone, kTimestamp, kStart, kEnd };
  At at = At::kNone;
  int64_t at_ms = 0;  // With kTimestamp.
  int64_t offset_ms = 0;
  DurationPtr offset_expr = nullptr;
  bool has_offset = false;
};

struct VectorSelector {
  std::string name;  // Empty when the selector names no metric outside the braces.
  std::vector<model::Matcher> matchers;  // The name among them, last.
  TimeShift shift;
  Extension extension = Extension::kNone;
};

struct MatrixSelector {
  VectorSelector vector;
  int64_t range_ms = 0;
  DurationPtr range_expr = nullptr;
};

struct Subquery {
  ExprPtr inner;
  int64_t range_ms = 0;
  int64_t step_ms = 0;  // 0: the engine's default.
  DurationPtr range_expr = nullptr;
  DurationPtr step_expr = nullptr;
  TimeShift shift;
};

struct Call {
  const Function* function = nullptr;
  std::vector<ExprPtr> args;
};

struct Aggregate {
  const Aggregation* aggregation = nullptr;
  ExprPtr operand;
  ExprPtr parameter;  // Null when the aggregation takes none.
  std::vector<std::string> grouping;
  bool without = false;
};

enum class Cardinality : uint8_t { kOneToOne, kManyToOne, kOneToMany, kManyToMany };

struct VectorMatching {
  Cardinality cardinality = Cardinality::kOneToOne;
  std::vector<std::string> labels;
  bool on = false;
  std::vector<std::string> include;  // Of group_left and group_right.
  // What stands for a missing match on that side.
  std::optional<double> fill_left = std::nullopt;
  std::optional<double> fill_right = std::nullopt;
};

struct Binary {
  const Operator* op = nullptr;
  ExprPtr left;
  ExprPtr right;
  bool return_bool = false;
  // Between two vectors.
  std::optional<VectorMatching> matching;
};

using Node = std::variant<NumberLiteral, StringLiteral, Paren, Unary, VectorSelector,
                          MatrixSelector, Subquery, Call, Aggregate, Binary>;

struct Expr {
  Expr(Node n, ValueType t, Position p);

  Node node;
  ValueType type;
  Position position;
  // False when the value is the same at every step, because there are only literals below, or all
  // selectors are fixed by @. Then once is enough.
  bool varies;
};

// The shift of a selector or subquery; null for anything else.
TimeShift* ShiftOf(Expr& expr);

bool HasDurationExprs(const Expr& expr);
// Computes durations that are expressions. Errors: kInvalidArgument.
base::Result<void> ResolveDurations(const DurationContext& context, Expr* expr);

// Without enclosing parentheses.
const Expr& Unwrap(const Expr& expr);

// Calls `visit(const Expr&)` on the expression and everything below it, parents first.
template <typename Visit>
void Walk(const Expr& expr, const Visit& visit);

std::vector<const Expr*> Children(const Expr& expr);
std::vector<Expr*> Children(Expr& expr);

template <typename Visit>
void Walk(const Expr& expr, const Visit& visit) {
  visit(expr);
  for (const Expr* child : Children(expr)) {
    Walk(*child, visit);
  }
}

}  // namespace promql
