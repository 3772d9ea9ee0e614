// Recursive descent, with precedence climbing for the binary operators.
#include "agent/promql/parser.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "agent/promql/aggregations.h"
#include "agent/promql/duration.h"
#include "agent/promql/functions.h"
#include "agent/promql/lexer.h"
#include "agent/promql/notes.h"
#include "agent/promql/quote.h"
#include "agent/promql/type_check.h"
#include "lib/base/strings.h"

namespace promql {
namespace {

using base::Error;
using base::Result;

// Modifiers of a binary operator that name what stands for missing matches.
struct FillModifier {
  std::string_view name;
  bool left;
  bool right;
};
constexpr FillModifier kFillModifiers[] = {
    {"fill", true, true}, {"fill_left", true, false}, {"fill_right", false, true}};

struct ExtensionModifier {
  std::string_view name;
  Extension extension;
};
constexpr ExtensionModifier kExtensions[] = {{"anchored", Extension::kAnchored},
                                             {"smoothed", Extension::kSmoothed}};

template <typename Row, size_t kSize>
const Row* FindRow(const Row (&rows)[kSize], const Token& token) {
  if (token.kind != TokenKind::kIdentifier) {
    return nullptr;
  }
  const std::string word = base::ToLower(token.text);
  const auto* found = std::find_if(std::begin(rows), std::end(rows),
                                   [&word](const Row& row) { return row.name == word; });
  return found == std::end(rows) ? nullptr : found;
}

class Parser {
 public:
  Parser(std::string_view text, const ParserOptions& options)
      : text_(text), options_(options), tokens_(Lex(text)) {}

  Result<ExprPtr> Query() {
    if (Is(TokenKind::kEnd)) {
      return FailAt({}, "no expression found in input");
    }
    ASSIGN_OR_RETURN(ExprPtr expr, Expression(0));
    if (!Is(TokenKind::kEnd)) {
      return Unexpected(context_, "");
    }
    if (const auto error = CheckTypes(*expr, text_)) {
      return FailAt(error->position, error->message);
    }
    return expr;
  }

  Result<VectorSelector> Selector() {
    ASSIGN_OR_RETURN(const ExprPtr expr, Primary());
    if (!Is(TokenKind::kEnd)) {
      return Unexpected("", "");
    }
    const auto* selector = std::get_if<VectorSelector>(&expr->node);
    if (selector == nullptr) {
      return FailAt(expr->position, "expected a series selector");
    }
    if (const auto error = CheckTypes(*expr, text_)) {
      return FailAt(error->position, error->message);
    }
    return *selector;
  }

 private:
  // --- Tokens and errors.

  const Token& Here() const { return tokens_[at_]; }
  const Token& Ahead() const { return tokens_[std::min(at_ + 1, tokens_.size() - 1)]; }
  bool Is(TokenKind kind) const { return Here().kind == kind; }
  const Token& Take() {
    const Token& token = tokens_[at_];
    if (at_ + 1 < tokens_.size()) {
      ++at_;
    }
    last_end_ = token.end();
    return token;
  }
  bool TakeIf(TokenKind kind) {
    if (!Is(kind)) {
      return false;
    }
    Take();
    return true;
  }
  Position From(size_t start) const { return {start, last_end_}; }

  Error FailAt(Position position, std::string_view message) const {
    const std::string where =
        text_.empty() ? "unknown position" : LineAndColumn(text_, position.start);
    return Error(fmt::format("{}: parse error: {}", where, message),
                 base::ErrorKind::kInvalidArgument);
  }

  // "unexpected <token>[ in <context>][, expected <expected>]", or what the lexer found wrong.
  Error Unexpected(std::string_view context, std::string_view expected) const {
    const Token& token = Here();
    const Position position{token.position, token.end()};
    if (token.kind == TokenKind::kError) {
      return FailAt(position, token.value);
    }
    std::string message = "unexpected " + token.Describe();
    if (!context.empty()) {
      message += fmt::format(" in {}", context);
    }
    if (!expected.empty()) {
      message += fmt::format(", expected {}", expected);
    }
    return FailAt(position, message);
  }

  // Counts how deep the parser is; the tree cannot be deeper.
  class Nesting {
   public:
    explicit Nesting(size_t* depth) : depth_(depth) { ++*depth_; }
    ~Nesting() { --*depth_; }
    Nesting(const Nesting&) = delete;
    Nesting& operator=(const Nesting&) = delete;

   private:
    size_t* depth_;
  };

  Error TooDeep() const {
    return FailAt({Here().position, Here().end()},
                  fmt::format("expression is nested more than {} levels deep", kMaxDepth));
  }

  // --- Operators.

  Result<ExprPtr> Expression(int min_precedence) {
    const Nesting nesting(&depth_);
    if (depth_ > kMaxDepth) {
      return TooDeep();
    }
    const size_t start = Here().position;
    const size_t outer_depth = depth_;
    ASSIGN_OR_RETURN(ExprPtr left, UnaryOrPostfix());
    while (Is(TokenKind::kOperator) && Here().op->precedence >= min_precedence) {
      if (++depth_ > kMaxDepth) {
        return TooDeep();
      }
      const Operator* op = Take().op;
      Binary binary{.op = op};
      ASSIGN_OR_RETURN(binary.matching, Matching(op, &binary.return_bool));
      ASSIGN_OR_RETURN(binary.right,
                       Expression(op->right_associative ? op->precedence : op->precedence + 1));
      binary.left = std::move(left);
      const bool scalar =
          binary.left->type == ValueType::kScalar && binary.right->type == ValueType::kScalar;
      left = std::make_unique<Expr>(std::move(binary),
                                    scalar ? ValueType::kScalar : ValueType::kVector, From(start));
    }
    depth_ = outer_depth;
    return left;
  }

  Result<VectorMatching> Matching(const Operator* op, bool* return_bool) {
    VectorMatching matching;
    if (op->type == OperatorClass::kSet) {
      matching.cardinality = Cardinality::kManyToMany;
    }
    *return_bool = TakeIf(TokenKind::kBool);
    RETURN_IF_ERROR(MatchedLabels(&matching));
    RETURN_IF_ERROR(Fills(op, &matching));
    return matching;
  }

  Result<void> MatchedLabels(VectorMatching* into) {
    VectorMatching& matching = *into;
    if (!Is(TokenKind::kOn) && !Is(TokenKind::kIgnoring)) {
      return {};
    }
    matching.on = Take().kind == TokenKind::kOn;
    ASSIGN_OR_RETURN(matching.labels, GroupingLabels());
    if (!Is(TokenKind::kGroupLeft) && !Is(TokenKind::kGroupRight)) {
      return {};
    }
    matching.cardinality =
        Take().kind == TokenKind::kGroupLeft ? Cardinality::kManyToOne : Cardinality::kOneToMany;
    if (Is(TokenKind::kLeftParen)) {
      ASSIGN_OR_RETURN(matching.include, GroupingLabels());
    }
    return {};
  }

  Result<void> Fills(const Operator* op, VectorMatching* matching) {
    for (;;) {
      const FillModifier* fill =
          Ahead().kind == TokenKind::kLeftParen ? FindRow(kFillModifiers, Here()) : nullptr;
      if (fill == nullptr) {
        return {};
      }
      const Position position{Here().position, Here().end()};
      if (!options_.fill_modifiers) {
        return FailAt(position, fmt::format("{} is experimental and must be enabled with "
                                            "--enable-feature=promql-binop-fill-modifiers",
                                            fill->name));
      }
      if (op->type == OperatorClass::kSet) {
        return FailAt(position, "filling in missing series not allowed for set operators");
      }
      Take();
      Take();
      ASSIGN_OR_RETURN(const double value, SignedNumber("fill modifier"));
      if (!TakeIf(TokenKind::kRightParen)) {
        return Unexpected("fill modifier", "\")\"");
      }
      matching->fill_left = fill->left ? std::optional(value) : matching->fill_left;
      matching->fill_right = fill->right ? std::optional(value) : matching->fill_right;
    }
  }

  Result<double> SignedNumber(std::string_view context) {
    double sign = 1;
    if (IsSign()) {
      sign = Take().text == "-" ? -1 : 1;
    }
    if (!IsDuration()) {
      return Unexpected(context, "number");
    }
    return sign * Take().number;
  }

  bool IsSign() const {
    return Is(TokenKind::kOperator) && (Here().text == "+" || Here().text == "-");
  }

  Result<ExprPtr> UnaryOrPostfix() {
    if (!IsSign()) {
      return Postfix();
    }
    const size_t start = Here().position;
    const Operator* op = Take().op;
    ASSIGN_OR_RETURN(ExprPtr operand, Expression(kUnaryPrecedence + 1));
    if (auto* literal = std::get_if<NumberLiteral>(&operand->node)) {
      literal->value = op->text == "-" ? -literal->value : literal->value;
      operand->position.start = start;
      return operand;
    }
    const ValueType type = operand->type;
    return std::make_unique<Expr>(Unary{op, std::move(operand)}, type, From(start));
  }

  // --- [range], [range:step], offset, @.

  Result<ExprPtr> Postfix() {
    ASSIGN_OR_RETURN(ExprPtr expr, Primary());
    for (size_t count = 0;; ++count) {
      if (count > kMaxDepth) {
        return TooDeep();
      }
      if (Is(TokenKind::kLeftBracket)) {
        ASSIGN_OR_RETURN(expr, RangeOrSubquery(std::move(expr)));
      } else if (Is(TokenKind::kOffset)) {
        RETURN_IF_ERROR(Offset(*expr));
      } else if (Is(TokenKind::kAt)) {
        RETURN_IF_ERROR(At(*expr));
      } else if (const ExtensionModifier* modifier = FindRow(kExtensions, Here())) {
        RETURN_IF_ERROR(Extend(modifier->extension, *expr));
      } else {
        return expr;
      }
    }
  }

  bool IsDuration() const { return Is(TokenKind::kNumber) || Is(TokenKind::kDuration); }

  // A duration as the query has it: fixed, or to be computed.
  struct ParsedDuration {
    int64_t ms = 0;
    DurationPtr expr;
  };

  // 5m, or an expression like 5m * 2.
  Result<ParsedDuration> PositiveDuration() {
    const Token& token = Here();
    ASSIGN_OR_RETURN(DurationPtr expr, DurationExpression(0));
    if (expr->kind != DurationExpr::Kind::kNumber) {
      return ParsedDuration{0, std::move(expr)};
    }
    ASSIGN_OR_RETURN(const int64_t ms, Milliseconds(*expr, token));
    if (ms <= 0) {
      return FailAt({token.position, token.end()}, "duration must be greater than 0");
    }
    return ParsedDuration{ms, nullptr};
  }

  Result<int64_t> Milliseconds(const DurationExpr& number, const Token& token) const {
    const auto ms = Evaluate(number, {});
    return ms ? ms : FailAt({token.position, token.end()}, ms.error().message());
  }

  bool IsDurationOperator() const {
    return Is(TokenKind::kOperator) && Here().op->type == OperatorClass::kArithmetic &&
           !Here().is_word();
  }

  Result<DurationPtr> DurationExpression(int min_precedence) {
    const Nesting nesting(&depth_);
    const size_t outer_depth = depth_;
    ASSIGN_OR_RETURN(DurationPtr left, DurationOperand());
    while (IsDurationOperator() && Here().op->precedence >= min_precedence) {
      if (++depth_ > kMaxDepth) {
        return TooDeep();
      }
      const Operator* op = Take().op;
      ASSIGN_OR_RETURN(
          DurationPtr right,
          DurationExpression(op->right_associative ? op->precedence : op->precedence + 1));
      left = std::make_shared<const DurationExpr>(DurationExpr{
          .kind = DurationExpr::Kind::kBinary, .op = op, .left = left, .right = right});
    }
    depth_ = outer_depth;
    return left;
  }

  bool StartsDuration() const {
    return IsDuration() || IsSign() || Is(TokenKind::kLeftParen) ||
           (Ahead().kind == TokenKind::kLeftParen &&
            FindDurationTerm(base::ToLower(Here().text)) != nullptr);
  }

  // A number, (…), step() and the like; with a sign before it or not.
  Result<DurationPtr> DurationOperand() {
    const Nesting nesting(&depth_);
    if (depth_ > kMaxDepth) {
      return TooDeep();
    }
    if (IsSign()) {
      const Operator* op = Take().op;
      ASSIGN_OR_RETURN(const DurationPtr operand, DurationExpression(kUnaryPrecedence + 1));
      if (operand->kind == DurationExpr::Kind::kNumber) {
        DurationExpr number = *operand;
        number.number = op->apply(0, number.number);
        return std::make_shared<const DurationExpr>(std::move(number));
      }
      return std::make_shared<const DurationExpr>(
          DurationExpr{.kind = DurationExpr::Kind::kUnary, .op = op, .left = operand});
    }
    if (IsDuration()) {
      const Token& token = Take();
      return std::make_shared<const DurationExpr>(
          DurationExpr{.number = token.number, .is_duration = token.kind == TokenKind::kDuration});
    }
    if (TakeIf(TokenKind::kLeftParen)) {
      ASSIGN_OR_RETURN(const DurationPtr inner, DurationExpression(0));
      if (!TakeIf(TokenKind::kRightParen)) {
        return Unexpected("duration expression", "\")\"");
      }
      return std::make_shared<const DurationExpr>(
          DurationExpr{.kind = DurationExpr::Kind::kParen, .left = inner});
    }
    return DurationTermCall();
  }

  Result<DurationPtr> DurationTermCall() {
    const DurationTerm* term =
        StartsDuration() ? FindDurationTerm(base::ToLower(Here().text)) : nullptr;
    if (term == nullptr) {
      return Unexpected("duration expression", "number, duration, step(), or range()");
    }
    Take();
    Take();
    DurationExpr call{.kind = DurationExpr::Kind::kTerm, .term = term};
    if (term->of_two != nullptr) {
      ASSIGN_OR_RETURN(call.left, DurationExpression(0));
      if (!TakeIf(TokenKind::kComma)) {
        return Unexpected("duration expression", "\",\"");
      }
      ASSIGN_OR_RETURN(call.right, DurationExpression(0));
    }
    if (!TakeIf(TokenKind::kRightParen)) {
      return Unexpected("duration expression", "\")\"");
    }
    return std::make_shared<const DurationExpr>(std::move(call));
  }

  Result<ExprPtr> RangeOrSubquery(ExprPtr expr) {
    const size_t start = expr->position.start;
    const size_t bracket = Take().position;
    if (!StartsDuration()) {
      return Unexpected("subquery or range selector", "number or duration");
    }
    ASSIGN_OR_RETURN(ParsedDuration range, PositiveDuration());
    if (TakeIf(TokenKind::kRightBracket)) {
      return Range(std::move(expr), std::move(range), From(bracket));
    }
    if (!TakeIf(TokenKind::kColon)) {
      return Unexpected("subquery or range", "\":\" or \"]\"");
    }
    Subquery subquery{.range_ms = range.ms, .range_expr = std::move(range.expr)};
    if (StartsDuration()) {
      ASSIGN_OR_RETURN(ParsedDuration step, PositiveDuration());
      subquery.step_ms = step.ms;
      subquery.step_expr = std::move(step.expr);
      if (!Is(TokenKind::kRightBracket)) {
        return Unexpected("subquery selector", "\"]\"");
      }
    } else if (!Is(TokenKind::kRightBracket)) {
      return Unexpected("subquery selector", "number or duration or \"]\"");
    }
    Take();
    subquery.inner = std::move(expr);
    if (++subqueries_ > kMaxDepth) {
      return TooDeep();
    }
    return std::make_unique<Expr>(std::move(subquery), ValueType::kMatrix, From(start));
  }

  Result<ExprPtr> Range(ExprPtr expr, ParsedDuration range, Position brackets) {
    auto* selector = std::get_if<VectorSelector>(&expr->node);
    if (selector == nullptr) {
      return FailAt(brackets, "ranges only allowed for vector selectors");
    }
    if (selector->shift.has_offset) {
      return FailAt(brackets, "no offset modifiers allowed before range");
    }
    if (selector->shift.at != TimeShift::At::kNone) {
      return FailAt(brackets, "no @ modifiers allowed before range");
    }
    const size_t start = expr->position.start;
    return std::make_unique<Expr>(
        MatrixSelector{std::move(*selector), range.ms, std::move(range.expr)}, ValueType::kMatrix,
        From(start));
  }

  // Takes one operand: `offset 5m * 2` is a product, `offset (5m * 2)` is not.
  Result<void> Offset(Expr& expr) {
    Take();
    const bool negative = IsSign() && Here().text == "-";
    const Operator* sign = IsSign() ? Take().op : nullptr;
    if (IsSign() || !StartsDuration()) {
      return Unexpected("offset", "number or duration");
    }
    const Token& token = Here();
    ASSIGN_OR_RETURN(DurationPtr offset, DurationOperand());
    int64_t ms = 0;
    if (offset->kind == DurationExpr::Kind::kNumber) {
      ASSIGN_OR_RETURN(ms, Milliseconds(*offset, token));
      offset = nullptr;
    } else if (sign != nullptr) {
      offset = std::make_shared<const DurationExpr>(
          DurationExpr{.kind = DurationExpr::Kind::kUnary, .op = sign, .left = offset});
    }
    TimeShift* shift = ShiftOf(expr);
    if (shift == nullptr) {
      return FailAt(expr.position,
                    "offset modifier must be preceded by an instant vector selector or range "
                    "vector selector or a subquery");
    }
    if (shift->has_offset) {
      return FailAt(expr.position, "offset may not be set multiple times");
    }
    shift->has_offset = true;
    shift->offset_ms = negative ? -ms : ms;
    shift->offset_expr = std::move(offset);
    expr.position.end = last_end_;
    return {};
  }

  Result<void> Extend(Extension extension, Expr& expr) {
    const Token& word = Take();
    if (!options_.extended_ranges) {
      return FailAt({word.position, word.end()},
                    fmt::format("{} is experimental and must be enabled with "
                                "--enable-feature=promql-extended-range-selectors",
                                base::ToLower(word.text)));
    }
    auto* matrix = std::get_if<MatrixSelector>(&expr.node);
    auto* vector = matrix != nullptr ? &matrix->vector : std::get_if<VectorSelector>(&expr.node);
    if (vector == nullptr || (matrix == nullptr && extension == Extension::kAnchored)) {
      return FailAt(expr.position,
                    fmt::format("{} modifier must be preceded by a {}", base::ToLower(word.text),
                                extension == Extension::kAnchored
                                    ? "range selector"
                                    : "range selector or an instant vector selector"));
    }
    if (vector->extension != Extension::kNone) {
      return FailAt(expr.position, "anchored and smoothed modifiers may not be set multiple times");
    }
    vector->extension = extension;
    expr.position.end = last_end_;
    return {};
  }

  Result<void> At(Expr& expr) {
    Take();
    TimeShift at;
    if (Is(TokenKind::kStart) || Is(TokenKind::kEndWord)) {
      at.at = Take().kind == TokenKind::kStart ? TimeShift::At::kStart : TimeShift::At::kEnd;
      if (!TakeIf(TokenKind::kLeftParen) || !TakeIf(TokenKind::kRightParen)) {
        return Unexpected("@", "timestamp");
      }
    } else {
      ASSIGN_OR_RETURN(at.at_ms, AtTimestamp(expr.position));
      at.at = TimeShift::At::kTimestamp;
    }
    TimeShift* target = ShiftOf(expr);
    if (target == nullptr) {
      return FailAt(expr.position,
                    "@ modifier must be preceded by an instant vector selector or range vector "
                    "selector or a subquery");
    }
    TimeShift& shift = *target;
    if (shift.at != TimeShift::At::kNone) {
      return FailAt(expr.position, "@ <timestamp> may not be set multiple times");
    }
    shift.at = at.at;
    shift.at_ms = at.at_ms;
    expr.varies = false;
    expr.position.end = last_end_;
    return {};
  }

  Result<int64_t> AtTimestamp(Position selector) {
    double sign = 1;
    if (IsSign()) {
      sign = Take().text == "-" ? -1 : 1;
    }
    if (!IsDuration()) {
      return Unexpected("@", "timestamp");
    }
    const double seconds = sign * Take().number;
    constexpr double kLimit = 9223372036854775.0;  // Milliseconds must fit int64_t.
    if (!(std::fabs(seconds) < kLimit)) {
      return FailAt(selector, fmt::format("timestamp out of bounds for @ modifier: {}",
                                          std::isfinite(seconds) ? fmt::format("{:f}", seconds)
                                                                 : base::FormatDouble(seconds)));
    }
    return static_cast<int64_t>(std::llround(seconds * 1000));
  }

  // --- Operands.

  Result<ExprPtr> Primary() {
    const Token& token = Here();
    const size_t start = token.position;
    switch (token.kind) {
      case TokenKind::kNumber:
      case TokenKind::kDuration:
        Take();
        return std::make_unique<Expr>(
            NumberLiteral{token.number, token.kind == TokenKind::kDuration}, ValueType::kScalar,
            From(start));
      case TokenKind::kString:
        Take();
        return std::make_unique<Expr>(StringLiteral{token.value}, ValueType::kString, From(start));
      case TokenKind::kLeftParen:
        return Parenthesised();
      case TokenKind::kLeftBrace:
        return VectorSelectorFrom(start, "");
      case TokenKind::kAggregator:
        if (IsAggregate()) {
          return AggregateExpr();
        }
        break;
      case TokenKind::kIdentifier:
      case TokenKind::kMetricIdentifier:
      case TokenKind::kStart:
      case TokenKind::kEndWord:
        if (Ahead().kind == TokenKind::kLeftParen) {
          return FunctionCall();
        }
        break;
      case TokenKind::kBy:
      case TokenKind::kWithout:
      case TokenKind::kOffset:
        break;
      case TokenKind::kOperator:
        if (token.op->type != OperatorClass::kSet) {
          return Unexpected(context_, "");
        }
        break;
      default:
        return Unexpected(context_, "");
    }
    Take();
    return VectorSelectorFrom(start, token.text);
  }

  Result<ExprPtr> Parenthesised() {
    const size_t start = Take().position;
    ASSIGN_OR_RETURN(ExprPtr inner, Expression(0));
    if (!TakeIf(TokenKind::kRightParen)) {
      return Unexpected(context_, "");
    }
    const ValueType type = inner->type;
    return std::make_unique<Expr>(Paren{std::move(inner)}, type, From(start));
  }

  Result<std::vector<ExprPtr>> Arguments() {
    if (!TakeIf(TokenKind::kLeftParen)) {
      return Unexpected(context_, "");
    }
    std::vector<ExprPtr> args;
    if (TakeIf(TokenKind::kRightParen)) {
      return args;
    }
    for (;;) {
      ASSIGN_OR_RETURN(ExprPtr arg, Expression(0));
      args.push_back(std::move(arg));
      if (TakeIf(TokenKind::kRightParen)) {
        return args;
      }
      const Position comma{Here().position, Here().end()};
      if (!TakeIf(TokenKind::kComma)) {
        return Unexpected(context_, "");
      }
      if (Is(TokenKind::kRightParen)) {
        return FailAt(comma, "trailing commas not allowed in function call args");
      }
    }
  }

  Result<ExprPtr> FunctionCall() {
    const Token& name = Take();
    ASSIGN_OR_RETURN(std::vector<ExprPtr> args, Arguments());
    const Function* function = FindFunction(name.text);
    const Position position{name.position, name.end()};
    if (function == nullptr) {
      return FailAt(position, fmt::format("unknown function with name {}", Quote(name.text)));
    }
    if (function->experimental && !options_.experimental_functions) {
      return FailAt(position, fmt::format("function {} is not enabled", Quote(name.text)));
    }
    return std::make_unique<Expr>(Call{function, std::move(args)}, function->result,
                                  From(name.position));
  }

  bool IsAggregate() const {
    const TokenKind next = Ahead().kind;
    return next == TokenKind::kLeftParen || next == TokenKind::kBy || next == TokenKind::kWithout;
  }

  Result<ExprPtr> AggregateExpr() {
    const Token& name = Take();
    const std::string_view outer = context_;
    context_ = "aggregation";
    Aggregate aggregate{.aggregation = FindAggregation(name.value)};
    if (aggregate.aggregation->experimental && !options_.experimental_functions) {
      return FailAt({name.position, name.end()},
                    fmt::format("{}() is experimental and must be enabled with "
                                "--enable-feature=promql-experimental-functions",
                                name.value));
    }
    const bool modifier_first = IsGroupingModifier();
    if (modifier_first) {
      RETURN_IF_ERROR(GroupingModifier(&aggregate));
    }
    ASSIGN_OR_RETURN(std::vector<ExprPtr> args, Arguments());
    context_ = outer;
    if (!modifier_first && IsGroupingModifier()) {
      RETURN_IF_ERROR(GroupingModifier(&aggregate));
    }
    const Position position = From(name.position);
    const size_t want = aggregate.aggregation->parameter == ValueType::kNone ? 1 : 2;
    if (args.empty()) {
      return FailAt(position, "no arguments for aggregate expression provided");
    }
    if (args.size() != want) {
      return FailAt(position,
                    fmt::format("wrong number of arguments for aggregate expression provided, "
                                "expected {}, got {}",
                                want, args.size()));
    }
    aggregate.operand = std::move(args.back());
    if (want == 2) {
      aggregate.parameter = std::move(args.front());
    }
    return std::make_unique<Expr>(std::move(aggregate), ValueType::kVector, position);
  }

  bool IsGroupingModifier() const { return Is(TokenKind::kBy) || Is(TokenKind::kWithout); }

  Result<void> GroupingModifier(Aggregate* aggregate) {
    aggregate->without = Take().kind == TokenKind::kWithout;
    ASSIGN_OR_RETURN(aggregate->grouping, GroupingLabels());
    return {};
  }

  Result<std::vector<std::string>> GroupingLabels() {
    if (!TakeIf(TokenKind::kLeftParen)) {
      return Unexpected("grouping opts", "\"(\"");
    }
    std::vector<std::string> labels;
    while (!TakeIf(TokenKind::kRightParen)) {
      const Token& token = Here();
      if (token.kind == TokenKind::kString) {
        if (token.value.empty() || !base::IsValidUtf8(token.value)) {
          return FailAt({token.position, token.end()},
                        fmt::format("invalid label name for grouping: {}", Quote(token.value)));
        }
        labels.push_back(token.value);
      } else if (token.is_word()) {
        labels.emplace_back(token.text);
      } else {
        return Unexpected("grouping opts", "label");
      }
      Take();
      if (!Is(TokenKind::kRightParen) && !TakeIf(TokenKind::kComma)) {
        return Unexpected("grouping opts", "\",\" or \")\"");
      }
    }
    return labels;
  }

  // --- Selectors.

  Result<ExprPtr> VectorSelectorFrom(size_t start, std::string_view name) {
    VectorSelector selector{.name = std::string(name)};
    if (TakeIf(TokenKind::kLeftBrace)) {
      RETURN_IF_ERROR(LabelMatchers(&selector.matchers));
    }
    if (!name.empty()) {
      selector.matchers.push_back(
          model::Matcher::Equal(std::string(model::kMetricNameLabel), selector.name));
    }
    return std::make_unique<Expr>(std::move(selector), ValueType::kVector, From(start));
  }

  Result<void> LabelMatchers(std::vector<model::Matcher>* matchers) {
    while (!TakeIf(TokenKind::kRightBrace)) {
      ASSIGN_OR_RETURN(model::Matcher matcher, LabelMatcher());
      matchers->push_back(std::move(matcher));
      if (!Is(TokenKind::kRightBrace) && !TakeIf(TokenKind::kComma)) {
        return Unexpected("label matching", "\",\" or \"}\"");
      }
    }
    return {};
  }

  Result<model::Matcher> LabelMatcher() {
    const Token& label = Here();
    if (label.kind != TokenKind::kIdentifier && label.kind != TokenKind::kString) {
      return Unexpected("label matching", "identifier or \"}\"");
    }
    Take();
    const bool quoted = label.kind == TokenKind::kString;
    if (quoted && (Is(TokenKind::kComma) || Is(TokenKind::kRightBrace))) {
      return model::Matcher::Equal(std::string(model::kMetricNameLabel), label.value);
    }
    const std::optional<model::MatchType> type = TakeMatchType();
    if (!type) {
      return Unexpected("label matching", "label matching operator");
    }
    if (!Is(TokenKind::kString)) {
      return Unexpected("label matching", "string");
    }
    const Token& value = Take();
    auto matcher =
        model::Matcher::Make(*type, quoted ? label.value : std::string(label.text), value.value);
    if (!matcher) {
      return FailAt(From(label.position), matcher.error().message());
    }
    return matcher;
  }

  std::optional<model::MatchType> TakeMatchType() {
    switch (Here().kind) {
      case TokenKind::kAssign:
        Take();
        return model::MatchType::kEqual;
      case TokenKind::kMatchRegex:
        Take();
        return model::MatchType::kRegex;
      case TokenKind::kMatchNotRegex:
        Take();
        return model::MatchType::kNotRegex;
      case TokenKind::kOperator:
        Take();  // Inside braces only != is lexed as an operator.
        return model::MatchType::kNotEqual;
      default:
        return std::nullopt;
    }
  }

  std::string_view text_;
  const ParserOptions& options_;
  std::vector<Token> tokens_;
  size_t at_ = 0;
  size_t last_end_ = 0;
  size_t depth_ = 0;
  size_t subqueries_ = 0;
  std::string_view context_;  // Of errors that no closer rule words.
};

}  // namespace

Result<ExprPtr> ParseExpr(std::string_view text, const ParserOptions& options) {
  if (text.size() > kMaxQueryBytes) {
    return Error(fmt::format("query is longer than {} bytes", kMaxQueryBytes),
                 base::ErrorKind::kInvalidArgument);
  }
  return Parser(text, options).Query();
}

Result<std::vector<model::Matcher>> ParseSelector(std::string_view text) {
  const ParserOptions options;
  ASSIGN_OR_RETURN(VectorSelector selector, Parser(text, options).Selector());
  return std::move(selector.matchers);
}

}  // namespace promql
