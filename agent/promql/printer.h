// A query as Prometheus prints it: the same query, in one canonical form.
#pragma once

#include <string>

#include "agent/promql/ast.h"

namespace promql {

std::string ToString(const Expr& expr);

}  // namespace promql
