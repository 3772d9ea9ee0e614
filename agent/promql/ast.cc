#include "agent/promql/ast.h"

#include <algorithm>

#include "agent/promql/functions.h"

namespace promql {
namespace {

base::Result<void> Resolve(const DurationPtr& expr, const DurationContext& context,
                           bool must_be_positive, int64_t* ms) {
  if (expr == nullptr) {
    return {};
  }
  ASSIGN_OR_RETURN(*ms, Evaluate(*expr, context));
  if (must_be_positive && *ms <= 0) {
    return base::Error("duration must be greater than 0", base::ErrorKind::kInvalidArgument);
  }
  return {};
}

// A selector just parsed; @ comes later and clears it.
bool Varies(const Expr& expr) {
  if (std::holds_alternative<VectorSelector>(expr.node) ||
      std::holds_alternative<MatrixSelector>(expr.node) ||
      std::holds_alternative<Subquery>(expr.node)) {
    return true;
  }
  const auto* call = std::get_if<Call>(&expr.node);
  if (call != nullptr && call->function->Has(kUsesEvalTime)) {
    return true;
  }
  const std::vector<const Expr*> children = Children(expr);
  return std::any_of(children.begin(), children.end(),
                     [](const Expr* child) { return child->varies; });
}

}  // namespace

Expr::Expr(Node n, ValueType t, Position p)
    : node(std::move(n)), type(t), position(p), varies(Varies(*this)) {}

TimeShift* ShiftOf(Expr& expr) {
  if (auto* vector = std::get_if<VectorSelector>(&expr.node)) {
    return &vector->shift;
  }
  if (auto* matrix = std::get_if<MatrixSelector>(&expr.node)) {
    return &matrix->vector.shift;
  }
  auto* subquery = std::get_if<Subquery>(&expr.node);
  return subquery == nullptr ? nullptr : &subquery->shift;
}

bool HasDurationExprs(const Expr& expr) {
  bool has = false;
  Walk(expr, [&has](const Expr& at) {
    const TimeShift* shift = ShiftOf(const_cast<Expr&>(at));
    has = has || (shift != nullptr && shift->offset_expr != nullptr);
    if (const auto* matrix = std::get_if<MatrixSelector>(&at.node)) {
      has = has || matrix->range_expr != nullptr;
    } else if (const auto* subquery = std::get_if<Subquery>(&at.node)) {
      has = has || subquery->range_expr != nullptr || subquery->step_expr != nullptr;
    }
  });
  return has;
}

base::Result<void> ResolveDurations(const DurationContext& context, Expr* expr) {
  if (TimeShift* shift = ShiftOf(*expr)) {
    RETURN_IF_ERROR(Resolve(shift->offset_expr, context, false, &shift->offset_ms));
  }
  if (auto* matrix = std::get_if<MatrixSelector>(&expr->node)) {
    RETURN_IF_ERROR(Resolve(matrix->range_expr, context, true, &matrix->range_ms));
  } else if (auto* subquery = std::get_if<Subquery>(&expr->node)) {
    RETURN_IF_ERROR(Resolve(subquery->range_expr, context, true, &subquery->range_ms));
    RETURN_IF_ERROR(Resolve(subquery->step_expr, context, true, &subquery->step_ms));
  }
  for (Expr* child : Children(*expr)) {
    RETURN_IF_ERROR(ResolveDurations(context, child));
  }
  return {};
}

std::string_view TypeName(ValueType type) {
  switch (type) {
    case ValueType::kNone:
      return "none";
    case ValueType::kScalar:
      return "scalar";
    case ValueType::kVector:
      return "instant vector";
    case ValueType::kMatrix:
      return "range vector";
    case ValueType::kString:
      return "string";
  }
  return "none";
}

const Expr& Unwrap(const Expr& expr) {
  const Expr* at = &expr;
  while (const auto* paren = std::get_if<Paren>(&at->node)) {
    at = paren->inner.get();
  }
  return *at;
}

std::vector<const Expr*> Children(const Expr& expr) {
  const std::vector<Expr*> children = Children(const_cast<Expr&>(expr));
  return {children.begin(), children.end()};
}

std::vector<Expr*> Children(Expr& expr) {
  std::vector<Expr*> children;
  const auto add = [&children](const ExprPtr& child) {
    if (child) {
      children.push_back(child.get());
    }
  };
  if (const auto* paren = std::get_if<Paren>(&expr.node)) {
    add(paren->inner);
  } else if (const auto* unary = std::get_if<Unary>(&expr.node)) {
    add(unary->operand);
  } else if (const auto* subquery = std::get_if<Subquery>(&expr.node)) {
    add(subquery->inner);
  } else if (const auto* call = std::get_if<Call>(&expr.node)) {
    for (const ExprPtr& arg : call->args) {
      add(arg);
    }
  } else if (const auto* aggregate = std::get_if<Aggregate>(&expr.node)) {
    add(aggregate->parameter);
    add(aggregate->operand);
  } else if (const auto* binary = std::get_if<Binary>(&expr.node)) {
    add(binary->left);
    add(binary->right);
  }
  return children;
}

}  // namespace promql
