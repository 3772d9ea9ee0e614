// The parsed form of a template.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "agent/template/functions.h"
#include "agent/template/value.h"

namespace tmpl {

struct Pipeline;

// `.`, `$x.y`, `"text"`, `(pipeline).field`, a function's name: with the fields taken from it.
struct Operand {
  enum class Kind { kDot, kNil, kConstant, kVariable, kFunction, kPipeline };
  Kind kind = Kind::kDot;
  Value constant = {};
  std::string variable = {};             // With its '$'.
  const Function* function = nullptr;    // A row of the table.
  std::vector<Pipeline> pipeline;        // One entry, for kPipeline.
  std::vector<std::string> fields = {};  // `.a.b` after it.
  std::string text = {};                 // As written, for messages.
};

struct Command {
  std::vector<Operand> operands;  // At least one.
  std::string text;
};

struct Pipeline {
  int line = 1;
  std::vector<std::string> variables = {};  // Declared or assigned: `$i, $e :=`.
  bool assigns = false;                     // `=` instead of `:=`.
  std::vector<Command> commands = {};
};

struct Node {
  enum class Kind { kText, kAction, kIf, kWith, kRange, kTemplate, kBreak, kContinue };
  Kind kind = Kind::kText;
  int line = 1;
  std::string text = {};  // Literal text, or the name of the template called.
  Pipeline pipeline = {};
  std::vector<Node> body = {};
  std::vector<Node> otherwise = {};  // `else`.
};

struct Ast {
  std::vector<Node> root;
  std::map<std::string, std::vector<Node>, std::less<>> defined;  // `define` and `block`.
};

}  // namespace tmpl
