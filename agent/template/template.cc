#include "agent/template/template.h"

#include <algorithm>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "agent/template/ast.h"
#include "agent/template/notification_functions.h"
#include "agent/template/parser.h"

namespace tmpl {
namespace {

constexpr std::string_view kAlertVariables[] = {"$labels", "$externalLabels", "$externalURL",
                                                "$value"};

enum class Flow { kNext, kBreak, kContinue };

base::Error LimitError(std::string message) {
  return base::Error(std::move(message), base::ErrorKind::kResourceExhausted);
}

// One run of one template. Variables live on a stack; a block forgets those it declared.
class Execution {
 public:
  // Definitions of the first of `asts` win; it is also what runs.
  Execution(const std::string& name, std::vector<const Ast*> asts, const Environment& environment)
      : name_(name), asts_(std::move(asts)), environment_(environment) {}

  void Declare(std::string name, Value value) {
    variables_.emplace_back(std::move(name), std::move(value));
  }

  base::Result<std::string> Run(const Value& data) {
    const auto flow = RunNodes(asts_.front()->root, data);
    if (!flow.ok()) {
      return flow.error().WithContext(fmt::format("template: {}:{}", name_, line_));
    }
    return std::move(out_);
  }

 private:
  base::Result<void> Step(int line) {
    line_ = line;
    if (++steps_ > kMaxSteps) {
      return LimitError(fmt::format("more than {} steps", kMaxSteps));
    }
    return {};
  }

  base::Result<void> Write(std::string_view text) {
    if (text.size() > kMaxOutputBytes - out_.size()) {
      return LimitError(fmt::format("output is longer than {} bytes", kMaxOutputBytes));
    }
    out_ += text;
    return {};
  }

  base::Result<Flow> RunNodes(const std::vector<Node>& nodes, const Value& dot) {
    for (const Node& node : nodes) {
      ASSIGN_OR_RETURN(const Flow flow, RunNode(node, dot));
      if (flow != Flow::kNext) {
        return flow;
      }
    }
    return Flow::kNext;
  }

  base::Result<Flow> RunNode(const Node& node, const Value& dot) {
    RETURN_IF_ERROR(Step(node.line));
    switch (node.kind) {
      case Node::Kind::kText:
        RETURN_IF_ERROR(Write(node.text));
        return Flow::kNext;
      case Node::Kind::kAction:
        RETURN_IF_ERROR(RunAction(node.pipeline, dot));
        return Flow::kNext;
      case Node::Kind::kTemplate:
        RETURN_IF_ERROR(RunTemplate(node, dot));
        return Flow::kNext;
      case Node::Kind::kIf:
      case Node::Kind::kWith:
        return RunCondition(node, dot);
      case Node::Kind::kRange:
        RETURN_IF_ERROR(RunRange(node, dot));
        return Flow::kNext;
      case Node::Kind::kBreak:
        return Flow::kBreak;
      case Node::Kind::kContinue:
        return Flow::kContinue;
    }
    return Flow::kNext;
  }

  base::Result<void> RunAction(const Pipeline& pipeline, const Value& dot) {
    ASSIGN_OR_RETURN(const Value value, Evaluate(pipeline, dot));
    return pipeline.variables.empty() ? Write(ToText(value)) : base::Result<void>();
  }

  const std::vector<Node>* FindDefined(const std::string& name) const {
    for (const Ast* ast : asts_) {
      if (const auto at = ast->defined.find(name); at != ast->defined.end()) {
        return &at->second;
      }
    }
    return nullptr;
  }

  base::Result<void> RunTemplate(const Node& node, const Value& dot) {
    const std::vector<Node>* const body = FindDefined(node.text);
    if (body == nullptr) {
      return base::Error(fmt::format("template \"{}\" not defined", node.text),
                         base::ErrorKind::kInvalidArgument);
    }
    if (depth_ == kMaxCallDepth) {
      return LimitError(fmt::format("templates call each other more than {} deep", kMaxCallDepth));
    }
    Value data;
    if (!node.pipeline.commands.empty()) {
      ASSIGN_OR_RETURN(data, Evaluate(node.pipeline, dot));
    }
    ++depth_;
    std::vector<std::pair<std::string, Value>> outer = std::exchange(variables_, {});
    variables_.emplace_back("$", data);
    RETURN_IF_ERROR(RunNodes(*body, data));
    variables_ = std::move(outer);
    --depth_;
    return {};
  }

  base::Result<Flow> RunCondition(const Node& node, const Value& dot) {
    const size_t scope = variables_.size();
    ASSIGN_OR_RETURN(const Value value, Evaluate(node.pipeline, dot));
    const bool truth = value.Truth();
    const bool moves_dot = node.kind == Node::Kind::kWith && truth;
    ASSIGN_OR_RETURN(const Flow flow,
                     RunNodes(truth ? node.body : node.otherwise, moves_dot ? value : dot));
    variables_.resize(scope);
    return flow;
  }

  base::Result<void> RunRange(const Node& node, const Value& dot) {
    const size_t scope = variables_.size();
    ASSIGN_OR_RETURN(const Value collection, Evaluate(node.pipeline, dot));
    ASSIGN_OR_RETURN(const auto items, Items(collection));
    if (items.empty()) {
      RETURN_IF_ERROR(RunNodes(node.otherwise, dot));
    }
    for (const auto& [key, item] : items) {
      variables_.resize(scope + (node.pipeline.assigns ? 0 : node.pipeline.variables.size()));
      BindRangeVariables(node.pipeline, key, item);
      ASSIGN_OR_RETURN(const Flow flow, RunNodes(node.body, item));
      if (flow == Flow::kBreak) {
        break;
      }
    }
    variables_.resize(scope);
    return {};
  }

  // Evaluate() has declared them; one variable is the item, two are key and item.
  void BindRangeVariables(const Pipeline& pipeline, const Value& key, const Value& item) {
    const std::vector<std::string>& names = pipeline.variables;
    if (!names.empty()) {
      *Find(names.back()) = item;
    }
    if (names.size() > 1) {
      *Find(names.front()) = key;
    }
  }

  base::Result<std::vector<std::pair<Value, Value>>> Items(const Value& collection) const {
    std::vector<std::pair<Value, Value>> items;
    if (const List* list = collection.AsList()) {
      for (const Value& item : *list) {
        items.emplace_back(Value(static_cast<int64_t>(items.size())), item);
      }
    } else if (const Object* object = collection.AsObject();
               object != nullptr && object->kind != Object::Kind::kStruct) {
      for (const auto& [name, item] : object->fields) {
        items.emplace_back(Value(name), item);
      }
    } else if (const int64_t* count = collection.AsInt()) {
      if (*count > static_cast<int64_t>(kMaxSteps)) {
        return LimitError(fmt::format("range over {}: more than {} steps", *count, kMaxSteps));
      }
      for (int64_t i = 0; i < *count; ++i) {
        items.emplace_back(Value(i), Value(i));
      }
    } else if (!collection.IsNothing()) {
      return Invalid(fmt::format("range can't iterate over {}", ToText(collection)));
    }
    return items;
  }

  static base::Error Invalid(std::string message) {
    return base::Error(std::move(message), base::ErrorKind::kInvalidArgument);
  }

  Value* Find(const std::string& variable) {
    const auto found = std::find_if(variables_.rbegin(), variables_.rend(),
                                    [&](const auto& entry) { return entry.first == variable; });
    return found == variables_.rend() ? nullptr : &found->second;
  }

  base::Result<Value> Evaluate(const Pipeline& pipeline, const Value& dot) {
    Value value;
    for (size_t i = 0; i < pipeline.commands.size(); ++i) {
      RETURN_IF_ERROR(Step(pipeline.line));
      const Command& command = pipeline.commands[i];
      auto result = Evaluate(command, dot, i == 0 ? nullptr : &value);
      if (!result.ok()) {
        return result.error();
      }
      value = std::move(result).value();
    }
    for (const std::string& name : pipeline.variables) {
      Value* const existing = pipeline.assigns ? Find(name) : nullptr;
      if (existing != nullptr) {
        *existing = value;
      } else {
        Declare(name, value);
      }
    }
    return value;
  }

  // `final` is the value of the command before, the last argument of a function.
  base::Result<Value> Evaluate(const Command& command, const Value& dot, const Value* final) {
    const Operand& first = command.operands[0];
    const bool has_args = command.operands.size() > 1 || final != nullptr;
    const bool may_be_method =
        has_args && first.kind != Operand::Kind::kFunction && !first.fields.empty();
    base::Result<Value> value = first.kind == Operand::Kind::kFunction ? Call(command, dot, final)
                                : may_be_method ? CallMethod(command, dot, final)
                                                : Evaluate(first, dot);
    if (!value.ok()) {
      return Located(value.error(), command.text);
    }
    if (first.kind != Operand::Kind::kFunction && has_args && !may_be_method) {
      return Invalid(fmt::format("can't give argument to non-function {}", first.text));
    }
    if (first.kind == Operand::Kind::kNil) {
      return Invalid("nil is not a command");
    }
    return value;
  }

  // The innermost command is to blame.
  static base::Error Located(const base::Error& error, const std::string& text) {
    return error.message().rfind("executing <", 0) == 0
               ? error
               : error.WithContext(fmt::format("executing <{}>", text));
  }

  base::Result<Value> Evaluate(const Operand& operand, const Value& dot) {
    return EvaluateFields(operand, operand.fields.size(), dot);
  }

  base::Result<Value> EvaluateFields(const Operand& operand, size_t count, const Value& dot) {
    ASSIGN_OR_RETURN(Value value, EvaluateTerm(operand, dot));
    for (size_t i = 0; i < count; ++i) {
      ASSIGN_OR_RETURN(value, Field(value, operand.fields[i]));
    }
    return value;
  }

  // The last field is a method, the other operands are its arguments.
  base::Result<Value> CallMethod(const Command& command, const Value& dot, const Value* final) {
    const Operand& first = command.operands[0];
    ASSIGN_OR_RETURN(const Value self, EvaluateFields(first, first.fields.size() - 1, dot));
    const Method* const method = FindMethod(self, first.fields.back());
    if (method == nullptr) {
      return Invalid(fmt::format("can't give argument to non-function {}", first.text));
    }
    std::vector<Value> args;
    for (size_t i = 1; i < command.operands.size(); ++i) {
      ASSIGN_OR_RETURN(Value arg, Evaluate(command.operands[i], dot));
      args.push_back(std::move(arg));
    }
    if (final != nullptr) {
      args.push_back(*final);
    }
    return RunMethod(*method, self, args);
  }

  static base::Result<Value> RunMethod(const Method& method, const Value& self,
                                       std::span<const Value> args) {
    if (args.size() != method.args) {
      return Invalid(fmt::format("wrong number of args for {}: want {} got {}", method.name,
                                 method.args, args.size()));
    }
    auto result = method.run(self, args);
    return result.ok() ? std::move(result)
                       : base::Result<Value>(result.error().WithContext(
                             fmt::format("error calling {}", method.name)));
  }

  base::Result<Value> EvaluateTerm(const Operand& operand, const Value& dot) {
    switch (operand.kind) {
      case Operand::Kind::kDot:
        return dot;
      case Operand::Kind::kNil:
        return Value();
      case Operand::Kind::kConstant:
        return operand.constant;
      case Operand::Kind::kVariable: {
        const Value* const value = Find(operand.variable);
        return value != nullptr ? base::Result<Value>(*value)
                                : Invalid(fmt::format("undefined variable: {}", operand.variable));
      }
      case Operand::Kind::kPipeline: {
        const size_t scope = variables_.size();
        ASSIGN_OR_RETURN(Value value, Evaluate(operand.pipeline[0], dot));
        variables_.resize(scope);
        return value;
      }
      case Operand::Kind::kFunction: {
        const Command command{.operands = {operand}, .text = operand.text};
        return Call(command, dot, nullptr, false);
      }
    }
    return Value();
  }

  static base::Result<Value> Field(const Value& value, const std::string& name) {
    if (value.IsNothing()) {
      return Value();
    }
    if (const Method* const method = FindMethod(value, name)) {
      return RunMethod(*method, value, {});
    }
    const Object* const object = value.AsObject();
    if (object != nullptr) {
      const auto field = object->fields.find(name);
      if (field != object->fields.end()) {
        return field->second;
      }
      if (object->kind != Object::Kind::kStruct) {
        return object->kind == Object::Kind::kTextMap ? Value("") : Value();
      }
    }
    return Invalid(fmt::format("can't evaluate field {} in type {}", name, value.TypeName()));
  }

  // With `with_fields` the fields after the function's name are taken from its result.
  base::Result<Value> Call(const Command& command, const Value& dot, const Value* final,
                           bool with_fields = true) {
    const Function& function = *command.operands[0].function;
    const bool is_and = function.name == "and";
    const bool short_circuits = is_and || function.name == "or";
    std::vector<Value> args;
    for (size_t i = 1; i < command.operands.size(); ++i) {
      ASSIGN_OR_RETURN(Value arg, Evaluate(command.operands[i], dot));
      args.push_back(std::move(arg));
      if (short_circuits && args.back().Truth() != is_and) {
        return args.back();
      }
    }
    if (final != nullptr) {
      args.push_back(*final);
    }
    RETURN_IF_ERROR(CheckCount(function, args.size()));
    auto result = function.run(environment_, args);
    if (!result.ok()) {
      return result.error().WithContext(fmt::format("error calling {}", function.name));
    }
    Value value = std::move(result).value();
    if (const std::string* text = value.AsText();
        text != nullptr && text->size() > kMaxOutputBytes) {
      return LimitError(
          fmt::format("{}: result is longer than {} bytes", function.name, kMaxOutputBytes));
    }
    for (const std::string& field : command.operands[0].fields) {
      if (with_fields) {
        ASSIGN_OR_RETURN(value, Field(value, field));
      }
    }
    return value;
  }

  static base::Result<void> CheckCount(const Function& function, size_t count) {
    if (count < function.min_args || count > function.max_args) {
      const std::string_view bound = function.min_args == function.max_args ? ""
                                     : count < function.min_args            ? "at least "
                                                                            : "at most ";
      return Invalid(
          fmt::format("wrong number of args for {}: want {}{} got {}", function.name, bound,
                      count < function.min_args ? function.min_args : function.max_args, count));
    }
    return {};
  }

  const std::string& name_;
  const std::vector<const Ast*> asts_;
  const Environment& environment_;
  std::vector<std::pair<std::string, Value>> variables_;
  std::string out_;
  size_t steps_ = 0;
  int depth_ = 0;
  int line_ = 1;
};

}  // namespace

base::Result<Template> Template::Parse(std::string name, std::string_view text,
                                       std::span<const std::string_view> variables,
                                       Dialect dialect) {
  std::vector<std::string_view> declared = {"$"};
  declared.insert(declared.end(), variables.begin(), variables.end());
  ASSIGN_OR_RETURN(Ast ast, ParseTemplate(name, text, declared, dialect));
  Template result;
  result.name_ = std::move(name);
  result.variables_.assign(variables.begin(), variables.end());
  result.ast_ = std::make_shared<const Ast>(std::move(ast));
  return result;
}

base::Result<std::string> Template::Execute(const Value& data, std::span<const Value> values,
                                            const Environment& environment,
                                            std::span<const Template> libraries) const {
  std::vector<const Ast*> asts = {ast_.get()};
  for (const Template& library : libraries) {
    asts.push_back(library.ast_.get());
  }
  Execution execution(name_, std::move(asts), environment);
  execution.Declare("$", data);
  for (size_t i = 0; i < variables_.size() && i < values.size(); ++i) {
    execution.Declare(variables_[i], values[i]);
  }
  return execution.Run(data);
}

base::Result<Template> ParseNotificationTemplate(std::string name, std::string_view text) {
  return Template::Parse(std::move(name), text, {}, Dialect::kNotifications);
}

base::Result<Template> ParseAlertTemplate(std::string name, std::string_view text) {
  return Template::Parse(std::move(name), text, kAlertVariables);
}

std::string ExpandAlertTemplate(const Template& text, const AlertData& data,
                                const Environment& environment) {
  const Value labels = Value::FromLabels(data.labels);
  const Value external_labels = Value::FromLabels(data.external_labels);
  const Value external_url(data.external_url);
  const Value value(data.value);
  Object dot{.kind = Object::Kind::kStruct,
             .type_name =
                 "struct { Labels map[string]string; ExternalLabels map[string]string; "
                 "ExternalURL string; Value interface {} }",
             .fields = {{"Labels", labels},
                        {"ExternalLabels", external_labels},
                        {"ExternalURL", external_url},
                        {"Value", value}}};
  const Value values[] = {labels, external_labels, external_url, value};
  const auto expanded = text.Execute(Value(std::move(dot)), values, environment);
  return expanded.ok() ? *expanded
                       : fmt::format("<error expanding template: {}>", expanded.error().message());
}

}  // namespace tmpl
