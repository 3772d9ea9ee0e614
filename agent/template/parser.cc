#include "agent/template/parser.h"

#include <algorithm>
#include <cstdint>
#include <limits>
#include <optional>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "agent/template/lexer.h"
#include "lib/base/strings.h"

namespace tmpl {
namespace {

using Kind = Token::Kind;

// Digits of any base Go knows ("0x1f", "0b1", "0o7", "017", "1_000"), without a sign.
std::optional<uint64_t> ParseGoUint(std::string_view text) {
  uint64_t base = 10;
  if (text.size() > 1 && text[0] == '0') {
    const char mark = text[1];
    base = mark == 'x' || mark == 'X' ? 16 : mark == 'b' || mark == 'B' ? 2 : 8;
    text.remove_prefix(base == 8 && mark != 'o' && mark != 'O' ? 1 : 2);
  }
  uint64_t value = 0;
  for (const char c : text) {
    const uint64_t digit = c >= '0' && c <= '9'   ? static_cast<uint64_t>(c - '0')
                           : c >= 'a' && c <= 'f' ? static_cast<uint64_t>(c - 'a' + 10)
                           : c >= 'A' && c <= 'F' ? static_cast<uint64_t>(c - 'A' + 10)
                                                  : base;
    if (digit >= base || value > (std::numeric_limits<uint64_t>::max() - digit) / base) {
      return std::nullopt;
    }
    value = value * base + digit;
  }
  return text.empty() ? std::nullopt : std::optional(value);
}

// An integer unless it is written with a point or an exponent.
std::optional<Value> ParseGoNumber(std::string_view text) {
  std::string digits(text);
  digits.erase(std::remove(digits.begin(), digits.end(), '_'), digits.end());
  const bool negative = !digits.empty() && digits[0] == '-';
  if (negative || (!digits.empty() && digits[0] == '+')) {
    digits.erase(0, 1);
  }
  const bool hex = digits.size() > 1 && digits[0] == '0' && (digits[1] | 0x20) == 'x';
  if (!hex && digits.find_first_of(".eE") != std::string::npos) {
    const auto number = base::ParseDouble(digits);
    if (!number || *number > std::numeric_limits<double>::max()) {
      return std::nullopt;
    }
    return Value(negative ? -*number : *number);
  }
  const auto magnitude = ParseGoUint(digits);
  constexpr auto kMaxInt = static_cast<uint64_t>(std::numeric_limits<int64_t>::max());
  if (!magnitude || *magnitude > kMaxInt) {
    return std::nullopt;
  }
  const auto number = static_cast<int64_t>(*magnitude);
  return Value(negative ? -number : number);
}

class Parser {
 public:
  Parser(const std::string& name, std::string_view input,
         std::span<const std::string_view> variables, Dialect dialect)
      : name_(name), input_(input), dialect_(dialect), lexer_(input) {
    variables_.assign(variables.begin(), variables.end());
    Advance();
  }

  base::Result<Ast> Run() {
    ASSIGN_OR_RETURN(List root, ParseList(false));
    if (root.end != End::kInput) {
      return Fail(fmt::format("unexpected {{{{{}}}}}", root.end == End::kElse ? "else" : "end"));
    }
    ast_.root = std::move(root.nodes);
    return std::move(ast_);
  }

 private:
  enum class End { kInput, kEnd, kElse };
  struct List {
    std::vector<Node> nodes;
    End end = End::kInput;
  };

  base::Error Fail(const std::string& message) const {
    return base::Error(fmt::format("template: {}:{}: {}", name_, token_.line,
                                   token_.kind == Kind::kError ? token_.text : message),
                       base::ErrorKind::kInvalidArgument);
  }

  base::Error Unexpected(std::string_view context) const {
    const std::string what = token_.kind == Kind::kEnd     ? "end of template"
                             : token_.kind == Kind::kClose ? "\"}}\""
                                                           : fmt::format("<{}>", Source(token_));
    return Fail(fmt::format("unexpected {} in {}", what, context));
  }

  std::string Source(const Token& token) const {
    return std::string(input_.substr(token.begin, token.end - token.begin));
  }

  void Advance() {
    previous_end_ = token_.end;
    token_ = lexer_.Next();
  }

  bool AtKeyword(std::string_view word) const {
    return token_.kind == Kind::kKeyword && token_.text == word;
  }

  base::Result<void> Expect(Kind kind, std::string_view context) {
    if (token_.kind != kind) {
      return Unexpected(context);
    }
    Advance();
    return {};
  }

  base::Result<void> Enter() {
    if (++nesting_ > kMaxNesting) {
      return Fail(fmt::format("nested more than {} deep", kMaxNesting));
    }
    return {};
  }

  // Text and actions up to the end of the input, {{end}} or {{else}}; the closing action of the
  // latter is left to the caller.
  base::Result<List> ParseList(bool nested) {
    List list;
    for (;;) {
      if (token_.kind == Kind::kEnd) {
        return nested ? base::Result<List>(Fail("unexpected EOF")) : std::move(list);
      }
      if (token_.kind == Kind::kText) {
        list.nodes.push_back(
            {.kind = Node::Kind::kText, .line = token_.line, .text = std::move(token_.text)});
        Advance();
        continue;
      }
      RETURN_IF_ERROR(Expect(Kind::kOpen, "template"));
      if (AtKeyword("end") || AtKeyword("else")) {
        list.end = AtKeyword("end") ? End::kEnd : End::kElse;
        Advance();
        return list;
      }
      if (AtKeyword("define")) {
        RETURN_IF_ERROR(ParseDefine());
        continue;
      }
      ASSIGN_OR_RETURN(Node node, ParseAction());
      list.nodes.push_back(std::move(node));
    }
  }

  base::Result<Node> ParseAction() {
    if (token_.kind != Kind::kKeyword) {
      Node node{.kind = Node::Kind::kAction, .line = token_.line};
      ASSIGN_OR_RETURN(node.pipeline, ParsePipeline(Kind::kClose, "command"));
      return node;
    }
    const std::string keyword = token_.text;
    if (keyword == "if") {
      return ParseControl(Node::Kind::kIf, keyword);
    }
    if (keyword == "with") {
      return ParseControl(Node::Kind::kWith, keyword);
    }
    if (keyword == "range") {
      return ParseControl(Node::Kind::kRange, keyword);
    }
    if (keyword == "template") {
      return ParseTemplateCall();
    }
    if (keyword == "block") {
      return ParseBlock();
    }
    return ParseLoopExit(keyword);
  }

  base::Result<Node> ParseLoopExit(const std::string& keyword) {
    if (range_depth_ == 0) {
      return Fail(fmt::format("{{{{{}}}}} outside {{{{range}}}}", keyword));
    }
    const Node node{.kind = keyword == "break" ? Node::Kind::kBreak : Node::Kind::kContinue,
                    .line = token_.line};
    Advance();
    RETURN_IF_ERROR(Expect(Kind::kClose, keyword));
    return node;
  }

  // Also reached for the `if` of {{else if …}}, which shares its {{end}}.
  base::Result<Node> ParseControl(Node::Kind kind, const std::string& keyword) {
    RETURN_IF_ERROR(Enter());
    const size_t scope = variables_.size();
    Node node{.kind = kind, .line = token_.line};
    Advance();
    ASSIGN_OR_RETURN(node.pipeline, ParsePipeline(Kind::kClose, keyword));
    range_depth_ += kind == Node::Kind::kRange ? 1 : 0;
    ASSIGN_OR_RETURN(List body, ParseList(true));
    range_depth_ -= kind == Node::Kind::kRange ? 1 : 0;
    node.body = std::move(body.nodes);
    if (body.end == End::kElse) {
      RETURN_IF_ERROR(ParseElse(kind, keyword, &node));
    } else {
      RETURN_IF_ERROR(Expect(Kind::kClose, "end"));
    }
    variables_.resize(scope);
    --nesting_;
    return node;
  }

  base::Result<void> ParseElse(Node::Kind kind, const std::string& keyword, Node* node) {
    if (kind != Node::Kind::kRange && AtKeyword(keyword)) {
      ASSIGN_OR_RETURN(Node chained, ParseControl(kind, keyword));
      node->otherwise.push_back(std::move(chained));
      return {};
    }
    RETURN_IF_ERROR(Expect(Kind::kClose, "else"));
    ASSIGN_OR_RETURN(List otherwise, ParseList(true));
    if (otherwise.end != End::kEnd) {
      return Fail("expected end; found {{else}}");
    }
    node->otherwise = std::move(otherwise.nodes);
    return Expect(Kind::kClose, "end");
  }

  base::Result<std::string> ParseName(std::string_view context) {
    if (token_.kind != Kind::kString) {
      return Unexpected(context);
    }
    std::string name = std::move(token_.text);
    Advance();
    return name;
  }

  base::Result<Node> ParseTemplateCall() {
    Node node{.kind = Node::Kind::kTemplate, .line = token_.line};
    Advance();
    ASSIGN_OR_RETURN(node.text, ParseName("template clause"));
    if (token_.kind == Kind::kClose) {
      Advance();
      return node;
    }
    ASSIGN_OR_RETURN(node.pipeline, ParsePipeline(Kind::kClose, "template clause"));
    return node;
  }

  // {{define "name"}}…{{end}}, the keyword not yet passed.
  base::Result<void> ParseDefine() {
    Advance();
    ASSIGN_OR_RETURN(const std::string name, ParseName("define clause"));
    RETURN_IF_ERROR(Expect(Kind::kClose, "define clause"));
    return ParseBody(name);
  }

  // The body of a template of its own: it sees no variable but $.
  base::Result<void> ParseBody(const std::string& name) {
    RETURN_IF_ERROR(Enter());
    std::vector<std::string> outer = std::exchange(variables_, {"$"});
    const int outer_ranges = std::exchange(range_depth_, 0);
    ASSIGN_OR_RETURN(List body, ParseList(true));
    if (body.end != End::kEnd) {
      return Fail("unexpected {{else}} in define clause");
    }
    RETURN_IF_ERROR(Expect(Kind::kClose, "define clause"));
    variables_ = std::move(outer);
    range_depth_ = outer_ranges;
    --nesting_;
    ast_.defined[name] = std::move(body.nodes);
    return {};
  }

  base::Result<Node> ParseBlock() {
    Node node{.kind = Node::Kind::kTemplate, .line = token_.line};
    Advance();
    ASSIGN_OR_RETURN(node.text, ParseName("block clause"));
    ASSIGN_OR_RETURN(node.pipeline, ParsePipeline(Kind::kClose, "block clause"));
    RETURN_IF_ERROR(ParseBody(node.text));
    return node;
  }

  // Passes the token `end` that ends it.
  base::Result<Pipeline> ParsePipeline(Kind end, std::string_view context) {
    Pipeline pipeline{.line = token_.line};
    RETURN_IF_ERROR(ParseDeclaration(context, &pipeline));
    for (;;) {
      if (!pending_variable_ && (token_.kind == end || token_.kind == Kind::kPipe)) {
        return Fail(fmt::format("missing value for {}", context));
      }
      ASSIGN_OR_RETURN(Command command, ParseCommand());
      pipeline.commands.push_back(std::move(command));
      RETURN_IF_ERROR(CheckCommand(pipeline));
      if (token_.kind != Kind::kPipe) {
        break;
      }
      Advance();
    }
    RETURN_IF_ERROR(Expect(end, context));
    if (!pipeline.assigns) {
      variables_.insert(variables_.end(), pipeline.variables.begin(), pipeline.variables.end());
    }
    return pipeline;
  }

  // Only a function can take the value of the command before it.
  base::Result<void> CheckCommand(const Pipeline& pipeline) const {
    const Operand& first = pipeline.commands.back().operands[0];
    if (pipeline.commands.size() > 1 &&
        (first.kind == Operand::Kind::kConstant || first.kind == Operand::Kind::kNil ||
         (first.kind == Operand::Kind::kDot && first.fields.empty()))) {
      return Fail(
          fmt::format("non executable command in pipeline stage {}", pipeline.commands.size()));
    }
    return {};
  }

  // `$x :=`, `$x =`, `$i, $e :=`; or a pipeline that merely starts with a variable.
  base::Result<void> ParseDeclaration(std::string_view context, Pipeline* pipeline) {
    if (token_.kind != Kind::kVariable) {
      return {};
    }
    const Token variable = token_;
    Advance();
    if (token_.kind == Kind::kDeclare || token_.kind == Kind::kAssign) {
      pipeline->variables.push_back(variable.text);
      pipeline->assigns = token_.kind == Kind::kAssign;
      Advance();
    } else if (token_.kind == Kind::kComma && context == "range") {
      RETURN_IF_ERROR(ParseSecondVariable(variable, pipeline));
    } else {
      pending_variable_ = variable;
      return {};
    }
    if (pipeline->assigns) {
      for (const std::string& name : pipeline->variables) {
        RETURN_IF_ERROR(CheckDefined(name));
      }
    }
    return {};
  }

  base::Result<void> ParseSecondVariable(const Token& first, Pipeline* pipeline) {
    Advance();
    if (token_.kind != Kind::kVariable) {
      return Unexpected("range");
    }
    pipeline->variables = {first.text, token_.text};
    Advance();
    if (token_.kind != Kind::kDeclare && token_.kind != Kind::kAssign) {
      return Unexpected("range");
    }
    pipeline->assigns = token_.kind == Kind::kAssign;
    Advance();
    return {};
  }

  base::Result<void> CheckDefined(const std::string& variable) const {
    if (std::find(variables_.begin(), variables_.end(), variable) == variables_.end()) {
      return Fail(fmt::format("undefined variable \"{}\"", variable));
    }
    return {};
  }

  bool AtCommandEnd() const {
    return token_.kind == Kind::kPipe || token_.kind == Kind::kClose ||
           token_.kind == Kind::kRightParen;
  }

  base::Result<Command> ParseCommand() {
    Command command;
    const size_t begin = pending_variable_ ? pending_variable_->begin : token_.begin;
    do {
      ASSIGN_OR_RETURN(Operand operand, ParseOperand());
      command.operands.push_back(std::move(operand));
      if (!AtCommandEnd() && !token_.space_before) {
        return Unexpected("operand");
      }
    } while (!AtCommandEnd());
    command.text = std::string(input_.substr(begin, previous_end_ - begin));
    return command;
  }

  base::Result<Operand> ParseOperand() {
    const size_t begin = pending_variable_ ? pending_variable_->begin : token_.begin;
    ASSIGN_OR_RETURN(Operand operand, ParseTerm());
    while (token_.kind == Kind::kField && !token_.space_before) {
      if (operand.kind == Operand::Kind::kConstant || operand.kind == Operand::Kind::kNil) {
        return Unexpected("operand");
      }
      operand.fields.push_back(token_.text);
      Advance();
    }
    operand.text = std::string(input_.substr(begin, previous_end_ - begin));
    return operand;
  }

  base::Result<Operand> ParseTerm() {
    if (pending_variable_) {
      const std::string name = std::exchange(pending_variable_, std::nullopt)->text;
      return VariableOperand(name);
    }
    const Token token = token_;
    switch (token.kind) {
      case Kind::kDot:
        Advance();
        return Operand{.kind = Operand::Kind::kDot};
      case Kind::kField:
        Advance();
        return Operand{.kind = Operand::Kind::kDot, .fields = {token.text}};
      case Kind::kVariable:
        Advance();
        return VariableOperand(token.text);
      case Kind::kNil:
        Advance();
        return Operand{.kind = Operand::Kind::kNil};
      case Kind::kBool:
        Advance();
        return Constant(Value(token.text == "true"));
      case Kind::kString:
        Advance();
        return Constant(Value(token.text));
      case Kind::kRune:
      case Kind::kNumber:
        return NumberOperand();
      case Kind::kIdentifier:
        return FunctionOperand();
      case Kind::kLeftParen:
        return ParenthesisedOperand();
      default:
        return Unexpected("operand");
    }
  }

  static Operand Constant(Value value) {
    return {.kind = Operand::Kind::kConstant, .constant = std::move(value)};
  }

  base::Result<Operand> VariableOperand(const std::string& name) const {
    RETURN_IF_ERROR(CheckDefined(name));
    return Operand{.kind = Operand::Kind::kVariable, .variable = name};
  }

  base::Result<Operand> NumberOperand() {
    std::optional<Value> number = ParseGoNumber(token_.text);
    if (!number) {
      return Fail(fmt::format("illegal number syntax: \"{}\"", token_.text));
    }
    Advance();
    return Constant(*std::move(number));
  }

  base::Result<Operand> FunctionOperand() {
    const Function* function = FindFunction(token_.text, dialect_);
    if (function == nullptr) {
      return Fail(fmt::format("function \"{}\" not defined", token_.text));
    }
    Advance();
    return Operand{.kind = Operand::Kind::kFunction, .function = function};
  }

  base::Result<Operand> ParenthesisedOperand() {
    RETURN_IF_ERROR(Enter());
    Advance();
    const size_t scope = variables_.size();
    ASSIGN_OR_RETURN(Pipeline pipeline, ParsePipeline(Kind::kRightParen, "parenthesized pipeline"));
    variables_.resize(scope);
    --nesting_;
    Operand operand{.kind = Operand::Kind::kPipeline};
    operand.pipeline.push_back(std::move(pipeline));
    return operand;
  }

  const std::string& name_;
  const std::string_view input_;
  const Dialect dialect_;
  Lexer lexer_;
  Token token_;
  size_t previous_end_ = 0;
  // A variable already passed while looking for `:=` after it: the first operand of its pipeline.
  std::optional<Token> pending_variable_;
  std::vector<std::string> variables_;
  int nesting_ = 0;
  int range_depth_ = 0;
  Ast ast_;
};

}  // namespace

base::Result<Ast> ParseTemplate(const std::string& name, std::string_view text,
                                std::span<const std::string_view> variables, Dialect dialect) {
  if (text.size() > kMaxTemplateBytes) {
    return base::Error(fmt::format("template: {}: longer than {} bytes", name, kMaxTemplateBytes),
                       base::ErrorKind::kInvalidArgument);
  }
  return Parser(name, text, variables, dialect).Run();
}

}  // namespace tmpl
