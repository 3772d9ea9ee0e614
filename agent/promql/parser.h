// Text to a checked expression tree.
#pragma once

#include <memory>
#include <string_view>

#include "agent/promql/ast.h"
#include "lib/base/result.h"

namespace promql {

// How deep an expression may nest; the parser, the checks and the engine recurse that far. A chain
// of binary operators nests once per operator.
inline constexpr size_t kMaxDepth = 400;
inline constexpr size_t kMaxQueryBytes = 1 << 20;

struct ParserOptions {
  bool experimental_functions = false;
  bool fill_modifiers = false;
  bool extended_ranges = false;
};

// Errors: kInvalidArgument with "line:col: parse error: …" as Prometheus words it.
base::Result<ExprPtr> ParseExpr(std::string_view text, const ParserOptions& options);

// Only a series selector, as in match[]=…; the name and the braces.
base::Result<std::vector<model::Matcher>> ParseSelector(std::string_view text);

}  // namespace promql
