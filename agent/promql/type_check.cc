#include "agent/promql/type_check.h"

#include <algorithm>

#include <fmt/format.h>

#include "agent/promql/aggregations.h"
#include "agent/promql/functions.h"
#include "agent/promql/quote.h"

namespace promql {
namespace {

using Error = std::optional<TypeError>;

Error Fail(Position position, std::string message) {
  return TypeError{position, std::move(message)};
}

Error Expect(const Expr& expr, ValueType want, std::string_view context) {
  if (expr.type == want) {
    return std::nullopt;
  }
  return Fail(expr.position, fmt::format("expected type {} in {}, got {}", TypeName(want), context,
                                         TypeName(expr.type)));
}

std::string_view TypeWord(ValueType type) {
  return type == ValueType::kMatrix   ? "matrix"
         : type == ValueType::kVector ? "vector"
                                      : TypeName(type);
}

bool IsScalarOrVector(ValueType type) {
  return type == ValueType::kScalar || type == ValueType::kVector;
}

Error Check(const Paren& /*paren*/, const Expr& /*expr*/) { return std::nullopt; }
Error Check(const NumberLiteral& /*literal*/, const Expr& /*expr*/) { return std::nullopt; }
Error Check(const StringLiteral& /*literal*/, const Expr& /*expr*/) { return std::nullopt; }

Error Check(const Unary& unary, const Expr& expr) {
  if (IsScalarOrVector(unary.operand->type)) {
    return std::nullopt;
  }
  return Fail(expr.position,
              fmt::format("unary expression only allowed on expressions of type scalar or instant "
                          "vector, got \"{}\"",
                          TypeName(unary.operand->type)));
}

Error CheckSelector(const VectorSelector& selector, Position position) {
  std::string name = selector.name;
  const size_t inside = selector.matchers.size() - (name.empty() ? 0 : 1);
  for (size_t i = 0; i < inside; ++i) {
    const model::Matcher& matcher = selector.matchers[i];
    if (matcher.name() != model::kMetricNameLabel) {
      continue;
    }
    if (!name.empty()) {
      return Fail(position, fmt::format("metric name must not be set twice: {} or {}", Quote(name),
                                        Quote(matcher.value())));
    }
    name = matcher.type() == model::MatchType::kEqual ? matcher.value() : "";
  }
  const bool narrows = std::any_of(
      selector.matchers.begin(), selector.matchers.end(),
      [](const model::Matcher& matcher) { return !matcher.Matches(std::string_view()); });
  if (!narrows) {
    return Fail(position, "vector selector must contain at least one non-empty matcher");
  }
  return std::nullopt;
}

Error Check(const VectorSelector& selector, const Expr& expr) {
  return CheckSelector(selector, expr.position);
}

Error Check(const MatrixSelector& selector, const Expr& expr) {
  return CheckSelector(selector.vector, expr.position);
}

Error Check(const Subquery& subquery, const Expr& expr) {
  if (subquery.inner->type == ValueType::kVector) {
    return std::nullopt;
  }
  return Fail(expr.position,
              fmt::format("subquery is only allowed on instant vector, got {} instead",
                          TypeWord(subquery.inner->type)));
}

Error Check(const Call& call, const Expr& expr) {
  const Function& function = *call.function;
  const size_t count = call.args.size();
  const size_t min = function.min_args();
  if (function.variadic == Function::kExactly && count != min) {
    return Fail(expr.position, fmt::format("expected {} argument(s) in call to \"{}\", got {}", min,
                                           function.name, count));
  }
  if (count < min) {
    return Fail(expr.position,
                fmt::format("expected at least {} argument(s) in call to \"{}\", got {}", min,
                            function.name, count));
  }
  if (function.variadic > 0 && count > min + static_cast<size_t>(function.variadic)) {
    return Fail(expr.position,
                fmt::format("expected at most {} argument(s) in call to \"{}\", got {}",
                            min + static_cast<size_t>(function.variadic), function.name, count));
  }
  const std::string context = fmt::format("call to function \"{}\"", function.name);
  for (size_t i = 0; i < count; ++i) {
    if (Error error = Expect(*call.args[i], function.args.At(i), context)) {
      return error;
    }
  }
  return std::nullopt;
}

Error Check(const Aggregate& aggregate, const Expr& /*expr*/) {
  if (Error error = Expect(*aggregate.operand, ValueType::kVector, "aggregation expression")) {
    return error;
  }
  if (aggregate.parameter == nullptr) {
    return std::nullopt;
  }
  return Expect(*aggregate.parameter, aggregate.aggregation->parameter, "aggregation parameter");
}

Error CheckMatching(const Binary& binary, const Expr& expr) {
  const bool vectors =
      binary.left->type == ValueType::kVector && binary.right->type == ValueType::kVector;
  const VectorMatching& matching = *binary.matching;
  if (!vectors && !matching.labels.empty()) {
    return Fail(expr.position, "vector matching only allowed between instant vectors");
  }
  if (!vectors && (matching.fill_left || matching.fill_right)) {
    return Fail(expr.position, "filling in missing series only allowed between instant vectors");
  }
  const bool grouping = matching.cardinality == Cardinality::kManyToOne ||
                        matching.cardinality == Cardinality::kOneToMany;
  if (vectors && binary.op->type == OperatorClass::kSet && grouping) {
    return Fail(expr.position,
                fmt::format("no grouping allowed for \"{}\" operation", binary.op->text));
  }
  return std::nullopt;
}

Error Check(const Binary& binary, const Expr& expr) {
  const ValueType left = binary.left->type;
  const ValueType right = binary.right->type;
  const bool comparison = binary.op->type == OperatorClass::kComparison;
  const Position op{binary.left->position.end, binary.right->position.start};
  if (binary.return_bool && !comparison) {
    return Fail(op, "bool modifier can only be used on comparison operators");
  }
  if (comparison && !binary.return_bool && left == ValueType::kScalar &&
      right == ValueType::kScalar) {
    return Fail(op, "comparisons between scalars must use BOOL modifier");
  }
  for (const std::string& label : binary.matching->labels) {
    const auto& include = binary.matching->include;
    if (binary.matching->on && std::find(include.begin(), include.end(), label) != include.end()) {
      return Fail(
          op, fmt::format("label {} must not occur in ON and GROUP clause at once", Quote(label)));
    }
  }
  for (const ExprPtr* side : {&binary.left, &binary.right}) {
    if (!IsScalarOrVector((*side)->type)) {
      return Fail((*side)->position,
                  "binary expression must contain only scalar and instant vector types");
    }
  }
  if (Error error = CheckMatching(binary, expr)) {
    return error;
  }
  if (binary.op->type == OperatorClass::kSet &&
      (left == ValueType::kScalar || right == ValueType::kScalar)) {
    return Fail(expr.position,
                fmt::format("set operator \"{}\" not allowed in binary scalar expression",
                            binary.op->text));
  }
  return std::nullopt;
}

// Matchers as an argument: not evaluated, so that it does not matter how much they select.
Error CheckLabelSelector(const Expr& arg) {
  const auto* selector = std::get_if<VectorSelector>(&Unwrap(arg).node);
  if (selector == nullptr || !selector->name.empty()) {
    return Fail(arg.position,
                fmt::format("expected label selectors only, but got {} instead",
                            selector == nullptr ? TypeName(arg.type) : "vector selector"));
  }
  return std::nullopt;
}

}  // namespace

std::optional<TypeError> CheckTypes(const Expr& expr, std::string_view text) {
  const auto* call = std::get_if<Call>(&expr.node);
  const bool has_selector = call != nullptr && call->function->Has(kTakesLabelSelector);
  for (const Expr* child : Children(expr)) {
    if (has_selector && child != call->args.front().get()) {
      if (Error error = CheckLabelSelector(*child)) {
        return error;
      }
      continue;
    }
    if (Error error = CheckTypes(*child, text)) {
      return error;
    }
  }
  Error error = std::visit([&expr](const auto& node) { return Check(node, expr); }, expr.node);
  if (error) {
    // Errors about an operator point at it, not at the space before it.
    while (error->position.start < text.size() && text[error->position.start] == ' ') {
      ++error->position.start;
    }
  }
  return error;
}

}  // namespace promql
