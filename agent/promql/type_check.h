// The rules about types that the grammar cannot express.
#pragma once

#include <optional>
#include <string>

#include "agent/promql/ast.h"

namespace promql {

struct TypeError {
  Position position;
  std::string message;
};

// The first violation, innermost first.
std::optional<TypeError> CheckTypes(const Expr& expr, std::string_view text);

}  // namespace promql
