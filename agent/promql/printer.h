// A query as Prometheus prints it: the same query, in one canonical form.
#pragma once

#include <string>

#include "agent/promql/ast.h"

namespace promql {

std::string ToString(const Expr& expr);

// What is longer than 100 characters is split over lines, with two spaces of indent a level.
std::string Pretty(const Expr& expr);

}  // namespace promql
