#include "agent/promql/printer.h"

#include <chrono>

#include <fmt/format.h>

#include "agent/promql/aggregations.h"
#include "agent/promql/functions.h"
#include "agent/promql/quote.h"
#include "lib/base/duration.h"
#include "lib/base/strings.h"

namespace promql {
namespace {

std::string Duration(int64_t ms) { return base::FormatDuration(std::chrono::milliseconds(ms)); }

std::string LabelName(const std::string& name) {
  return model::IsLegacyLabelName(name) ? name : Quote(name);
}

std::string LabelNames(const std::vector<std::string>& names) {
  std::vector<std::string> printed;
  printed.reserve(names.size());
  for (const std::string& name : names) {
    printed.push_back(LabelName(name));
  }
  return base::Join(printed, ", ");
}

std::string Duration(int64_t ms, const DurationPtr& expr) {
  return expr != nullptr ? ToString(*expr) : Duration(ms);
}

std::string_view ExtensionText(Extension extension) {
  switch (extension) {
    case Extension::kNone:
      break;
    case Extension::kAnchored:
      return " anchored";
    case Extension::kSmoothed:
      return " smoothed";
  }
  return "";
}

std::string Shift(const TimeShift& shift) {
  std::string text;
  switch (shift.at) {
    case TimeShift::At::kNone:
      break;
    case TimeShift::At::kTimestamp:
      text = fmt::format(" @ {:.3f}", static_cast<double>(shift.at_ms) / 1000);
      break;
    case TimeShift::At::kStart:
      text = " @ start()";
      break;
    case TimeShift::At::kEnd:
      text = " @ end()";
      break;
  }
  if (shift.offset_ms != 0 || shift.offset_expr != nullptr) {
    text += " offset " + Duration(shift.offset_ms, shift.offset_expr);
  }
  return text;
}

std::string Selector(const VectorSelector& selector) {
  const bool bare_name = model::IsLegacyMetricName(selector.name);
  std::vector<std::string> inside;
  if (!selector.name.empty() && !bare_name) {
    inside.push_back(Quote(selector.name));
  }
  const size_t count = selector.matchers.size() - (selector.name.empty() ? 0 : 1);
  for (size_t i = 0; i < count; ++i) {
    const model::Matcher& matcher = selector.matchers[i];
    inside.push_back(fmt::format("{}{}{}", LabelName(matcher.name()),
                                 model::MatchOperator(matcher.type()), Quote(matcher.value())));
  }
  const std::string name = bare_name ? selector.name : "";
  return inside.empty() && bare_name ? name
                                     : fmt::format("{}{{{}}}", name, base::Join(inside, ","));
}

std::string Print(const NumberLiteral& literal) {
  if (!literal.is_duration) {
    return base::FormatDouble(literal.value);
  }
  return Duration(static_cast<int64_t>(literal.value * 1000));
}

std::string Print(const StringLiteral& literal) { return Quote(literal.value); }

std::string Print(const Paren& paren) { return fmt::format("({})", ToString(*paren.inner)); }

std::string Print(const Unary& unary) {
  return fmt::format("{}{}", unary.op->text, ToString(*unary.operand));
}

std::string Print(const VectorSelector& selector) {
  return fmt::format("{}{}{}", Selector(selector), ExtensionText(selector.extension),
                     Shift(selector.shift));
}

std::string Print(const MatrixSelector& selector) {
  return fmt::format("{}[{}]{}{}", Selector(selector.vector),
                     Duration(selector.range_ms, selector.range_expr),
                     ExtensionText(selector.vector.extension), Shift(selector.vector.shift));
}

// What follows the inner expression.
std::string SubqueryTimes(const Subquery& subquery) {
  const bool has_step = subquery.step_ms != 0 || subquery.step_expr != nullptr;
  return fmt::format("[{}:{}]{}", Duration(subquery.range_ms, subquery.range_expr),
                     has_step ? Duration(subquery.step_ms, subquery.step_expr) : "",
                     Shift(subquery.shift));
}

std::string Print(const Subquery& subquery) {
  return ToString(*subquery.inner) + SubqueryTimes(subquery);
}

std::string Print(const Call& call) {
  std::vector<std::string> args;
  for (const ExprPtr& arg : call.args) {
    args.push_back(ToString(*arg));
  }
  return fmt::format("{}({})", call.function->name, base::Join(args, ", "));
}

// The name and its modifier.
std::string AggregationHead(const Aggregate& aggregate) {
  std::string text(aggregate.aggregation->name);
  if (aggregate.without || !aggregate.grouping.empty()) {
    text += fmt::format(" {} ({}) ", aggregate.without ? "without" : "by",
                        LabelNames(aggregate.grouping));
  }
  return text;
}

std::string Print(const Aggregate& aggregate) {
  const std::string parameter =
      aggregate.parameter == nullptr ? "" : ToString(*aggregate.parameter) + ", ";
  return fmt::format("{}({}{})", AggregationHead(aggregate), parameter,
                     ToString(*aggregate.operand));
}

std::string Fills(const VectorMatching& matching) {
  const auto fill = [](std::string_view name, double value) {
    return fmt::format(" {} ({})", name, base::FormatDouble(value));
  };
  if (matching.fill_left && matching.fill_right && *matching.fill_left == *matching.fill_right) {
    return fill("fill", *matching.fill_left);
  }
  return (matching.fill_left ? fill("fill_left", *matching.fill_left) : "") +
         (matching.fill_right ? fill("fill_right", *matching.fill_right) : "");
}

std::string Matching(const VectorMatching& matching) {
  const bool grouped = matching.cardinality == Cardinality::kManyToOne ||
                       matching.cardinality == Cardinality::kOneToMany;
  std::string text;
  if (!matching.labels.empty() || matching.on || grouped) {
    text = fmt::format(" {} ({})", matching.on ? "on" : "ignoring", LabelNames(matching.labels));
  }
  if (grouped) {
    text += fmt::format(" group_{} ({})",
                        matching.cardinality == Cardinality::kManyToOne ? "left" : "right",
                        LabelNames(matching.include));
  }
  return text + Fills(matching);
}

// The operator and its modifiers.
std::string OperatorText(const Binary& binary) {
  return fmt::format("{}{}{}", binary.op->text, binary.return_bool ? " bool" : "",
                     Matching(*binary.matching));
}

std::string Print(const Binary& binary) {
  return fmt::format("{} {} {}", ToString(*binary.left), OperatorText(binary),
                     ToString(*binary.right));
}

std::string PrettyAt(const Expr& expr, size_t level);

// One line an expression.
std::string Lines(const std::vector<const Expr*>& exprs, size_t level) {
  std::vector<std::string> lines;
  lines.reserve(exprs.size());
  for (const Expr* expr : exprs) {
    lines.push_back(PrettyAt(*expr, level));
  }
  return base::Join(lines, ",\n");
}

// An expression that is too long for one line, after `indent`.
class Splitter {
 public:
  Splitter(const Expr& expr, size_t level) : expr_(expr), level_(level), indent_(2 * level, ' ') {}

  std::string operator()(const Paren& /*paren*/) const { return indent_ + Enclosed(); }
  std::string operator()(const Call& call) const {
    return fmt::format("{}{}{}", indent_, call.function->name, Enclosed());
  }
  std::string operator()(const Aggregate& aggregate) const {
    return indent_ + AggregationHead(aggregate) + Enclosed();
  }
  std::string operator()(const Binary& binary) const {
    return fmt::format("{}\n{}{}\n{}", PrettyAt(*binary.left, level_ + 1), indent_,
                       OperatorText(binary), PrettyAt(*binary.right, level_ + 1));
  }
  std::string operator()(const Unary& unary) const {
    return fmt::format("{}{}{}", indent_, unary.op->text,
                       base::TrimSpace(PrettyAt(*unary.operand, level_)));
  }
  std::string operator()(const Subquery& subquery) const {
    return PrettyAt(*subquery.inner, level_) + SubqueryTimes(subquery);
  }
  // Selectors and literals stay whole.
  template <typename Leaf>
  std::string operator()(const Leaf& leaf) const {
    return indent_ + Print(leaf);
  }

 private:
  std::string Enclosed() const {
    return fmt::format("(\n{}\n{})", Lines(Children(expr_), level_ + 1), indent_);
  }

  const Expr& expr_;
  size_t level_;
  std::string indent_;
};

std::string PrettyAt(const Expr& expr, size_t level) {
  constexpr size_t kLineLength = 100;
  std::string text = ToString(expr);
  return text.size() > kLineLength ? std::visit(Splitter(expr, level), expr.node)
                                   : std::string(2 * level, ' ') + text;
}

}  // namespace

std::string ToString(const Expr& expr) {
  return std::visit([](const auto& node) { return Print(node); }, expr.node);
}

std::string Pretty(const Expr& expr) { return PrettyAt(expr, 0); }

}  // namespace promql
